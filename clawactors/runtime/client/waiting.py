"""Waiting for tasks to end: a live tail per task, or one for all when there are many, closed by one read."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from functools import partial

from clawactors.fold import Folded, fold
from clawactors.runtime.ports import Live
from clawactors.tasks import TASK, Task
from clawactors.tasks.events import CODEC, AttemptFailed, Cancelled, Completed, Deleted, Expired, Interrupted
from eventlog import EventLog, FromTheFuture, Malformed, Record, Unavailable, aggregate_pattern, parse_subject

__all__ = ["Waiting"]

MANY = 64
_READ_AGAIN_S = 0.2


def _put(ended: asyncio.Queue[str], id: str, _: object) -> None:
    ended.put_nowait(id)


class Waiting:
    """Futures of tasks that have not ended yet."""

    def __init__(self, log: EventLog, live: Live) -> None:
        self._log, self._live = log, live
        self._futures: dict[str, asyncio.Future[None]] = {}
        self._stops: dict[str, Callable[[], None]] = {}
        self._stop_all: Callable[[], None] | None = None
        self._reading: set[asyncio.Task[None]] = set()

    def expect(self, ids: Iterable[str]) -> None:
        """From now on the end of these tasks will be noticed; call it before submitting and no read is needed."""
        fresh = [id for id in ids if id not in self._futures]
        loop = asyncio.get_running_loop()
        for id in fresh:
            self._futures[id] = loop.create_future()
        if self._stop_all is not None:
            return
        if len(self._futures) > MANY:
            self._stop_all = self._live.tail("claw.task.*.log", self._hear, self._gap)
            for stop in self._stops.values():
                stop()
            self._stops.clear()
        else:
            for id in fresh:
                self._stops[id] = self._live.tail(aggregate_pattern("task", id), self._hear, self._gap)

    def forget(self, id: str) -> None:
        """Nobody waits for it any more."""
        if (future := self._futures.pop(id, None)) is not None:
            future.cancel()
        if (stop := self._stops.pop(id, None)) is not None:
            stop()
        if not self._futures and self._stop_all is not None:
            self._stop_all()
            self._stop_all = None

    async def ended(self, id: str) -> None:
        """Returns when the task has ended; `expect` it first."""
        await asyncio.shield(self._futures[id])

    async def look(self, id: str) -> Folded[Task]:
        """Reads the task from the log; notices when it has ended."""
        known: Folded[Task] = Folded(Task())
        async for batch in self._log.read([aggregate_pattern("task", id)]):
            for record in batch:
                known = fold(TASK, CODEC, known, record)
        if TASK.is_final(known.state):
            self._resolve(id)
        return known

    def _hear(self, record: Record) -> None:
        address = parse_subject(record.subject)
        if address is None or address[1] not in self._futures:
            return
        try:
            last = CODEC.decode(record.body)[-1]
        except (Malformed, FromTheFuture):
            return
        match last:
            case Completed() | Cancelled() | Expired() | Deleted():
                self._resolve(address[1])
            case AttemptFailed() if last.then != "retry":
                self._resolve(address[1])
            case Interrupted() if last.dead:
                self._resolve(address[1])

    def _resolve(self, id: str) -> None:
        if (future := self._futures.get(id)) is not None and not future.done():
            future.set_result(None)

    def _gap(self) -> None:
        task = asyncio.ensure_future(self._look_at_all())
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def _look_at_all(self) -> None:
        for id in list(self._futures):
            while id in self._futures and not self._futures[id].done():
                with contextlib.suppress(Unavailable):
                    await self.look(id)
                    break
                await asyncio.sleep(_READ_AGAIN_S)

    async def each(self, ids: Iterable[str]) -> AsyncIterator[str]:
        """The ids, in the order in which the tasks end."""
        ended: asyncio.Queue[str] = asyncio.Queue()
        wanted = list(dict.fromkeys(ids))
        for id in wanted:
            self._futures[id].add_done_callback(partial(_put, ended, id))
        for _ in wanted:
            yield await ended.get()
