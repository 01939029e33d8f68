"""The memory actor itself: one follower of tasks, chats and memories, fanned out; questions answered beside it."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from clawactors.kinds import DECODER
from clawactors.runtime.actor import Desk
from clawactors.runtime.ports import Requests
from eventlog import EventLogError, Follower, Head, Record, Unavailable, aggregate_pattern
from memory.actor.answers import Answers
from memory.actor.consolidation import DAY_S, Consolidation
from memory.actor.extraction import submit_job
from memory.actor.harvest import Harvest, Job
from memory.actor.marks import Marks, read_marks, write_marks
from memory.actor.questions import QUESTIONS
from memory.actor.stock import Stock
from memory.actor.writer import OrderWriter
from memory.consolidation import Order
from memory.index.writer import Change
from memory.level import SENSES, Sensory, Working

__all__ = ["PATTERNS", "MemoryActor"]

PATTERNS: Final = ("claw.task.>", "claw.chat.>", "claw.memory.>")

_CHATS: Final = "claw.chat."
_MEMORIES: Final = "claw.memory."
_QUEUE: Final = "memory"
_OPENED_S: Final = 15.0
_FRESH_S: Final = 15.0
_MARK_EVERY: Final = 5_000
_PAUSE_S: Final = 0.2
_WORKING_MAX: Final = 200

_log = logging.getLogger(__name__)


class MemoryActor:
    """`listen`, then `serve` until cancelled. `told` is the sequence up to which histories have become memories."""

    stock: Stock
    consolidation: Consolidation
    writer: OrderWriter

    def __init__(self, desk: Desk, requests: Requests, folder: Path, every_s: float = DAY_S) -> None:
        self.desk, self.requests = desk, requests
        self.told = 0
        self._folder, self._every_s = folder, every_s
        self._harvest = Harvest()
        self._sensed: deque[Record] = deque(maxlen=SENSES)
        self._answers = Answers(self)
        self._working: dict[str, Working] = {}
        self._open = asyncio.Event()
        self._handed = self._handled = self._remembered = 0
        self._turn = asyncio.Event()
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
        await self._patiently(self._begin)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.stock.serve())
                group.create_task(self._fold(self._follower))
                group.create_task(self.consolidation.serve())
                self._open.set()
        finally:
            self._open.clear()
            await self._follower.aclose()
            await self.stock.aclose()
            self._mark()

    async def _begin(self) -> None:
        """Opens rows and index and follows the log from there, or leaves nothing open. Raises: what the log raises."""
        head = await self.desk.log.head()
        self.desk.time.hear(head.at_ns)
        self._identity = head.identity
        marks = read_marks(self._folder, head.identity)
        self.stock = await Stock.open(self.desk.log, self._folder, self.desk.time.now_ns)
        try:
            await self._follow(head, marks)
        except EventLogError:
            await self.stock.aclose()
            raise

    async def _follow(self, head: Head, marks: Marks) -> None:
        self.writer = OrderWriter(self.desk, self.stock.known)
        self.told = self._marked = self._handled = marks.told if marks.told <= head.last_seq else 0
        self.consolidation = Consolidation(
            self.stock, self.writer, self.desk.time.now_ns, marks.consolidated, marks.daily_ns, self._every_s
        )
        self.stock.on_changes = self._changed
        await self._sense(head.last_seq)
        after = min(self.told, self.stock.views.position)
        self._follower: Follower = await self.desk.log.follow(PATTERNS, after=after)
        self._handed = self._remembered = after

    async def _patiently[T](self, call: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await call()
            except Unavailable as error:
                _log.info("memory has to wait: %s", error)
                await asyncio.sleep(_PAUSE_S)

    async def _sense(self, last_seq: int) -> None:
        """Fills the sensory level from the log."""
        self._sensed.clear()
        async for records in self.desk.log.read(PATTERNS[:2], after=max(0, last_seq - SENSES), until=last_seq):
            self._sensed += records

    def sensory(self) -> Sensory:
        """The newest raw events; they are decoded only when somebody asks."""
        sensory = Sensory()
        for record in self._sensed:
            sensory.sense(DECODER.decode(record))
        return sensory

    def _changed(self, changes: list[Change]) -> None:
        self.consolidation.notice(changes)

    # The log

    async def _fold(self, follower: Follower) -> None:
        async for batch in follower:
            self._handed = batch[-1].seq
            self.desk.time.hear(batch[-1].at_ns)
            remembered = [record for record in batch if record.subject.startswith(_MEMORIES)]
            if remembered:
                self._remembered = max(self._remembered, remembered[-1].seq)
            # Where nothing is remembered, rows need not be written either but now and then.
            taken = self.stock.views.feed.taken
            if remembered or batch[-1].seq >= taken + _MARK_EVERY:
                fresh = [DECODER.decode(record) for record in remembered if record.seq > taken]
                await self.stock.views.apply(fresh, batch[-1].seq)
            await self._tell([record for record in batch if not record.subject.startswith(_MEMORIES)])
            self._done(batch[-1].seq)
        raise Unavailable("the log is followed no longer")

    def _done(self, seq: int) -> None:
        self._handled = seq
        self.told = max(self.told, seq)
        if self.told >= self._marked + _MARK_EVERY:
            self._mark()
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()

    async def _tell(self, records: Sequence[Record]) -> None:
        """Appends the memories that task histories lead to, and makes jobs of messages."""
        orders: list[Order] = []
        jobs: list[Job] = []
        sensed = self._sensed[-1].seq if self._sensed else 0
        self._sensed += [record for record in records[-SENSES:] if record.seq > sensed]
        for record in records:
            if record.seq <= self.told:
                continue
            try:
                if record.subject.startswith(_CHATS):
                    jobs += self._harvest.jobs(DECODER.decode(record))
                else:
                    lacks = self._harvest.lacks(record)
                    before = await self._patiently(partial(self._before, record)) if lacks else ()
                    orders += self._harvest.take(record, before)
            except EventLogError:
                raise
            except Exception:
                _log.exception("commit %d is not remembered; the others are", record.seq)
        if orders:
            written = await self.writer.write(orders)
            self._remembered = max(self._remembered, written.last_seq)
        if jobs:
            await asyncio.gather(*(submit_job(self.desk, job) for job in jobs))

    async def _before(self, record: Record) -> list[Record]:
        pattern = aggregate_pattern("task", record.subject.split(".", 3)[2])
        return [each async for records in self.desk.log.read([pattern], until=record.seq - 1) for each in records]

    def _mark(self) -> None:
        """Notes how far it has come; what can't be written is looked at again."""
        self._marked = self.told
        consolidation = self.consolidation
        with contextlib.suppress(OSError):
            write_marks(self._folder, Marks(self._identity, self.told, consolidation.upto, consolidation.daily_ns))

    # What answers need

    async def opened(self) -> None:
        """Returns when questions can be answered. Raises: `Unavailable`."""
        try:
            async with asyncio.timeout(_OPENED_S):
                await self._open.wait()
        except TimeoutError:
            raise Unavailable("memory is still reading the log") from None

    async def fresh(self) -> None:
        """Returns when all that is in the log now has been told, and is found. Raises: `Unavailable`."""
        try:
            async with asyncio.timeout(_FRESH_S):
                await self._follower.caught_up()
                handed = self._handed
                while self._handled < handed:
                    await self._turn.wait()
        except TimeoutError:
            raise Unavailable(f"memory is at {self._handled} of the log, not yet at its end") from None
        await self.stock.reached(self._remembered, _FRESH_S)

    async def working(self, task: str) -> Working:
        """What the task has at hand, as the log has it by now."""
        working = self._working.get(task)
        if working is None:
            working = self._working[task] = Working(task)
            if len(self._working) > _WORKING_MAX:
                del self._working[next(iter(self._working))]
        async for records in self.desk.log.read([aggregate_pattern("task", task)], after=working.seq):
            for record in records:
                working.fold(DECODER.decode(record))
        return working
