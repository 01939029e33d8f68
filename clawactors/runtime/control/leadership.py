"""Who appends what placement decides: the control process that holds the lease. Two at once do no harm.

Who leads answers on a subject of its own. Where twice nobody listens there, its process is gone, and the next one need
not wait for the lease to lapse; one that hangs keeps its subscription, and the lead until then.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable
from typing import Protocol

from clawactors.eventlog import EventLogError, NoResponders, Unavailable
from clawactors.eventlog.leases import Lease, Leases
from clawactors.eventlog.requests import Requests, Serving
from clawactors.runtime.asking import LEADER_KEY
from clawactors.runtime.clock import Clock

__all__ = ["LEADER_KEY", "LeaderEndpoints", "Leadership"]

_TERM_S = 2.0
_PROBES = 2
_PROBE_TIMEOUT_S = 0.3
_PROBE_AGAIN_S = 0.15
"""It may be connecting again at this moment."""


class Leadership:
    """Holds the lease when it can get it; `leading` says whether it believes to."""

    def __init__(
        self,
        leases: Leases,
        requests: Requests,
        clock: Clock,
        name: str,
        changed: Callable[[], None],
        lost: Callable[[], None],
        key: str = LEADER_KEY,
    ) -> None:
        self._leases, self._requests, self._clock, self._name, self._key = leases, requests, clock, name, key
        self._changed, self._lost = changed, lost
        self._lease: Lease | None = None
        self._serving: Serving | None = None
        self._until_s = 0.0
        self._tried = asyncio.Event()
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
                self._tried.set()
                await asyncio.sleep(_TERM_S / 3 * (0.9 + 0.2 * self._clock.roll()))
        finally:
            with contextlib.suppress(Exception):
                if self._lease is not None:
                    await self._lease.release()
                await self._stop_answering()

    async def tried(self) -> None:
        """Returns once it has asked for the lease: what it may not do is told by then."""
        await self._tried.wait()

    async def _renew(self) -> None:
        asked_s, until_s = self._clock.monotonic_s(), self._until_s
        value = self._name.encode()
        if self._lease is None or not await self._lease.renew(value):
            self._lease = await self._acquire(value)
        lapsed = self._clock.monotonic_s() >= until_s  # perhaps while it asked: somebody may have looked meanwhile
        led, self._until_s = self._until_s > 0, asked_s + _TERM_S if self._lease is not None else 0.0
        if led and self._lease is None:
            self._lost()
        if self.leading and lapsed:
            self._changed()
        await (self._answer() if self._lease is not None else self._stop_answering())

    async def _acquire(self, value: bytes) -> Lease | None:
        lease = await self._leases.acquire(self._key, value, _TERM_S)
        if lease is None and (holder := await self._leases.get(self._key)) is not None and await self._is_gone(holder):
            lease = await self._leases.acquire(self._key, value, _TERM_S, over=holder)
        return lease

    async def _is_gone(self, holder: bytes) -> bool:
        for probe in range(_PROBES):
            if probe:
                await asyncio.sleep(_PROBE_AGAIN_S)
            try:
                await self._requests.request(_presence(holder.decode(errors="replace")), b"", _PROBE_TIMEOUT_S)
            except NoResponders:
                continue
            except EventLogError:
                return False  # it may hang: then its lease lapses
            return False
        return True

    async def _answer(self) -> None:
        if self._serving is None:
            self._serving = await self._requests.serve(_presence(self._name), self._is_here)

    async def _is_here(self, _: bytes) -> bytes:
        return self._name.encode()

    async def _stop_answering(self) -> None:
        serving, self._serving = self._serving, None
        if serving is not None:
            await serving.aclose()


def _presence(name: str) -> str:
    """Where a process of that name answers while it leads."""
    return f"claw.leads.{re.sub('[^-_A-Za-z0-9]', '-', name)}"


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
