"""The node actor: joins as a new incarnation, runs what it is given in its slots, hands the rest back when it stops.

1. The node has the last word: it runs at most `slots` tasks at a time and keeps the others in order.
2. What is addressed to another incarnation is none of its business.
3. When it learns that it was believed dead, everything it has is over; it says so and offers itself again.
4. What came in between is read before code runs. Of tasks that have seen several nodes die, it runs one at a time.
"""

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from clawactors.eventlog import (
    EventLogError,
    Follower,
    FromTheFuture,
    Malformed,
    Misconfigured,
    PermissionDenied,
    Record,
    Unavailable,
    aggregate_pattern,
    is_id,
    parse_subject,
)
from clawactors.eventlog.leases import Leases
from clawactors.eventlog.requests import Requests
from clawactors.kernel.errors import Refused
from clawactors.runtime.actor import Actor, ActorContext
from clawactors.runtime.memory import Memories
from clawactors.runtime.naming import new_id
from clawactors.runtime.node.liveness import LivenessThread, StallMonitor
from clawactors.runtime.node.machine import LEASE_S, Figures, Gauge, this_machine
from clawactors.runtime.node.metrics import ALIVE, NodeMetrics
from clawactors.runtime.node.presence import BEATS_PER_LEASE, Presence
from clawactors.runtime.node.recording import WritingRecorder
from clawactors.runtime.node.run import Assignment, Stop, TaskRun
from clawactors.runtime.node.supplies import Supplies
from clawactors.runtime.node.threads import DaemonThreads
from clawactors.systems.nodes import Node
from clawactors.systems.nodes import commands as nc
from clawactors.systems.nodes import events as ne
from clawactors.systems.nodes.kind import NODES
from clawactors.systems.skills import Skill
from clawactors.systems.tasks import commands as tc
from clawactors.systems.tasks import events as te
from clawactors.systems.tasks.kind import TASKS

__all__ = ["NodeActor", "NodeSettings"]

_LAST_WORD_S = 1.0
_RECORD_S = 3.0
_GONE_S = 30.0

SUSPECT = 2
"""Nodes that a task has seen die in a row, without a new step, before it runs apart from others like it."""

_log = logging.getLogger(__name__)


class NodeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a node is told at its start."""

    id: str
    slots: int = 5
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
        apart: LivenessThread | None = None,
    ) -> None:
        self.context, self.requests, self.settings = context, requests, settings
        self.supplies = supplies
        self.skills: Mapping[str, Skill] = {skill.name: skill for skill in skills}
        self.id, self.incarnation = settings.id, new_id()
        self.slots = settings.slots
        self.actor: Actor[nc.NodeCommand, Node, ne.NodeEvent] = Actor(context, NODES, self.id)
        self._queue: OrderedDict[str, Assignment] = OrderedDict()  # a dict gets slow where the first goes and goes
        self._runs: dict[str, TaskRun] = {}
        self._apart = apart
        self._stalls = StallMonitor(context.clock, apart, self.id, self._in_loop) if apart else None
        self._presence = Presence(
            apart.leases if apart else leases,
            apart.requests if apart else requests,
            context.clock,
            self.id,
            self.incarnation,
            settings.lease_s,
            self._figures,
            self._loop_turns,
        )
        self._suspects: set[str] = set()
        self._work: set[asyncio.Task[None]] = set()
        self._threads = DaemonThreads(f"skill-{self.id}")
        self._memories = Memories(WritingRecorder(context), requests)
        self._draining = False
        self._stopped = asyncio.Event()
        self._superseded = False
        self._denied: PermissionDenied | None = None
        self._heeded = Node()
        self._open = contextlib.AsyncExitStack()
        self._idle = asyncio.Event()
        self._idle.set()

    async def start(self) -> None:
        """In place when it returns: the lease is held, the join is in the log, assignments are heard.

        Raises: `Refused` when a node with this id is alive; what the log raises.
        """
        self._loop = asyncio.get_running_loop()
        self._gauge = Gauge(self.settings.folder)
        try:
            await self._join()
        except BaseException:
            await self._open.aclose()
            raise

    async def _join(self) -> None:
        # Listen before joining: nothing that is addressed to this incarnation can be missed.
        self._given: Follower = await self.context.log.follow([f"claw.task.*.to.{self.id}"])
        self._open.push_async_callback(self._given.aclose)
        self._told: Follower = await self.context.log.follow([aggregate_pattern("node", self.id)])
        self._open.push_async_callback(self._told.aclose)
        self._open.push_async_callback(lambda: self._present(self._presence.aclose()))
        await self._present(self._presence.open())
        await self.actor.catch_up()
        joined = ne.NodeJoined(
            incarnation=self.incarnation,
            slots=self.slots,
            offers=tuple(self._offer(skill) for skill in self.skills.values()),
            affinity=self.settings.affinity,
            machine=this_machine(),
        )
        try:
            await self.actor.handle(nc.JoinNode(joined))
        except BaseException:
            await self._present(self._presence.give_up())
            raise
        self._heeded = self.actor.state

    def _offer(self, skill: Skill) -> ne.Offer:
        lacks = self.supplies.secrets.lacking(skill.secrets)
        return replace(skill.offer, lacks=lacks) if lacks else skill.offer

    async def serve(self) -> None:
        """Works until it is stopped; returns when everything is handed back.

        Raises: `PermissionDenied` when it may not record what it runs; what the log raises.
        """
        work = [
            asyncio.ensure_future(self._present(self._presence.beat())),
            asyncio.ensure_future(self._take_work()),
        ]
        if self._stalls is not None:
            work.append(asyncio.ensure_future(self._stalls.serve()))
        end = [asyncio.ensure_future(self._hear_of_itself()), asyncio.ensure_future(self._stopped.wait())]
        try:
            done, _ = await asyncio.wait((*work, *end), return_when=asyncio.FIRST_COMPLETED)
            if not self._superseded:
                await self._hand_back()
            for task in done:
                task.result()
            if self._denied is not None:
                raise self._denied
        finally:
            for task in (*work, *end):
                task.cancel()
            await self._open.aclose()

    def stop(self) -> None:
        """Asks it to finish: `serve` hands everything back and returns."""
        self._stopped.set()

    # Presence

    def _present[T](self, work: Coroutine[Any, Any, T]) -> Coroutine[Any, Any, T]:
        """The work of its presence, in the loop that does it."""
        return self._apart.do(work) if self._apart else work

    def _loop_turns(self) -> bool:
        """False when the loop has stood still for so long that its tasks are better off elsewhere."""
        return self._stalls is None or self._stalls.turned_within(max(_GONE_S, self.settings.lease_s))

    def _in_loop(self) -> list[str]:
        return [id for id, run in self._runs.items() if run.skill is not None and run.skill.is_async]

    def _figures(self) -> bytes:
        cpu, memory, disk = self._gauge.read()
        return msgspec.json.encode(
            Figures(
                self.incarnation,
                self.context.clock.now_ns(),
                len(self._runs),
                len(self._queue),
                cpu,
                memory,
                disk,
                self.settings.lease_s,
            )
        )

    # Work

    async def _take_work(self) -> None:
        async for batch in self._given:
            for record in batch:
                self.context.time.hear(record.at_ns)
                address = parse_subject(record.subject)
                if address is not None and is_id(address[1]):
                    self._on_task(address[1], record)
            self._fill_slots()

    async def _hear_of_itself(self) -> None:
        """Returns when another incarnation has taken its place."""
        async for batch in self._told:
            for record in batch:
                await self._on_node(record)
            if self._superseded:
                return
            self._fill_slots()

    def _on_task(self, id: str, record: Record) -> None:
        try:
            events = te.CODEC.decode(record.body)
        except (Malformed, FromTheFuture):
            events = ()  # counted by the views
        given = next((event for event in events if isinstance(event, te.Scheduled)), None)
        if (run := self._runs.get(id)) is not None:
            self._spawn(run.observe(record))  # which finds out whether it is over
        by_hand = record.expected < 0
        made = events[0] if len(events) == 2 and isinstance(events[0], te.Submitted) else None
        if given is not None and made is not None:
            given = replace(given, params=made.params)  # which stand once in the commit that makes the task
        if given is not None and given.incarnation == self.incarnation and not (by_hand and id in self._queue):
            self._take(
                Assignment(id, record.seq, given, record.at_ns, unsure=by_hand or (len(events) > 1 and made is None))
            )
        elif (queued := self._queue.get(id)) is not None:
            self._queue[id] = replace(queued, unsure=True)

    def _take(self, assignment: Assignment) -> None:
        if self._draining:
            self._spawn(self._patiently(lambda: self._return(assignment)))
        else:
            self._queue[assignment.id] = assignment

    def _fill_slots(self) -> None:
        while self._queue and len(self._runs) < self.slots and not self._draining:
            id = next((id for id, assignment in self._queue.items() if self._may_run(assignment)), None)
            if id is None:
                return
            assignment = self._queue.pop(id)
            pulse = NodeMetrics(self.context.clock, partial(self._tell_alive, id))
            skill = self.skills.get(assignment.event.skill)
            run = TaskRun(self.context, assignment, skill, self._threads, self.supplies, pulse, self._memories)
            self._runs[id] = run
            if assignment.event.interruptions >= SUSPECT:
                self._suspects.add(id)
                run.on_cleared = partial(self._clear, id)
            self._idle.clear()
            self._spawn(self._live(run))

    def _tell_alive(self, id: str) -> None:
        """May be called in any thread."""
        self._loop.call_soon_threadsafe(self.requests.publish, f"{ALIVE}.{id}", b"")

    def _may_run(self, assignment: Assignment) -> bool:
        if assignment.id in self._runs:
            return False
        return assignment.event.interruptions < SUSPECT or not self._suspects

    def _clear(self, id: str) -> None:
        self._suspects.discard(id)
        self._fill_slots()

    async def _live(self, run: TaskRun) -> None:
        try:
            await run.run()
        except PermissionDenied as error:
            self._deny(error)
        except Exception as error:
            _log.error("node %s: task %s: %s", self.id, run.id, error, exc_info=error)
            reason = f"node {self.id} could not record it: {error}"
            # It keeps its slot for as long as the log has it running.
            await self._patiently(lambda: self._interrupt(run, reason))
        finally:
            del self._runs[run.id]
            if not self._runs:
                self._idle.set()
            self._clear(run.id)

    def _deny(self, error: PermissionDenied) -> None:
        """It may not record what becomes of its tasks: it ends, and says so once, however many it has."""
        self._denied = error
        self.stop()

    async def _interrupt(self, run: TaskRun, reason: str) -> None:
        actor = Actor(self.context, TASKS, run.id)
        with contextlib.suppress(Refused):
            await actor.catch_up()
            await actor.handle(tc.Interrupt(run.fence, reason))

    async def _patiently(self, call: Callable[[], Awaitable[Any]]) -> None:
        while True:
            try:
                await call()
                return
            except Unavailable:
                pass
            except PermissionDenied as error:
                self._deny(error)
                return
            except Misconfigured as error:
                _log.error("node %s: %s", self.id, error)
            await asyncio.sleep(self.settings.lease_s / BEATS_PER_LEASE)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.Task(coroutine, loop=self._loop, eager_start=True)
        self._work.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("node %s: %s", self.id, error, exc_info=error)

    # What happens to the node itself

    async def _on_node(self, record: Record) -> None:
        try:
            if not self.actor.observe(record):
                await self._patiently(self.actor.catch_up)
        except Refused as refusal:
            if self.actor.frozen:
                _log.error("node %s: %s", self.id, refusal)  # else it concerns a command, and whoever gave it is told
        self._heed(self.actor.state)

    def _heed(self, node: Node) -> None:
        """Acts on what has become of the node since the last time; its own appends count as well as others'."""
        before, self._heeded = self._heeded, node
        if node is before:
            return
        if node.incarnation != self.incarnation:
            if before.incarnation == self.incarnation:
                self._superseded = True
                self._queue.clear()
                self._stop_all("superseded")
            return
        self.slots = node.joined.slots
        if node.status == "offline":
            if before.status != "offline" and not node.left and not self._stopped.is_set():
                self._spawn(self._come_back())
        elif node.status == "draining":
            if not self._draining:
                self._draining = True
                self._spawn(self._return_queue())
        elif node.status == "online":
            self._draining = self._stopped.is_set()

    def _stop_all(self, why: Stop) -> None:
        for run in list(self._runs.values()):
            run.stop(why)

    async def _come_back(self) -> None:
        """What it has is given up by itself, for whoever believed it dead may not be there to do it."""
        self._stop_all("lost")
        self._spawn(self._return_queue())
        with contextlib.suppress(Refused):
            await self._patiently(lambda: self.actor.handle(nc.ReturnNode(self.incarnation)))

    # The end

    async def _return_queue(self) -> None:
        queued, self._queue = list(self._queue.values()), OrderedDict()
        await asyncio.gather(*(self._patiently(partial(self._return, assignment)) for assignment in queued))

    async def _return(self, assignment: Assignment) -> None:
        known = None if assignment.unsure else assignment.known
        actor = Actor(self.context, TASKS, assignment.id, known)
        with contextlib.suppress(Refused):  # somebody else moved it
            if assignment.unsure:
                await actor.catch_up()
            await actor.handle(tc.Return(assignment.fence, f"node {self.id} gives back its queue"))

    async def _hand_back(self) -> None:
        """Drains: no new work, the queue goes back, running tasks get the grace time to reach their next step."""
        self._draining = True
        await self._say(nc.DrainNode())
        self._stop_all("drain")
        returned = asyncio.ensure_future(self._return_queue())
        if not await self._is_idle_within(self.settings.grace_s):
            for run in list(self._runs.values()):
                run.stop_now()
            if not await self._is_idle_within(_LAST_WORD_S):
                for run in list(self._runs.values()):
                    run.leave()
                await self._is_idle_within(_LAST_WORD_S)  # what can't even be recorded is recovered elsewhere
        await asyncio.wait((returned,), timeout=_LAST_WORD_S)
        returned.cancel()
        await self._say(nc.LeaveNode(self.incarnation, "stopped"))
        await self._present(self._presence.give_up())

    async def _say(self, command: nc.NodeCommand) -> None:
        """Records what becomes of the node, unless the log is not there to hear of it."""
        with contextlib.suppress(Refused, EventLogError, TimeoutError):
            async with asyncio.timeout(_RECORD_S):
                await self.actor.handle(command)

    async def _is_idle_within(self, wait_s: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._idle.wait()
        return self._idle.is_set()
