"""The node actor: joins as a new incarnation, runs what it is given in its slots, gives the rest back when it stops.

1. The node has the last word: it runs at most `slots` tasks at a time and keeps the others in order.
2. What is addressed to another incarnation is ignored.
3. When it learns that it was believed dead, it gives up everything it has, records that it is back, and takes new work.
4. What was appended to a task since its assignment is read before its code runs. Of tasks that have lost several
   nodes in a row, it runs one at a time.
"""

import asyncio
import contextlib
from collections.abc import Coroutine, Iterable, Mapping
from functools import partial
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from clawactors.eventlog import PermissionDenied
from clawactors.eventlog.leases import Leases
from clawactors.eventlog.requests import Requests
from clawactors.kernel.principals import node_principal
from clawactors.runtime.context import ActorContext
from clawactors.runtime.memory import Memories
from clawactors.runtime.naming import new_id
from clawactors.runtime.node.answers import AnswerEndpoint
from clawactors.runtime.node.attempt.assigned import Assignment
from clawactors.runtime.node.attempt.attempt import Attempt
from clawactors.runtime.node.background import Background
from clawactors.runtime.node.codetasks import follow_tasks
from clawactors.runtime.node.drain import Drain
from clawactors.runtime.node.heartbeat import ALIVE, TaskHeartbeat
from clawactors.runtime.node.inbox import Inbox
from clawactors.runtime.node.liveness import LivenessThread, StallMonitor
from clawactors.runtime.node.machine import LEASE_S, Figures, Gauge, this_machine
from clawactors.runtime.node.membership import Membership
from clawactors.runtime.node.presence import BEATS_PER_LEASE, Presence
from clawactors.runtime.node.recording import WritingRecorder
from clawactors.runtime.node.signs import report_alive
from clawactors.runtime.node.slots import Slots
from clawactors.runtime.node.submitter import Submitter
from clawactors.runtime.node.supplies import Supplies
from clawactors.runtime.node.threads import DaemonThreads
from clawactors.runtime.questions import Questions, begin_time, track_time
from clawactors.runtime.settings import LiveSettings, ReportEndpoint
from clawactors.systems.nodes import commands as nc
from clawactors.systems.nodes import events as ne
from clawactors.systems.settings import DEFAULTS, Settings
from clawactors.systems.skills import Skill

__all__ = ["NodeActor", "NodeSettings"]

_GONE_S: Final = 30.0
"""A loop that has been blocked for this long counts as dead, so that other nodes take over its tasks."""


class NodeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a node."""

    id: str
    slots: int = DEFAULTS.node_slots
    affinity: dict[str, str] = {}
    lease_s: float = LEASE_S
    grace_s: float = 5.0
    folder: str = "/"


class NodeActor:
    """`start`, then `serve` until `stop` is called or the node is superseded."""

    def __init__(
        self,
        context: ActorContext,
        leases: Leases,
        requests: Requests,
        settings: NodeSettings,
        skills: Iterable[Skill],
        supplies: Supplies,
        liveness: LivenessThread | None = None,
        live: LiveSettings | None = None,
    ) -> None:
        self.context, self.requests, self.settings, self.supplies = context, requests, settings, supplies
        self.skills: Mapping[str, Skill] = {skill.name: skill for skill in skills}
        self.id, self.incarnation = settings.id, new_id()
        self._liveness = liveness
        self._presence = Presence(
            liveness.leases if liveness else leases,
            liveness.requests if liveness else requests,
            context.clock,
            self.id,
            self.incarnation,
            settings.lease_s,
            self._figures,
            self._is_alive,
        )
        self._threads = DaemonThreads(f"skill-{self.id}")
        principal = node_principal(self.id)
        self._submitter = supplies.submitter = Submitter(context, requests, principal)
        self._memories = Memories(WritingRecorder(context), requests, principal=principal)
        self._stopping, self._questions = asyncio.Event(), Questions(requests, principal)
        self._denied: PermissionDenied | None = None
        self._open = contextlib.AsyncExitStack()
        self._loop = asyncio.get_running_loop()
        follow_tasks(self._loop)
        background = Background(f"node {self.id}", settings.lease_s / BEATS_PER_LEASE, self._deny)
        self._slots = Slots(context, self.id, settings.slots, self._attempt, background)
        self.live = live or LiveSettings(context.log, read_by="node")
        self._report = ReportEndpoint(self.live, f"node/{self.id}", lambda: {"node.slots": self.slots})
        self._drain = Drain(context, self.id, self._slots, background)
        self._inbox = Inbox(context, self.id, self.incarnation, self._slots, self._drain)
        self._answers = AnswerEndpoint(self.id, self._slots.find)
        self._membership = Membership(
            context, self.id, self.incarnation, self._slots, self._drain, background, self._stopping
        )
        self._stalls = StallMonitor(context.clock, liveness, self.id, self._in_loop) if liveness else None

    @property
    def slots(self) -> int:
        """How many tasks it runs at a time at most."""
        return self._slots.size

    async def start(self) -> None:
        """In place when it returns: the lease is held, the join is in the log, assignments are received.

        Raises: `Refused` when a node with this id is alive; what the log raises.
        """
        self._gauge = Gauge(self.settings.folder)
        try:
            await self.live.open()
            self._open.push_async_callback(self.live.aclose)
            self.live.watch(self._apply)
            await self._join()
        except BaseException:
            await self._open.aclose()
            raise

    async def _join(self) -> None:
        # Listen before joining: nothing that is addressed to this incarnation can be missed.
        for listener in (self._inbox, self._membership):
            await listener.open()
            self._open.push_async_callback(listener.aclose)
        for endpoint in (self._answers, self._report):
            await endpoint.open(self.requests)
            self._open.push_async_callback(endpoint.aclose)
        await begin_time(self._questions, self.context.time)
        self._open.push_async_callback(lambda: self._present(self._presence.aclose()))
        await self._present(self._presence.open())
        joined = ne.NodeJoined(
            incarnation=self.incarnation,
            slots=self.slots,
            offers=tuple(self._offer(skill) for skill in self.skills.values()),
            affinity=self.settings.affinity,
            machine=this_machine(),
        )
        try:
            await self._membership.join(joined)
        except BaseException:
            await self._present(self._presence.release())
            raise

    def _offer(self, skill: Skill) -> ne.Offer:
        lacks = self.supplies.secrets.lacking(skill.secrets)
        return replace(skill.offer, lacks=lacks) if lacks else skill.offer

    async def serve(self) -> None:
        """Works until it is stopped; returns when everything is given back.

        Raises: `PermissionDenied` when it may not record what it runs; what the log raises.
        """
        parts = self._present(self._presence.beat()), self._inbox.serve(), self.live.serve()
        signs, time = report_alive(lambda: self._slots.running, self._publish_alive), self.context.time
        work = [asyncio.ensure_future(part) for part in (*parts, signs, track_time(self._questions, time))]
        if self._stalls is not None:
            work.append(asyncio.ensure_future(self._stalls.serve()))
        end = [asyncio.ensure_future(self._membership.serve()), asyncio.ensure_future(self._stopping.wait())]
        try:
            done, _ = await asyncio.wait((*work, *end), return_when=asyncio.FIRST_COMPLETED)
            if not self._membership.is_superseded:
                await self._leave()
            for task in done:
                task.result()
            if self._denied is not None:
                raise self._denied
        finally:
            for task in (*work, *end):
                task.cancel()
            self._submitter.close()
            await self._open.aclose()

    def stop(self) -> None:
        """Asks it to finish: `serve` gives everything back and returns."""
        self._stopping.set()

    async def _leave(self) -> None:
        self._slots.is_open = False
        await self._membership.record(nc.DrainNode())
        await self._drain.end_all(self.settings.grace_s)
        await self._membership.record(nc.LeaveNode(self.incarnation, "stopped"))
        await self._present(self._presence.release())

    def _deny(self, error: PermissionDenied) -> None:
        """The server forbids it to record its tasks: it ends, with one error for all of them."""
        self._denied = error
        self.stop()

    # What it runs

    def _apply(self, settings: Settings) -> None:
        for run in self._slots.parked.limit(settings.node_parked):
            run.stop("unpark")
        self.supplies.settings = settings

    def _attempt(self, assignment: Assignment) -> Attempt:
        alive = partial(self._publish_alive, assignment.id)
        heartbeat = TaskHeartbeat(self.context.clock, alive, assignment.event.attempt)
        skill = self.skills.get(assignment.event.skill)
        return Attempt(self.context, assignment, skill, self._threads, self.supplies, heartbeat, self._memories)

    def _publish_alive(self, id: str, body: bytes = b"") -> None:
        """May be called in any thread."""
        self._loop.call_soon_threadsafe(self.requests.publish, f"{ALIVE}.{self.settings.id}.{id}", body)

    # Presence

    def _present[T](self, work: Coroutine[Any, Any, T]) -> Coroutine[Any, Any, T]:
        """The work of its presence, in the loop that does it."""
        return self._liveness.do(work) if self._liveness else work

    def _is_alive(self) -> bool:
        """False when the loop has been blocked for so long that other nodes should take over its tasks."""
        return self._stalls is None or self._stalls.turned_within(max(_GONE_S, self.settings.lease_s))

    def _in_loop(self) -> list[str]:
        """Ids of the tasks whose code runs in the event loop."""
        return [id for id, attempt in self._slots.running.items() if attempt.skill and attempt.skill.is_async]

    def _figures(self) -> bytes:
        cpu, memory, disk = self._gauge.read()
        return msgspec.json.encode(
            Figures(
                self.incarnation,
                self.context.clock.now_ns(),
                len(self._slots.running),
                len(self._slots.queue),
                cpu,
                memory,
                disk,
                self.settings.lease_s,
            )
        )
