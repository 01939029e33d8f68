"""What tasks went through, read in bulk: all that is new, once a second, and at once when somebody waits for it.

While nothing happens it looks ever more seldom, up to every few seconds: an idle cluster has nothing to pay for.

Running tasks make nearly all of the log. Who follows it is woken for every few records, and so is the server that
sends them; who comes by now and then spares both, and whoever asks does not notice.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from clawactors.eventlog import EventLogError, Record, aggregate_pattern
from clawactors.memory.actor.harvest import EventFilter
from clawactors.memory.actor.patience import retry_while_unavailable
from clawactors.memory.actor.writer import OrderWriter
from clawactors.memory.consolidation import Order
from clawactors.runtime.actor import ActorContext

__all__ = ["Histories"]

_PATTERN: Final = "claw.task.>"
_PACE_S: Final = 1.0
_SLOWEST_S: Final = 4.0

_log = logging.getLogger(__name__)


class Histories:
    """`serve` appends the memories that histories lead to.

    `told` is the sequence up to which that is done, `remembered` that of the last memory which came of it; `on_told`
    is called when there was something new.
    """

    def __init__(self, context: ActorContext, writer: OrderWriter, told: int, on_told: Callable[[], None]) -> None:
        self.told, self.remembered = told, 0
        self._context, self._writer, self._on_told = context, writer, on_told
        self._harvest = EventFilter()
        self._begun = self._ended = 0
        self._wanted, self._turn = asyncio.Event(), asyncio.Event()

    async def serve(self) -> None:
        """Reads on, until cancelled; a log that is away is waited for. Raises: `Corrupt`, `Misconfigured`."""
        pause_s = _PACE_S
        while True:
            self._wanted.clear()
            self._begun += 1
            told = self.told
            await retry_while_unavailable(self._read)
            pause_s = _PACE_S if self.told > told else min(2 * pause_s, _SLOWEST_S)
            self._ended = self._begun
            turn, self._turn = self._turn, asyncio.Event()
            turn.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._wanted.wait()

    async def caught_up(self) -> None:
        """Returns when all that was in the log at the call has been told."""
        reading = self._begun + 1  # the one under way may have begun before what is asked for was there
        self._wanted.set()
        while self._ended < reading:
            await self._turn.wait()

    async def _read(self) -> None:
        head = await self._context.log.head()
        if head.last_seq <= self.told:
            return
        async for records in self._context.log.read([_PATTERN], after=self.told, until=head.last_seq):
            await self._tell(records)
            self.told = records[-1].seq
            self._on_told()
        self.told = head.last_seq
        self._on_told()

    async def _tell(self, records: Sequence[Record]) -> None:
        orders: list[Order] = []
        for record in records:
            try:
                found = self._harvest.take(record)
                if found is None:
                    found = self._harvest.take(record, await retry_while_unavailable(partial(self._before, record)))
                if found:
                    orders += found
            except EventLogError:
                raise
            except Exception:
                _log.exception("commit %d is not remembered; the others are", record.seq)
        if orders:
            written = await self._writer.write(orders)
            self.remembered = max(self.remembered, written.last_seq)

    async def _before(self, record: Record) -> list[Record]:
        pattern = aggregate_pattern("task", record.subject.split(".", 3)[2])
        return [each async for records in self._context.log.read([pattern], until=record.seq - 1) for each in records]
