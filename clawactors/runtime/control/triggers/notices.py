"""Works off the log for one rule that notifies: what comes together goes out as one message.

1. A message waits until nothing has come for `QUIET_S`, `LONGEST_S` at most, and for the pause of its rule.
2. Of what waits, only counts and a few lines are in memory. The position stays before it, so a crash gathers it again.
3. A message is named by its rule and its first event: sent again after a crash, it has the same id.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from contextlib import aclosing
from typing import Any, Final, override

import msgspec

from clawactors.eventlog import EventLogError, Record
from clawactors.kernel.errors import Refused
from clawactors.kernel.fold import Snapshot
from clawactors.kernel.kind import Kinds
from clawactors.runtime.control.triggers.deliveries import DeliveryFailed, Occurrence
from clawactors.runtime.control.triggers.noticer import Noticer
from clawactors.runtime.control.triggers.run import TriggerRun
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.runtime.notifications.words import Gathered, Happening
from clawactors.systems.triggers import Trigger
from clawactors.systems.triggers.events import Place, TriggerPlan

__all__ = ["LONGEST_S", "QUIET_S", "NoticeRun"]

QUIET_S: Final = 3.0
LONGEST_S: Final = 60.0
_AGAIN_S: Final = 0.2
_AT_ONCE: Final = 500
"""Records between two looks at what else is to be done."""

_log = logging.getLogger(__name__)


class _Batch:
    """What waits to go out together, from its first event on."""

    def __init__(self, place: Place, at_s: float) -> None:
        self.place, self.first_s, self.last_s, self.upto = place, at_s, at_s, place.seq
        self.gathered = Gathered()

    @property
    def whole(self) -> Place:
        """Its first event, with where it ends: what a redelivery reads again."""
        return msgspec.structs.replace(self.place, upto=self.upto)


class NoticeRun(TriggerRun):
    """See `TriggerRun`. `muted_until_ns` is asked at each event, and before a message goes out."""

    def __init__(
        self,
        name: str,
        known: Snapshot[Trigger],
        plan: TriggerPlan,
        noticer: Noticer,
        dispatcher: Dispatcher,
        kinds: Kinds,
        pauses_s: tuple[float, ...],
        muted_until_ns: Callable[[], int],
        quiet_s: float = QUIET_S,
    ) -> None:
        self._noticer, self._pauses_s, self._muted_until_ns = noticer, pauses_s, muted_until_ns
        self._quiet_s = quiet_s
        self._waiting: _Batch | None = None
        self._sending: _Batch | None = None
        self._gathered = asyncio.Event()
        time = dispatcher.context.time
        since_s = (time.now_ns() - known.state.last_ns) / 1e9 if known.state.last_ns else float("inf")
        self._sent_s = asyncio.get_running_loop().time() - since_s
        super().__init__(name, known, plan, self._gather, dispatcher, kinds)

    @override
    async def _take(self, record: Record, group: asyncio.TaskGroup) -> None:
        if any(tag in record.body for tag in self._tags):
            for occurrence in self._deliveries(self._kinds.decoder.decode(record)):
                await self._gather(occurrence)
        self._read = record.seq
        if not record.seq % _AT_ONCE:
            await asyncio.sleep(0)

    @override
    def _extra(self) -> Iterable[Coroutine[Any, Any, None]]:
        yield self._send_batches()

    @override
    def _position(self) -> int:
        open_batches = [batch.place.seq - 1 for batch in (self._waiting, self._sending) if batch is not None]
        return min((super()._position(), *open_batches))

    @override
    async def _redeliver(self, place: Place) -> None:
        batch = _Batch(place, 0.0)
        log = self._dispatcher.context.log
        while True:
            try:
                reading = log.read(self._patterns, after=place.seq - 1, until=max(place.seq, place.upto))
                async with aclosing(reading):
                    async for records in reading:
                        for record in records:
                            for occurrence in self._deliveries(self._kinds.decoder.decode(record)):
                                if (item := await self._item(occurrence)) is not None:
                                    batch.gathered.add(item)
                                    batch.upto = occurrence.place.seq
                break
            except EventLogError as error:
                _log.info("notification %s has to wait: %s", self._name, error)
                batch = _Batch(place, 0.0)
                await asyncio.sleep(_AGAIN_S)
        if batch.gathered.total:
            await self._send(batch)
        else:
            self._fail(place, "", DeliveryFailed("its events are no longer in the log"))
        self._redone.append(place)
        self._dirty.set()

    async def _gather(self, occurrence: Occurrence) -> bool:
        """True where it will be told."""
        if self._is_muted():
            self._dirty.set()  # on record, or it would be told after a crash and the end of the silence
        elif (item := await self._item(occurrence)) is not None:
            self._add(occurrence.place, item)
            return True
        return False

    def _is_muted(self) -> bool:
        return self._muted_until_ns() > self._dispatcher.context.time.now_ns()

    def _add(self, place: Place, item: Happening) -> None:
        now_s = asyncio.get_running_loop().time()
        if self._waiting is None:
            self._waiting = _Batch(place, now_s)
        self._waiting.gathered.add(item)
        self._waiting.last_s, self._waiting.upto = now_s, place.seq
        self._gathered.set()

    async def _item(self, occurrence: Occurrence) -> Happening | None:
        while True:
            try:
                return await self._noticer.item(occurrence)
            except Refused as refusal:
                _log.info("notification %s passes over %s: %s", self._name, occurrence.place.id, refusal)
                return None
            except EventLogError as error:
                _log.info("notification %s has to wait: %s", self._name, error)
                await asyncio.sleep(_AGAIN_S)

    async def _send_batches(self) -> None:
        loop, every_s = asyncio.get_running_loop(), self._noticer.wanted.every_s
        while True:
            await self._gathered.wait()
            batch = self._waiting
            if batch is None:
                self._gathered.clear()
                continue
            due_s = min(batch.last_s + self._quiet_s, batch.first_s + LONGEST_S)
            wait_s = max(due_s, self._sent_s + every_s) - loop.time()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
                continue
            self._waiting, self._sending = None, batch
            if not self._is_muted():
                await self._send(batch)
                self._sent_s = loop.time()
            self._sending = None
            self._dirty.set()

    async def _send(self, batch: _Batch) -> None:
        try:
            await self._noticer.send(batch.gathered, batch.place, self._pauses_s)
            self._fired.append(batch.place.seq)
        except DeliveryFailed as failed:
            self._fail(batch.whole, batch.gathered.items[0].what, failed)
        self._dirty.set()
