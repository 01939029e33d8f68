"""Works off the log for one trigger, from its position on.

1. At most `WINDOW` events are in work; the rest stays in the log, so a receiver that hangs costs no memory.
2. All before the position is delivered or told as failed. Behind it, what was done is done again after a crash: by id.
3. The position is recorded at most once a second, and only when something followed or `FAR` records were passed.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import aclosing
from typing import Any, Final

from clawactors.eventlog import EventLogError, Record, aggregate_pattern
from clawactors.eventlog.decoding import Commit
from clawactors.kernel.errors import Refused
from clawactors.kernel.fold import Snapshot
from clawactors.kernel.kind import Kinds
from clawactors.runtime.call import Call
from clawactors.runtime.control.triggers.deliveries import DeliveryFailed, LoopFound, Occurrence
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.runtime.naming import Names
from clawactors.systems.triggers import Trigger
from clawactors.systems.triggers import commands as c
from clawactors.systems.triggers.events import Place, TriggerFailure, TriggerPlan
from clawactors.systems.triggers.kind import TRIGGERS
from clawactors.systems.triggers.names import kind_of, name_of, named, tags_of

__all__ = ["FAR", "WINDOW", "TriggerRun"]

WINDOW: Final = 256
FAR: Final = 5_000
_EVERY_S: Final = 1.0
_AGAIN_S: Final = 0.2
_REASON_MAX: Final = 300
_AT_ONCE: Final = 100
"""Failures in one record."""

_log = logging.getLogger(__name__)


class TriggerRun:
    """`serve` runs until cancelled, or until the record says that somebody else has gone on."""

    def __init__(
        self,
        name: str,
        known: Snapshot[Trigger],
        plan: TriggerPlan,
        deliver: Callable[[Occurrence], Awaitable[bool]],
        dispatcher: Dispatcher,
        kinds: Kinds,
    ) -> None:
        self._name, self._plan, self._deliver_one = name, plan, deliver
        self._dispatcher, self._kinds, self._names = dispatcher, kinds, Names()
        self._recorded = known.state.position
        self._read = known.state.position or known.version  # a new one begins behind the commit that added it
        self._open: dict[Place, int] = {}
        self._window = asyncio.Semaphore(WINDOW)
        self._dirty = asyncio.Event()
        self._fired: list[int] = []
        """Sequences of what followed and is not on record."""
        self._failures: list[TriggerFailure] = []
        self._redone: list[Place] = []
        self._again: set[Place] = set()
        self._loop = ""
        self._tokens, self._at_s = float(plan.rate), asyncio.get_running_loop().time()
        self._tags = tuple(f'"{tag}"'.encode() for tag in tags_of(plan.on))
        self._events = named(plan.on)
        self._patterns = [kinds[kind].pattern for kind in sorted({*map(kind_of, self._events)})]
        self._group: asyncio.TaskGroup | None = None
        if not self._recorded:
            self._dirty.set()
        self.redeliver(known.state.again)

    def redeliver(self, places: Iterable[Place]) -> None:
        """Delivers these again, unless it is about to."""
        new = [place for place in places if place not in self._again]
        self._again.update(new)
        if self._group is not None:
            for place in new:
                self._group.create_task(self._redeliver(place))

    async def serve(self) -> None:
        """Reads, delivers and records."""
        follower = await self._dispatcher.context.log.follow(self._patterns, after=self._read)
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                group.create_task(self._record())
                for work in self._extra():
                    group.create_task(work)
                for place in self._again:
                    group.create_task(self._redeliver(place))
                async for batch in follower:
                    for record in batch:
                        await self._take(record, group)
                    self._read = follower.position
                    if self._position() >= self._recorded + FAR:
                        self._dirty.set()
                raise _HandedOver
        except* _HandedOver:
            pass
        finally:
            self._group = None
            await follower.aclose()

    def _extra(self) -> Iterable[Coroutine[Any, Any, None]]:
        """What else is done beside reading and recording."""
        return ()

    async def _take(self, record: Record, group: asyncio.TaskGroup) -> None:
        if any(tag in record.body for tag in self._tags):
            for delivery in self._deliveries(self._kinds.decoder.decode(record)):
                await self._ration()
                await self._window.acquire()
                self._open[delivery.place] = record.seq
                group.create_task(self._deliver(delivery))
        self._read = record.seq

    def _deliveries(self, commit: Commit) -> Iterable[Occurrence]:
        for index, event in enumerate(commit.events):
            if name_of(event) in self._events:
                yield Occurrence(Place(commit.kind, commit.id, commit.record.seq, index), event, commit.record.at_ns)

    async def _ration(self) -> None:
        """Waits until another event may be worked off."""
        loop = asyncio.get_running_loop()
        while True:
            now_s = loop.time()
            self._tokens = min(float(self._plan.rate), self._tokens + (now_s - self._at_s) * self._plan.rate)
            self._at_s = now_s
            if self._tokens >= 1:
                self._tokens -= 1
                return
            await asyncio.sleep((1 - self._tokens) / self._plan.rate)

    async def _deliver(self, delivery: Occurrence) -> None:
        try:
            await self._insist(delivery)
        finally:
            self._window.release()
        del self._open[delivery.place]
        if self._fired:  # they count once all before them is done
            self._dirty.set()

    async def _insist(self, delivery: Occurrence) -> None:
        while True:
            try:
                if await self._deliver_one(delivery):
                    self._fired.append(delivery.place.seq)
                    self._dirty.set()
                else:
                    self._tokens = min(float(self._plan.rate), self._tokens + 1)  # what does not match costs nothing
                return
            except DeliveryFailed as failed:
                self._fail(delivery.place, name_of(delivery.event), failed)
                return
            except EventLogError as error:
                _log.info("trigger %s has to wait: %s", self._name, error)
                await asyncio.sleep(_AGAIN_S)

    def _fail(self, place: Place, event: str, failed: DeliveryFailed) -> None:
        reason = " ".join(str(failed).split())[:_REASON_MAX]
        if isinstance(failed, LoopFound):
            self._loop = reason
        at_ns = self._dispatcher.context.time.now_ns()
        self._failures.append(TriggerFailure(place, event, reason, failed.tries, at_ns))
        self._dirty.set()

    async def _redeliver(self, place: Place) -> None:
        delivery = await self._read_again(place)
        if delivery is None:
            self._fail(place, "", DeliveryFailed("its event is no longer in the log"))
        else:
            await self._insist(delivery)
        self._redone.append(place)
        self._dirty.set()

    async def _read_again(self, place: Place) -> Occurrence | None:
        pattern = aggregate_pattern(place.kind, place.id)
        while True:
            try:
                reading = self._dispatcher.context.log.read([pattern], after=place.seq - 1, until=place.seq)
                async with aclosing(reading):
                    async for batch in reading:
                        commit = self._kinds.decoder.decode(batch[0])
                        if place.index < len(commit.events):
                            return Occurrence(place, commit.events[place.index], batch[0].at_ns)
                return None
            except EventLogError as error:
                _log.info("trigger %s has to wait: %s", self._name, error)
                await asyncio.sleep(_AGAIN_S)

    def _position(self) -> int:
        return min((seq - 1 for seq in self._open.values()), default=self._read)

    async def _record(self) -> None:
        """Raises: `_HandedOver`."""
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            failures, redone = self._failures[:_AT_ONCE], self._redone[:]
            # Not past a failure that this record has no room for, nor counting what a crash would have done again.
            behind = min((each.place.seq - 1 for each in self._failures[_AT_ONCE:]), default=self._read)
            loop, position = self._loop, max(self._recorded, min(behind, self._position()))
            fired = [seq for seq in self._fired if seq <= position]
            commands: list[c.TriggerCommand] = [
                c.AdvanceTrigger(
                    after=self._recorded,
                    position=position,
                    fired=len(fired),
                    failures=tuple(failures),
                    redone=tuple(redone),
                )
            ]
            if loop:
                commands.append(c.StopTrigger(f"loop: {loop}"))
            call = Call(TRIGGERS, self._name, tuple(commands), self._names.commit())
            while True:
                try:
                    answer = await self._dispatcher.send(call)
                    break
                except Refused:
                    raise _HandedOver from None  # it was removed
                except EventLogError as error:
                    _log.info("trigger %s has to wait: %s", self._name, error)
                    await asyncio.sleep(_AGAIN_S)
            if answer.state.position != position or answer.state.status != "active":
                raise _HandedOver
            self._recorded = position
            for seq in fired:
                self._fired.remove(seq)
            del self._failures[: len(failures)]
            del self._redone[: len(redone)]
            self._again.difference_update(redone)
            if self._failures:
                self._dirty.set()
            await asyncio.sleep(_EVERY_S)


class _HandedOver(Exception):
    """Nothing more is to be done here; what follows is in the record."""
