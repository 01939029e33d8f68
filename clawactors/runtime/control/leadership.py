"""Who appends what placement decides: the control process that holds the lease. Two at once do no harm."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

from clawactors.eventlog import Unavailable
from clawactors.eventlog.leases import Lease, Leases
from clawactors.eventlog.requests import Requests
from clawactors.runtime.asking import LEADER_KEY
from clawactors.runtime.clock import Clock

__all__ = ["LEADER_KEY", "LeaderEndpoints", "Leadership"]

_TERM_S = 2.0


class Leadership:
    """Holds the lease when it can get it; `leading` says whether it believes to."""

    def __init__(
        self,
        leases: Leases,
        clock: Clock,
        name: str,
        changed: Callable[[], None],
        lost: Callable[[], None],
        key: str = LEADER_KEY,
    ) -> None:
        self._leases, self._clock, self._name, self._key = leases, clock, name, key
        self._changed, self._lost = changed, lost
        self._lease: Lease | None = None
        self._until_s = 0.0
        self._trouble = ""

    @property
    def leading(self) -> bool:
        """True while its term surely runs; after a pause of the process it is False before anything is appended."""
        return self._lease is not None and self._clock.monotonic_s() < self._until_s

    @property
    def why_not(self) -> str:
        """Why it does not lead, for those who asked it to decide."""
        return self._trouble or "this control process does not lead"

    async def serve(self) -> None:
        """Tries for ever to get and keep the lease."""
        try:
            while True:
                try:
                    await self._renew()
                    self._trouble = ""
                except Unavailable as error:
                    self._trouble = f"no control process can lead, as its lease is not stored: {error}"
                await asyncio.sleep(_TERM_S / 3 * (0.9 + 0.2 * self._clock.roll()))
        finally:
            if self._lease is not None:
                with contextlib.suppress(Exception):
                    await self._lease.release()

    async def _renew(self) -> None:
        asked_s, until_s = self._clock.monotonic_s(), self._until_s
        value = self._name.encode()
        if self._lease is None or not await self._lease.renew(value):
            self._lease = await self._leases.acquire(self._key, value, _TERM_S)
        lapsed = self._clock.monotonic_s() >= until_s  # perhaps while it asked: somebody may have looked meanwhile
        led, self._until_s = self._until_s > 0, asked_s + _TERM_S if self._lease is not None else 0.0
        if led and self._lease is None:
            self._lost()
        if self.leading and lapsed:
            self._changed()


class _Endpoint(Protocol):
    async def open(self, requests: Requests) -> None: ...
    async def aclose(self) -> None: ...


class LeaderEndpoints:
    """What only the leader answers: commands are decided here, ends are told from here. They open in this order."""

    def __init__(self, requests: Requests, *endpoints: _Endpoint) -> None:
        self._requests, self._endpoints = requests, endpoints

    async def open(self) -> None:
        """Answers from now on, as one that begins to. Raises: `PermissionDenied`, `Unavailable`."""
        await self.aclose()
        for each in self._endpoints:
            await each.open(self._requests)

    async def aclose(self) -> None:
        """Answers no longer. Order: idempotent."""
        await asyncio.gather(*(each.aclose() for each in self._endpoints))
