"""Reads new task histories in bulk: once a second, and at once when an answer waits for them.

While there is nothing new, it reads less and less often, down to once every few seconds: an idle cluster costs nothing.

Tasks make up nearly all of the log. A follower, and the server that feeds it, wakes up for every few records; a reader
that polls spares both, and reads at once when a question needs it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

from clawactors.eventlog import Corrupt, EventLog, EventLogError, Misconfigured, Record, aggregate_pattern
from clawactors.eventlog.decoding import Decoder
from clawactors.memory.ingest.event_filter import EventFilter
from clawactors.memory.item import ItemCommand
from clawactors.runtime.seldom import SeldomLogger

__all__ = ["HistoryReader", "retry_while_unavailable"]

_PATTERN: Final = "claw.task.>"
_INTERVAL_S: Final = 1.0
_INTERVAL_MAX_S: Final = 4.0
_PAUSE_S: Final = 0.2

_log = logging.getLogger(__name__)
_seldom = SeldomLogger(_log)

type Write = Callable[[list[ItemCommand]], Awaitable[int]]
"""Writes commands durably; returns the log sequence of the last one, 0 if nothing changed."""


class HistoryReader:
    """`serve` writes the memories of task histories.

    `position` is the log sequence up to which histories were read, `remembered` that of the last memory they led to.
    `on_progress` is called after each batch.
    """

    def __init__(
        self, log: EventLog, decoder: Decoder, write: Write, position: int, on_progress: Callable[[], None]
    ) -> None:
        self.position, self.remembered = position, 0
        self._log, self._write, self._on_progress = log, write, on_progress
        self._filter = EventFilter(decoder)
        self._begun = self._ended = 0
        self._wanted, self._turn = asyncio.Event(), asyncio.Event()

    async def serve(self) -> None:
        """Reads until cancelled; waits while the log is unavailable. Raises: `Corrupt`, `Misconfigured`."""
        pause_s = _INTERVAL_S
        while True:
            self._wanted.clear()
            self._begun += 1
            before = self.position
            await retry_while_unavailable(self._read)
            pause_s = _INTERVAL_S if self.position > before else min(2 * pause_s, _INTERVAL_MAX_S)
            self._ended = self._begun
            turn, self._turn = self._turn, asyncio.Event()
            turn.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._wanted.wait()

    async def caught_up(self) -> None:
        """Returns when all records that were in the log at the call have been read."""
        reading = self._begun + 1  # the current reading may have begun before the latest record was written
        self._wanted.set()
        while self._ended < reading:
            await self._turn.wait()

    async def _read(self) -> None:
        head = await self._log.head()
        if head.last_seq <= self.position:
            return
        async for records in self._log.read([_PATTERN], after=self.position, until=head.last_seq):
            await self._remember(records)
            self.position = records[-1].seq
            self._on_progress()
        self.position = head.last_seq
        self._on_progress()

    async def _remember(self, records: Sequence[Record]) -> None:
        commands: list[ItemCommand] = []
        for record in records:
            try:
                found = self._filter.apply(record)
                if found is None:
                    found = self._filter.apply(record, await retry_while_unavailable(partial(self._before, record)))
                if found:
                    commands += found
            except EventLogError:
                raise
            except Exception:
                _log.exception("commit %d is skipped: no memory can be extracted from it", record.seq)
        if commands:
            self.remembered = max(self.remembered, await self._write(commands))

    async def _before(self, record: Record) -> list[Record]:
        pattern = aggregate_pattern("task", record.subject.split(".", 3)[2])
        return [each async for records in self._log.read([pattern], until=record.seq - 1) for each in records]


async def retry_while_unavailable[T](call: Callable[[], Awaitable[T]]) -> T:
    """The result of the call, repeated while the log is unavailable. Raises: `Corrupt`, `Misconfigured`."""
    while True:
        try:
            return await call()
        except (Corrupt, Misconfigured):
            raise
        except EventLogError as error:
            _seldom.warning("memory waits for the event log: %s", error)
            await asyncio.sleep(_PAUSE_S)
