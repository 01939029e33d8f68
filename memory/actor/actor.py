"""The memory actor itself: memories and chats are followed, histories of tasks read in bulk, questions answered."""

import asyncio
import contextlib
from functools import partial
from pathlib import Path
from typing import Final

from clawactors.eventlog import Record, Unavailable, aggregate_pattern
from clawactors.eventlog.requests import Requests
from clawactors.kinds import DECODER
from clawactors.memory.actor.answers import Answers
from clawactors.memory.actor.consolidation import DAY_S, Consolidation
from clawactors.memory.actor.extraction import submit_job
from clawactors.memory.actor.following import Following
from clawactors.memory.actor.harvest import jobs_in
from clawactors.memory.actor.histories import Histories
from clawactors.memory.actor.marks import Checkpoint, read_marks, write_marks
from clawactors.memory.actor.patience import retry_while_unavailable
from clawactors.memory.actor.questions import QUESTIONS
from clawactors.memory.actor.stock import MemoryStore
from clawactors.memory.actor.writer import OrderWriter
from clawactors.memory.level import SENSES, Sensory, Working
from clawactors.runtime.actor import ActorContext

__all__ = ["MemoryActor"]

_QUEUE: Final = "memory"
_OPENED_S: Final = 15.0
_FRESH_S: Final = 15.0
_MARK_EVERY: Final = 5_000
_SENSED: Final = ("claw.task.>", "claw.chat.>")
_SENSED_OF: Final = 4 * SENSES
"""Among so many records the newest raw ones are looked for; the others are memories and nodes."""
_WORKING_MAX: Final = 200


class MemoryActor:
    """`listen`, then `serve` until cancelled."""

    stock: MemoryStore
    consolidation: Consolidation
    writer: OrderWriter
    histories: Histories

    def __init__(self, context: ActorContext, requests: Requests, folder: Path, every_s: float = DAY_S) -> None:
        self.context, self.requests = context, requests
        self._folder, self._every_s = folder, every_s
        self._sensory = Sensory()
        self._thinking = f"consolidation/{context.by.rpartition('/')[2]}"
        self._owed = 0
        """The last memory that was not concluded from others."""
        self._answers = Answers(self)
        self._working: dict[str, Working] = {}
        self._open = asyncio.Event()
        self._marked = 0

    async def listen(self) -> None:
        """Takes questions from now on; they wait until it is open."""
        for name in QUESTIONS:
            answer = partial(self._answers.answer, name)
            await self.requests.serve(f"claw.query.memory.{name}", answer, _QUEUE)

    async def serve(self) -> None:
        """Opens what it has and works, until cancelled; then saves. Raises: what the log raises, `Corrupt`.

        A log that is away is waited for, so that no question is lost by a new start.
        """
        begun = await retry_while_unavailable(self._begin)
        async with begun, asyncio.TaskGroup() as group:
            for part in (self.stock, self._rows, self._chats, self.histories, self.consolidation):
                group.create_task(part.serve())
            self._open.set()

    async def _begin(self) -> contextlib.AsyncExitStack:
        """Opens rows and index and follows the log from there, or leaves nothing open. Raises: what the log raises."""
        context = self.context
        head = await context.log.head()
        context.time.hear(head.at_ns)
        self._identity = head.identity
        marks = read_marks(self._folder, head.identity)
        told, heard = (mark if mark <= head.last_seq else 0 for mark in (marks.told, marks.heard))
        self._marked = told
        async with contextlib.AsyncExitStack() as stack:
            self.stock = await MemoryStore.open(context.log, self._folder, context.time.now_ns)
            stack.push_async_callback(self.stock.aclose)
            self.writer = OrderWriter(context, self.stock.known)
            thinking = ActorContext(context.log, context.clock, self._thinking)
            self.consolidation = Consolidation(
                self.stock,
                OrderWriter(thinking, self.stock.known),
                context.time.now_ns,
                marks.consolidated,
                marks.daily_ns,
                self._every_s,
            )
            self.stock.on_changes = self.consolidation.notice
            self.histories = Histories(context, self.writer, told, self._told)
            self._rows = Following(context.log, "claw.memory.>", self.stock.views.position, self._put)
            self._chats = Following(context.log, "claw.chat.>", heard, self._hear)
            stack.callback(self._mark)
            for following in (self._rows, self._chats):
                await following.open()
                stack.push_async_callback(following.aclose)
            stack.callback(self._open.clear)
            return stack.pop_all()

    # The log

    async def _put(self, batch: list[Record]) -> None:
        """Memories go into rows and index."""
        self.context.time.hear(batch[-1].at_ns)
        self._owed = max((record.seq for record in batch if record.by != self._thinking), default=self._owed)
        await self.stock.views.apply([DECODER.decode(record) for record in batch], batch[-1].seq)

    async def _hear(self, batch: list[Record]) -> None:
        """Messages become jobs."""
        jobs = [job for record in batch for job in jobs_in(DECODER.decode(record))]
        await asyncio.gather(*(submit_job(self.context, job) for job in jobs))

    def _told(self) -> None:
        if self.histories.told >= self._marked + _MARK_EVERY:
            self._mark()

    def _mark(self) -> None:
        """Notes how far it has come; what can't be written is looked at again."""
        self._marked = self.histories.told
        marks = Checkpoint(
            self._identity, self._marked, self._chats.upto, self.consolidation.upto, self.consolidation.daily_ns
        )
        with contextlib.suppress(OSError):
            write_marks(self._folder, marks)

    # What answers need

    async def opened(self) -> None:
        """Returns when questions can be answered. Raises: `Unavailable`."""
        try:
            async with asyncio.timeout(_OPENED_S):
                await self._open.wait()
        except TimeoutError:
            raise Unavailable("memory is still reading the log") from None

    async def fresh(self, *, concluded: bool = True) -> None:
        """Returns when all that is in the log now has been told, and is found. Raises: `Unavailable`.

        Without `concluded` it does not wait for what consolidation concludes from others: that goes on all the time.
        """
        try:
            async with asyncio.timeout(_FRESH_S):
                await asyncio.gather(*(part.caught_up() for part in (self.histories, self._chats, self._rows)))
        except TimeoutError:
            raise Unavailable(f"memory is at {self.histories.told} of the log, not yet at its end") from None
        await self.stock.reached(max(self._rows.upto if concluded else self._owed, self.histories.remembered), _FRESH_S)

    async def sensory(self) -> Sensory:
        """The newest raw events, as the log has them by now."""
        end = (await self.context.log.head()).last_seq
        begin = max(self._sensory.seq, end - _SENSED_OF)
        async for records in self.context.log.read(_SENSED, after=begin, until=end):
            for record in records:
                self._sensory.sense(DECODER.decode(record))
        return self._sensory

    async def working(self, task: str) -> Working:
        """What the task has at hand, as the log has it by now."""
        working = self._working.get(task)
        if working is None:
            working = self._working[task] = Working(task)
            if len(self._working) > _WORKING_MAX:
                del self._working[next(iter(self._working))]
        async for records in self.context.log.read([aggregate_pattern("task", task)], after=working.seq):
            for record in records:
                working.fold(DECODER.decode(record))
        return working
