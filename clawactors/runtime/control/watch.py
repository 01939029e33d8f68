"""Who is alive: judges nodes by their leases, by probes, and by hints that a connection has closed.

1. A node is lost when its lease has lapsed, or when two probes in a row find nobody listening.
2. Silence counts only while the server answers this process: a server that was stopped delivers no heartbeats.
3. After an interruption (the server was silent, this process reconnected, or it stood still itself) every node has a
   full lease time to be heard again.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

import msgspec

from clawactors.eventlog import NoResponders, PermissionDenied, Unavailable
from clawactors.eventlog.leases import Leases
from clawactors.eventlog.requests import Requests
from clawactors.runtime.clock import Clock
from clawactors.runtime.node.machine import LEASE_S, Figures
from clawactors.runtime.node.presence import node_key

__all__ = ["Watch"]

_TICK_S = 0.5
_SLACK_S = 0.25
"""A heartbeat may be this late."""
_PAUSED_S = 1.0
"""A tick that took this long means that this process was stopped or starved."""
_PROBE_AFTER = 0.6
"""Share of the lease time without a heartbeat after which a node is asked."""
_PROBE_TIMEOUT_S = 0.3
_PROBE_AGAIN_S = 0.1

_INTERRUPTED_S = 1.0
"""A server that was silent for this long was stopped or unreachable. Less does no harm: a lease lasts longer."""
_ROUND_TRIP_AFTER_S = 0.25
_ROUND_TRIP_TIMEOUT_S = 1.0
_NOBODY = "claw.live.~"
"""No node can have this id, so the server itself answers at once: nobody listens."""


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
        self._silent_since_s: dict[tuple[str, str], float] = {}
        self._heard: set[tuple[str, str]] = set()  # since the last interruption
        self._forgiven_s = float("-inf")
        self._server_heard_s = clock.monotonic_s()
        self._working: dict[str, asyncio.Task[None]] = {}

    async def serve(self) -> None:
        """Listens to the leases and judges, without end."""
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
            for work in self._working.values():
                work.cancel()

    def forgive(self) -> None:
        """Gives every node a full lease time from now: nodes could not be heard, or could not reach the server."""
        self._silent_since_s.clear()
        self._heard.clear()
        self._forgiven_s = self._clock.monotonic_s()

    def suspect(self, id: str) -> None:
        """A hint that this node may be gone: it is asked at once."""
        for known, incarnation in self._live_nodes():
            if known == id:
                self._probe(id, incarnation)

    # What is heard

    async def _listen(self) -> None:
        prefix = node_key("")
        while True:
            with contextlib.suppress(Unavailable):
                async for key, value in self._leases.watch(prefix):
                    self._on_server()
                    self._on_heartbeat(key.removeprefix(prefix).partition(".")[0], value)
            self.forgive()
            await asyncio.sleep(_TICK_S)

    def _on_heartbeat(self, id: str, value: bytes | None) -> None:
        if value is None:
            return
        with contextlib.suppress(msgspec.MsgspecError):
            before, figures = self.figures.get(id), msgspec.json.decode(value, type=Figures)
            self.figures[id] = figures
            key = id, figures.incarnation
            self._silent_since_s[key] = self._clock.monotonic_s()
            if before is not None and before.incarnation == figures.incarnation and before.at_ns != figures.at_ns:
                self._heard.add(key)  # a watch that begins again repeats old values, which prove nothing

    def _on_server(self) -> None:
        """The server has answered; where it had been silent, so were the nodes."""
        now_s = self._clock.monotonic_s()
        if now_s - self._server_heard_s > _INTERRUPTED_S:
            self.forgive()
        self._server_heard_s = now_s

    async def _server_answers(self) -> bool:
        """One round trip to the server."""
        try:
            await self._requests.request(_NOBODY, b"", _ROUND_TRIP_TIMEOUT_S)
        except (NoResponders, PermissionDenied):
            pass
        except Unavailable:
            return False
        self._on_server()
        return True

    # Judging

    def _judge(self) -> None:
        now_s = self._clock.monotonic_s()
        alive = set(self._live_nodes())
        for key in [key for key in self._silent_since_s if key not in alive]:
            del self._silent_since_s[key]
            self._heard.discard(key)
        server_silent_s = now_s - self._server_heard_s
        if alive and server_silent_s >= _ROUND_TRIP_AFTER_S:
            self._start(_NOBODY, self._ask_server)
        if server_silent_s > _INTERRUPTED_S:
            return
        for id, incarnation in alive:
            self._silent_since_s.setdefault((id, incarnation), now_s)
            if self._has_lapsed(id, incarnation):
                self._start(f"{id} {incarnation}", partial(self._give_up, id, incarnation))
            elif self._silent_s(id, incarnation) >= self._lease_s(id, incarnation) * _PROBE_AFTER:
                self._probe(id, incarnation)

    def _silent_s(self, id: str, incarnation: str) -> float:
        now_s = self._clock.monotonic_s()
        return now_s - self._silent_since_s.get((id, incarnation), now_s)

    def _lease_s(self, id: str, incarnation: str) -> float:
        """How long this node may be silent, as it says of itself."""
        figures = self.figures.get(id)
        return figures.lease_s if figures is not None and figures.incarnation == incarnation else LEASE_S

    def _has_lapsed(self, id: str, incarnation: str) -> bool:
        return self._silent_s(id, incarnation) >= self._lease_s(id, incarnation) + _SLACK_S

    def _had_time_to_return(self, id: str, incarnation: str) -> bool:
        """False where an interruption may have cut this node off a moment ago."""
        since_s = self._clock.monotonic_s() - self._forgiven_s
        return (id, incarnation) in self._heard or since_s >= self._lease_s(id, incarnation)

    # Asking, beside the judging

    def _probe(self, id: str, incarnation: str) -> None:
        self._start(id, partial(self._ask, id, incarnation))

    def _start(self, key: str, work: Callable[[], Awaitable[None]]) -> None:
        """Begins the work, unless the same is under way."""

        async def guarded() -> None:
            try:
                with contextlib.suppress(Unavailable):
                    await work()
            finally:
                del self._working[key]

        if key not in self._working:
            self._working[key] = asyncio.ensure_future(guarded())

    async def _ask_server(self) -> None:
        await self._server_answers()

    async def _give_up(self, id: str, incarnation: str) -> None:
        if await self._server_answers() and self._has_lapsed(id, incarnation):
            silent_s = self._silent_s(id, incarnation)
            await self._lost(id, incarnation, f"no heartbeat for {silent_s:.1f} s")

    async def _ask(self, id: str, incarnation: str) -> None:
        for attempt in range(2):
            try:
                answer = await self._requests.request(f"claw.live.{id}", b"", _PROBE_TIMEOUT_S)
            except NoResponders:
                self._on_server()
                if attempt == 0:
                    await asyncio.sleep(_PROBE_AGAIN_S)
                continue
            except Unavailable:
                return  # it may hang; then its lease lapses
            self._on_server()
            if answer == incarnation.encode():
                key, half_ago_s = (id, incarnation), self._clock.monotonic_s() - self._lease_s(id, incarnation) / 2
                self._silent_since_s[key] = max(self._silent_since_s.get(key, 0.0), half_ago_s)
                self._heard.add(key)
            return
        if self._had_time_to_return(id, incarnation):
            await self._lost(id, incarnation, "its connection is gone")
