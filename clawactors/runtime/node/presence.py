"""How a node shows that it is alive: it renews a lease, answers probes, and is the only one with its id."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from clawactors.eventlog import EventLogError, NoResponders, Unavailable
from clawactors.eventlog.leases import Lease, Leases
from clawactors.eventlog.requests import Requests, Serving
from clawactors.kernel.errors import Refused
from clawactors.runtime.clock import Clock
from clawactors.runtime.seldom import SeldomLogger

__all__ = ["BEATS_PER_LEASE", "Presence", "node_key"]

BEATS_PER_LEASE = 3
_PROBES = 2

_seldom = SeldomLogger(logging.getLogger(__name__))


def node_key(id: str, incarnation: str = "") -> str:
    """The key of the lease of an incarnation; without one, the prefix of all; without an id, that of all nodes."""
    return f"node.{id}.{incarnation}" if id else "node."


class Presence:
    """The presence of one incarnation, from `open` to `aclose`.

    `figures` is published with each heartbeat. While `is_alive` is false, it neither beats nor answers.
    """

    def __init__(
        self,
        leases: Leases,
        requests: Requests,
        clock: Clock,
        id: str,
        incarnation: str,
        lease_s: float,
        figures: Callable[[], bytes],
        is_alive: Callable[[], bool],
    ) -> None:
        self._leases, self._requests, self._clock = leases, requests, clock
        self._id, self._incarnation, self._lease_s, self._figures = id, incarnation, lease_s, figures
        self._is_alive = is_alive
        self._serving: Serving | None = None
        self._lease: Lease | None = None

    async def open(self) -> None:
        """Probes are answered and the lease is held when it returns. Raises: `Refused` when such a node is alive."""
        await self._refuse_if_alive()
        self._serving = await self._requests.serve(f"claw.live.{self._id}", self._answer)
        self._lease = await self._acquire()

    async def _refuse_if_alive(self) -> None:
        """Returns when no older incarnation answers: at once when nobody listens, after a lease time when one hangs."""
        deadline_s = self._clock.monotonic_s() + self._lease_s
        silent = 0
        while silent < _PROBES and self._clock.monotonic_s() < deadline_s:
            try:
                await self._requests.request(f"claw.live.{self._id}", b"", self._lease_s / BEATS_PER_LEASE)
            except NoResponders:
                silent += 1
            except Unavailable:
                await asyncio.sleep(self._lease_s / 10)  # it hangs
            else:
                raise Refused(f"a node with the id {self._id!r} is alive; choose another id or stop that one first")

    async def _acquire(self) -> Lease:
        lease = await self._leases.acquire(node_key(self._id, self._incarnation), self._figures(), self._lease_s)
        if lease is None:
            raise Refused(f"another process holds the lease of incarnation {self._incarnation} of node {self._id!r}")
        return lease

    async def _answer(self, _: bytes) -> bytes:
        return self._incarnation.encode() if self._is_alive() else b""

    async def beat(self) -> None:
        """Renews the lease, without end."""
        while True:
            await asyncio.sleep(self._lease_s / BEATS_PER_LEASE)
            if not self._is_alive():
                continue
            try:
                if self._lease is None or not await self._lease.renew(self._figures()):
                    self._lease = await self._acquire()
            except Unavailable:
                continue  # the server does not answer; control decides whether that matters
            except (EventLogError, Refused) as error:
                _seldom.warning("node %s: heartbeat failed: %s", self._id, error)

    async def release(self) -> None:
        """Gives up the lease, if the server answers."""
        if self._lease is not None:
            with contextlib.suppress(EventLogError):
                await self._lease.release()

    async def aclose(self) -> None:
        """Stops answering probes."""
        if self._serving is not None:
            await self._serving.aclose()
