"""Waiting for tasks to end: a live tail per task, or one for all when there are many, closed by a read where it has to.

1. Whoever expects a task forgets it again; it is listened for while anybody expects it.
2. What is heard wakes, what is read decides: a record made by hand, or one that this release can't read, is looked at.
3. What was heard from the first commit on, each on the version before it, is all there is: it is as good as read.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from functools import partial
from typing import Final

from clawactors.eventlog import (
    EventLog,
    FromTheFuture,
    Malformed,
    PermissionDenied,
    Record,
    Unavailable,
    aggregate_pattern,
    parse_subject,
)
from clawactors.kernel.fold import Snapshot, fold
from clawactors.runtime.ports import Live
from clawactors.systems.tasks import TASK, Task
from clawactors.systems.tasks.events import CODEC, AttemptFailed, Cancelled, Completed, Deleted, Expired, Interrupted
from clawactors.systems.tasks.kind import TASKS

__all__ = ["Waiting"]

MANY: Final = 64
_HEARD_MAX: Final = 32
_READ_AGAIN_S: Final = 0.2


def _whole(heard: list[Record]) -> Snapshot[Task] | None:
    """The task as these commits leave it, None where they are not all: the first is missing, or one in between."""
    if not 0 < len(heard) <= _HEARD_MAX:
        return None
    known: Snapshot[Task] = Snapshot(Task())
    for record in heard:
        if record.expected != known.version or record.seq <= known.version:
            return None
        known = fold(TASKS, known, record)
    return known if TASK.is_final(known.state) else None


class _Expected:
    """A task that somebody waits for; `on_end` is called once it is believed to have ended."""

    __slots__ = ("ended", "ended_at", "heard", "on_end", "stop", "waiters")

    def __init__(self) -> None:
        self.heard: list[Record] = []
        self.waiters = 0
        self.ended = False
        self.ended_at = 0  # version by which it has ended, as far as it was heard
        self.on_end: list[Callable[[], None]] = []
        self.stop: Callable[[], None] | None = None

    def end(self) -> None:
        self.ended = True
        calls, self.on_end = self.on_end, []
        for call in calls:
            call()

    def then(self, call: Callable[[], None]) -> None:
        if self.ended:
            call()
        else:
            self.on_end.append(call)

    async def wait(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self.then(partial(_release, waiter))
        await waiter


def _release(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():  # it may have been cancelled
        waiter.set_result(None)


class Waiting:
    """Tasks that somebody waits for."""

    def __init__(self, log: EventLog, live: Live) -> None:
        self._log, self._live = log, live
        self._expected: dict[str, _Expected] = {}
        self._stop_all: Callable[[], None] | None = None
        self._denied: PermissionDenied | None = None
        self._unclear: dict[str, None] = {}
        self._looking: asyncio.Task[None] | None = None

    def expect(self, ids: Iterable[str]) -> None:
        """From now on the end of these tasks will be noticed; call it before submitting and no read is needed.

        Each call is undone by a `forget` for each id.
        """
        if not self._expected:
            self._denied = None  # it may be allowed by now
        fresh: list[str] = []
        for id in dict.fromkeys(ids):
            if id not in self._expected:
                self._expected[id] = _Expected()
                fresh.append(id)
            self._expected[id].waiters += 1
        if self._stop_all is not None:
            return
        if len(self._expected) > MANY:
            self._stop_all = self._live.tail("claw.task.>", self._hear, self._gap, self._deny)
            for expected in self._expected.values():
                if expected.stop is not None:
                    expected.stop()
                    expected.stop = None
        else:
            for id in fresh:
                self._expected[id].stop = self._live.tail(
                    aggregate_pattern("task", id), self._hear, self._gap, self._deny
                )

    def forget(self, id: str) -> None:
        """One less waits for it."""
        expected = self._expected[id]
        expected.waiters -= 1
        if expected.waiters:
            return
        del self._expected[id]
        if expected.stop is not None:
            expected.stop()
        if not self._expected and self._stop_all is not None:
            self._stop_all()
            self._stop_all = None

    async def ended(self, id: str) -> Snapshot[Task]:
        """The task once it has ended, or once a later release has written to it; `expect` it first.

        Raises: `PermissionDenied` where this user may not listen for it.
        """
        while True:
            self._raise_denied()
            await self._expected[id].wait()
            self._raise_denied()
            known = _whole(self._expected[id].heard) or await self.look(id)
            if TASK.is_final(known.state) or known.frozen:
                return known
            if known.version < self._expected[id].ended_at:
                await asyncio.sleep(_READ_AGAIN_S)  # what was read is older than what was heard

    async def look(self, id: str) -> Snapshot[Task]:
        """Reads the task from the log; notices when it has ended."""
        known: Snapshot[Task] = Snapshot(Task())
        async for batch in self._log.read([aggregate_pattern("task", id)]):
            for record in batch:
                known = fold(TASKS, known, record)
        if (expected := self._expected.get(id)) is not None:
            if TASK.is_final(known.state) or known.frozen:
                self._resolve(id, known.version)
            elif expected.ended_at <= known.version:
                expected.ended = False  # it goes on: somebody made it
        return known

    def _hear(self, record: Record) -> None:
        address = parse_subject(record.subject)
        if address is None or address[1] not in self._expected:
            return
        _, id, to = address
        if (expected := self._expected[id]).stop is not None and len(expected.heard) <= _HEARD_MAX:
            expected.heard.append(record)
        if to and b'"task.scheduled"' in record.body:
            return  # given to a node: no end, and not worth decoding
        if record.expected < 0:
            self._look_soon((id,))
            return
        try:
            last = CODEC.decode(record.body)[-1]
        except Malformed:
            return
        except FromTheFuture:
            self._look_soon((id,))
            return
        match last:
            case Completed() | Cancelled() | Expired() | Deleted():
                self._resolve(id, record.seq)
            case AttemptFailed() if last.then != "retry":
                self._resolve(id, record.seq)
            case Interrupted() if last.dead:
                self._resolve(id, record.seq)

    def _resolve(self, id: str, version: int) -> None:
        if (expected := self._expected.get(id)) is not None:
            expected.ended_at = max(expected.ended_at, version)
            if not expected.ended:
                expected.end()

    def _deny(self, error: PermissionDenied) -> None:
        """Nothing will be heard, so nobody waits any longer."""
        self._denied = error
        for id in self._expected:
            self._resolve(id, 0)

    def _raise_denied(self) -> None:
        if self._denied is not None:
            raise self._denied

    def _gap(self) -> None:
        self._look_soon(self._expected)

    def _look_soon(self, ids: Iterable[str]) -> None:
        self._unclear.update(dict.fromkeys(ids))
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._look_at_unclear())

    async def _look_at_unclear(self) -> None:
        while self._unclear:
            id = next(iter(self._unclear))
            if id in self._expected and not self._expected[id].ended:
                try:
                    del self._unclear[id]  # before it is read: what comes meanwhile is looked at again
                    await self.look(id)
                except Unavailable:
                    self._unclear[id] = None
                    await asyncio.sleep(_READ_AGAIN_S)
            else:
                del self._unclear[id]

    async def each(self, ids: Iterable[str]) -> AsyncIterator[str]:
        """The ids, in the order in which the tasks end; `expect` them first. Raises: `PermissionDenied`."""
        self._raise_denied()
        ended: asyncio.Queue[str] = asyncio.Queue()
        wanted = list(dict.fromkeys(ids))
        for id in wanted:
            self._expected[id].then(partial(ended.put_nowait, id))
        for _ in wanted:
            id = await ended.get()
            self._raise_denied()
            yield id
