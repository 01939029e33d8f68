"""The memory actor: follows memories and chats, reads task histories in bulk, answers questions."""

import asyncio
import contextlib
from functools import partial
from pathlib import Path
from typing import Any, Final

from clawactors.eventlog import Record, Unavailable, aggregate_pattern
from clawactors.eventlog.leases import Leases
from clawactors.eventlog.requests import Requests
from clawactors.eventlog.sealing import Sealer
from clawactors.kernel.kind import Home, Kinds
from clawactors.memory.ingest.history_reader import HistoryReader, retry_while_unavailable
from clawactors.memory.ingest.message_extractor import jobs_in, submit_job
from clawactors.memory.item import ItemCommand
from clawactors.memory.models.parts import DEFAULT_PARTS, MemoryParts
from clawactors.memory.process.access import tells
from clawactors.memory.process.answers import Answers
from clawactors.memory.process.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from clawactors.memory.process.commands import MemoryCommands, StoreSnapshots
from clawactors.memory.process.consolidation import ConsolidationRunner
from clawactors.memory.process.following import Following
from clawactors.memory.process.guarding import guarding
from clawactors.memory.process.past import PastMemory, past_of
from clawactors.memory.process.plan import DEFAULT_PLAN, MemoryPlan
from clawactors.memory.process.questions import QUESTIONS
from clawactors.memory.process.renewing import Renewal
from clawactors.memory.process.store import MemoryStore
from clawactors.memory.process.uses import UseCounter
from clawactors.memory.process.writer import CommandWriter
from clawactors.memory.recall.levels import SENSORY_LIMIT, SensoryMemory, WorkingMemory
from clawactors.projections.past import BuildViews
from clawactors.runtime.client.sender import CommandSender
from clawactors.runtime.context import ActorContext
from clawactors.runtime.control.lookup import StateEndpoint
from clawactors.runtime.questions import Questions, track_time
from clawactors.systems.chats.kind import CHATS

__all__ = ["MemoryActor"]

_QUEUE: Final = "memory"
_WITHIN_S: Final = 15.0
_JOBS_WITHIN_S: Final = 2.0
_SAVE_EVERY: Final = 5_000
_SENSORY_PATTERNS: Final = ("claw.task.>", "claw.chat.>")
_SENSORY_RECORDS: Final = 4 * SENSORY_LIMIT
"""So many of the last records are searched for raw events; the others are of memories and nodes."""
_WORKING_MAX: Final = 200


class MemoryActor:
    """Call `listen`, then `serve` until cancelled. `kinds` are all kinds of the log.

    It asks control as the principal that `context.by` begins with; `requests` must use the inbox of that principal.
    """

    store: MemoryStore
    consolidation: ConsolidationRunner
    writer: CommandWriter
    commands: MemoryCommands
    histories: HistoryReader
    uses: UseCounter
    past: PastMemory | None

    def __init__(
        self,
        context: ActorContext,
        kinds: Kinds,
        leases: Leases,
        requests: Requests,
        folder: Path,
        plan: MemoryPlan = DEFAULT_PLAN,
        parts: MemoryParts = DEFAULT_PARTS,
        sealer: Sealer | None = None,
        build: BuildViews | None = None,
    ) -> None:
        self.context, self.requests = context, requests
        self._kinds, self.decoder, self._leases = kinds, kinds.decoder, leases
        self._folder, self.plan, self._parts = folder, plan, parts
        self._sealer = sealer
        self._build, self.past = build, None
        self._sensory = SensoryMemory()
        self._consolidation_name = f"consolidation/{context.by.rpartition('/')[2]}"
        self._last_ingested = 0
        """The log sequence of the last record that consolidation did not write."""
        self._principal = context.by.partition("/")[0]
        self._sender = CommandSender(context, requests, self._principal, "")
        self._answers = Answers(self)
        self._working: dict[str, WorkingMemory] = {}
        self._open, self._saved = asyncio.Event(), 0

    def replan(self, plan: MemoryPlan) -> None:
        """What it does by itself is this from now on."""
        self.plan = plan
        if self._open.is_set():
            self.consolidation.replan(plan)

    async def listen(self) -> None:
        """Accepts questions from now on; they wait until the store is open."""
        for name in QUESTIONS:
            answer = partial(self._answers.answer, name)
            # The short form is for the cluster's own account, the other names who asks.
            await self.requests.serve(f"claw.query.memory.{name}", partial(answer, ""), _QUEUE)
            await self.requests.answer(f"claw.query.*.memory.{name}", answer, queue=_QUEUE)

    async def serve(self) -> None:
        """Opens the store and works until cancelled, then saves. Raises: what the log raises, `Corrupt`.

        It waits for an unavailable log instead of ending, so that no question is lost by a restart.
        """
        opened = await retry_while_unavailable(self._begin)
        async with opened, asyncio.TaskGroup() as group:
            own = (self.store, self._rows, self._chats, self._renewal)
            group.create_task(track_time(Questions(self.requests, self._principal), self.context.time))
            for part in (*own, self.histories, self.consolidation, self.commands, self.uses):
                group.create_task(part.serve())
            self._open.set()

    async def _begin(self) -> contextlib.AsyncExitStack:
        """Opens store and index and follows the log from there, or leaves nothing open. Raises: what the log raises."""
        context = self.context
        context.time.measure((head := await context.log.head()).at_ns, context.time.asking())  # until control tells it
        self._identity = head.identity
        checkpoint = read_checkpoint(self._folder, head.identity)
        histories, messages = (
            seq if seq <= head.last_seq else 0 for seq in (checkpoint.histories, checkpoint.messages)
        )
        self._saved = histories
        async with contextlib.AsyncExitStack() as stack:
            self.store = await MemoryStore.open(context.log, self._folder, context.time.now_ns, self._parts)
            stack.push_async_callback(self.store.aclose)
            self.past = past_of(self.store, context.log, self._build)
            self._renewal = Renewal(self.store, self._sealer, self._drop_read)
            patterns = self.store.views.feed.projector.projection.patterns
            self._rows = Following(context.log, patterns, self.store.views.position, self._apply)
            snapshots = StoreSnapshots(self.store, self._rows)
            guard = guarding(self._state, context.time.now_ns)
            self.commands = MemoryCommands(context, self._kinds, snapshots, self._leases, self.requests, guard)
            self.writer = CommandWriter(self.commands.dispatcher, context.by)
            self.uses = UseCounter(self.writer)
            self.consolidation = ConsolidationRunner(
                self.store,
                CommandWriter(self.commands.dispatcher, self._consolidation_name),
                context.time.now_ns,
                checkpoint.consolidated,
                checkpoint.daily_ns,
                self.plan,
            )
            self.store.on_changes = self.consolidation.on_changes
            self.store.on_applied = self._answers.contexts.cache.changed
            self._answers.contexts.cache.changed(None)
            states = StateEndpoint(snapshots, self._kinds, Home.MEMORY, tells)
            self.histories = HistoryReader(context.log, self.decoder, self._write, histories, self._on_progress)
            self._chats = Following(context.log, [CHATS.pattern], messages, self._submit_jobs)
            stack.callback(self._save_checkpoint)
            for following in (self._rows, self._chats):
                await following.open()
                stack.push_async_callback(following.aclose)
            await states.open(self.requests, _QUEUE)
            stack.push_async_callback(states.aclose)
            stack.callback(self._open.clear)
            return stack.pop_all()

    # The log

    async def _apply(self, batch: list[Record]) -> None:
        ingested = (record.seq for record in batch if record.by != self._consolidation_name)
        self._last_ingested = max(ingested, default=self._last_ingested)
        commits = [self.decoder.decode(record) for record in batch]
        await self.store.views.apply(commits, batch[-1].seq)
        self._renewal.apply(commits)

    def _drop_read(self) -> None:
        self._working.clear()
        self._sensory = SensoryMemory()

    async def _submit_jobs(self, batch: list[Record]) -> None:
        if not self.plan.extracts:
            return
        jobs = [job for record in batch for job in jobs_in(self.decoder.decode(record))]
        await asyncio.gather(*(submit_job(self._sender, job) for job in jobs))

    async def _write(self, commands: list[ItemCommand]) -> int:
        return (await self.writer.write(commands)).last_seq

    def _on_progress(self) -> None:
        if self.histories.position >= self._saved + _SAVE_EVERY:
            self._save_checkpoint()

    def _save_checkpoint(self) -> None:
        self._saved = self.histories.position
        checkpoint = Checkpoint(
            self._identity, self._saved, self._chats.upto, self.consolidation.upto, self.consolidation.daily_ns
        )
        with contextlib.suppress(OSError):  # without a checkpoint the log is read again, nothing else
            write_checkpoint(self._folder, checkpoint)

    def _state(self, kind: str, id: str) -> Any:
        return self.store.views.snapshots.get(kind, id)[0].state

    # For answers

    async def opened(self) -> None:
        """Returns when questions can be answered. Raises: `Unavailable`."""
        try:
            async with asyncio.timeout(_WITHIN_S):
                await self._open.wait()
        except TimeoutError:
            raise Unavailable("memory is still reading the log: ask again in some seconds") from None

    async def fresh(self, *, concluded: bool = True) -> None:
        """Returns when everything that is in the log now has been ingested and is indexed. Raises: `Unavailable`.

        Without `concluded` it does not wait for what consolidation derives, which goes on all the time.
        """
        try:
            async with asyncio.timeout(_WITHIN_S):
                await asyncio.gather(self.histories.caught_up(), self._rows.caught_up(), self._jobs_submitted())
        except TimeoutError:
            raise Unavailable(f"memory is at {self.histories.position} of the log, not yet at its end") from None
        seq = max(self._rows.upto if concluded else self._last_ingested, self.histories.remembered)
        await self.store.reached(seq, _WITHIN_S)

    async def _jobs_submitted(self) -> None:
        """Waits for the jobs of all messages, but not for long: while no control process leads, none is done anyway."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_JOBS_WITHIN_S):
                await self._chats.caught_up()

    async def sensory(self) -> SensoryMemory:
        """The newest raw events, up to the end of the log."""
        end = (await self.context.log.head()).last_seq
        begin = max(self._sensory.seq, end - _SENSORY_RECORDS)
        async for records in self.context.log.read(_SENSORY_PATTERNS, after=begin, until=end):
            for record in records:
                self._sensory.add(self.decoder.decode(record))
        return self._sensory

    async def working(self, task: str) -> WorkingMemory:
        """The task's working memory, up to the end of the log."""
        if (working := self._working.get(task)) is None:
            working = self._working[task] = WorkingMemory(task)
            if len(self._working) > _WORKING_MAX:
                del self._working[next(iter(self._working))]
        async for records in self.context.log.read([aggregate_pattern("task", task)], after=working.seq):
            for record in records:
                working.apply(self.decoder.decode(record))
        return working
