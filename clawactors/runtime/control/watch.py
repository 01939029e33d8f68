"""Who is still there: judges nodes by their leases, by probes, and by hints that a connection has closed.

1. A node is lost when its lease has lapsed, or when two probes in a row find nobody listening.
2. After this process (re)connected, absence counts only after a full lease time: leases die with a server.
3. The same after it stood still itself: what it has not heard may lie in its own buffers.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

import msgspec

from clawactors.eventlog import NoResponders, Unavailable
from clawactors.eventlog.leases import Leases
from clawactors.eventlog.requests import Requests
from clawactors.runtime.clock import Clock
from clawactors.runtime.node.machine import LEASE_S, Figures
from clawactors.runtime.node.presence import node_key

__all__ = ["Watch"]

_TICK_S = 0.5
_SLACK_S = 0.25
"""A heartbeat may be so late."""
_PAUSED_S = 1.0
"""A tick that took so long means that this process was stopped or starved."""
_PROBE_AFTER = 0.6
"""Share of the lease time without a heartbeat after which a node is asked."""
_PROBE_TIMEOUT_S = 0.3
_PROBE_AGAIN_S = 0.1


class Watch:
    """Knows the newest figures of every node; reports the lost ones."""

    def __init__(
        self,
        leases: Leases,
        requests: Requests,
        clock: Clock,
        live_nodes: Callable[[], Iterable[tuple[str, str]]],
        lost: Callable[[str, str, str], Awaitable[None]],
    ) -> None:
        self._leases, self._requests, self._clock = leases, requests, clock
        self._live_nodes, self._lost = live_nodes, lost
        self.figures: dict[str, Figures] = {}
        self._heard_s: dict[tuple[str, str], float] = {}
        self._probing: dict[str, asyncio.Task[None]] = {}

    async def serve(self) -> None:
        """Listens to the leases and judges for ever."""
        listen = asyncio.ensure_future(self._listen())
        try:
            while True:
                before_s = self._clock.monotonic_s()
                await asyncio.sleep(_TICK_S)
                if self._clock.monotonic_s() - before_s > _PAUSED_S:
                    self.forgive()
                if listen.done():
                    listen.result()
                self._judge()
        finally:
            listen.cancel()
            for work in self._probing.values():
                work.cancel()

    async def _listen(self) -> None:
        prefix = node_key("")
        while True:
            with contextlib.suppress(Unavailable):
                async for key, value in self._leases.watch(prefix):
                    self._hear(key.removeprefix(prefix).partition(".")[0], value)
            self.forgive()
            await asyncio.sleep(_TICK_S)

    def _hear(self, id: str, value: bytes | None) -> None:
        if value is None:
            return
        with contextlib.suppress(msgspec.MsgspecError):
            figures = self.figures[id] = msgspec.json.decode(value, type=Figures)
            self._heard_s[id, figures.incarnation] = self._clock.monotonic_s()

    def forgive(self) -> None:
        """Gives every node a full lease time from now: what was silent may have been the server."""
        self._heard_s.clear()

    def suspect(self, id: str) -> None:
        """A hint that this node may be gone: it is asked at once."""
        for known, incarnation in self._live_nodes():
            if known == id:
                self._probe(id, incarnation)

    def _judge(self) -> None:
        now_s = self._clock.monotonic_s()
        alive = set(self._live_nodes())
        for key in [key for key in self._heard_s if key not in alive]:
            del self._heard_s[key]
        for id, incarnation in alive:
            silent_s = now_s - self._heard_s.setdefault((id, incarnation), now_s)
            lease_s = self._lease_s(id, incarnation)
            if silent_s >= lease_s + _SLACK_S:
                self._report(id, incarnation, f"no heartbeat for {silent_s:.1f} s")
            elif silent_s >= lease_s * _PROBE_AFTER:
                self._probe(id, incarnation)

    def _lease_s(self, id: str, incarnation: str) -> float:
        """How long this node may be silent: what it says of itself."""
        figures = self.figures.get(id)
        return figures.lease_s if figures is not None and figures.incarnation == incarnation else LEASE_S

    def _probe(self, id: str, incarnation: str) -> None:
        if id not in self._probing:
            self._start(id, partial(self._ask, id, incarnation))

    def _report(self, id: str, incarnation: str, reason: str) -> None:
        key = f"{id} {incarnation}"
        if key not in self._probing:
            self._start(key, partial(self._lost, id, incarnation, reason))

    def _start(self, key: str, work: Callable[[], Awaitable[None]]) -> None:
        async def guarded() -> None:
            try:
                with contextlib.suppress(Unavailable):
                    await work()
            finally:
                del self._probing[key]

        self._probing[key] = asyncio.ensure_future(guarded())

    async def _ask(self, id: str, incarnation: str) -> None:
        for attempt in range(2):
            try:
                answer = await self._requests.request(f"claw.live.{id}", b"", _PROBE_TIMEOUT_S)
            except NoResponders:
                if attempt == 0:
                    await asyncio.sleep(_PROBE_AGAIN_S)
                continue
            except Unavailable:
                return  # it may hang; then its lease lapses
            if answer == incarnation.encode():
                half_ago_s = self._clock.monotonic_s() - self._lease_s(id, incarnation) / 2
                self._heard_s[id, incarnation] = max(self._heard_s.get((id, incarnation), 0.0), half_ago_s)
            return
        await self._lost(id, incarnation, "its connection is gone")
