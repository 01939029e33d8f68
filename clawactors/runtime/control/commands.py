"""Carries out what other programs want of tasks and nodes: `nats pub claw.cmd.task.T1 '{"type":"task.cancel"}'`.

1. All that waits for one aggregate is one commit; commands are decided in the order in which they were published.
2. A lost race is tried again, without limit, as long as any of them is legal.
3. A command is done when its events are in the log, or its dead letter is kept. What comes again is known by the
   receipt in the header of the commit, so it is carried out once; one that was given an id, once in all.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from clawactors.eventlog import (
    Draft,
    EventLogError,
    Record,
    TooLarge,
    Unavailable,
    WrongVersion,
    aggregate_pattern,
    is_id,
)
from clawactors.kernel.errors import Refused
from clawactors.kernel.fold import Snapshot, fold
from clawactors.kernel.kind import Home, Kind
from clawactors.kinds import KINDS
from clawactors.runtime.actor import ActorContext
from clawactors.runtime.control.ports import Commands
from clawactors.runtime.control.receipts import Receipt, read_receipt, written
from clawactors.runtime.payloads import Payloads

__all__ = ["CommandConsumer"]

_WAIT_S: Final = 2.0
_AGAIN_S: Final = 0.2
_HELD_MAX: Final = 20_000
_TOGETHER: Final = 2000
_TOGETHER_MAX_BYTES: Final = 400_000
_BY: Final = "command"
_TAKEN: Final = {kind.name: kind for kind in KINDS.of(Home.CONTROL)}
_NOWHERE: Final = " or ".join(f"claw.cmd.{name}.<id>" for name in _TAKEN) + " is where commands go"

_log = logging.getLogger(__name__)


class _Refusal(msgspec.Struct, frozen=True):
    record: Record
    reason: str


class CommandConsumer:
    """`serve` runs until cancelled; it takes while this process leads."""

    def __init__(
        self, context: ActorContext, commands: Commands, payloads: Payloads, leads: Callable[[], bool]
    ) -> None:
        self._context, self._commands, self._payloads, self._leads = context, commands, payloads, leads
        self._waiting: dict[str, deque[Record]] = {}
        self._held: set[int] = set()
        self._working: set[asyncio.Task[None]] = set()
        self._less = asyncio.Event()
        self.carried_out = self.refused = 0

    async def serve(self) -> None:
        """Takes and carries out for ever."""
        try:
            while True:
                if not self._leads():
                    await asyncio.sleep(_AGAIN_S)
                    continue
                try:
                    taken = await self._commands.take(_WAIT_S)
                except EventLogError as error:
                    _log.info("commands have to wait: %s", error)
                    await asyncio.sleep(_AGAIN_S)
                    continue
                for record in taken:
                    self._put(record)
                while len(self._held) > _HELD_MAX:
                    self._less.clear()
                    await self._less.wait()
        finally:
            for task in list(self._working):
                task.cancel()

    def _put(self, record: Record) -> None:
        if record.seq in self._held:
            return  # it comes again because it takes long
        self._held.add(record.seq)
        found = endpoint_of(record.subject)
        subject = record.subject if found else ""
        if (waiting := self._waiting.get(subject)) is not None:
            waiting.append(record)
            return
        self._waiting[subject] = deque((record,))
        task = asyncio.create_task(self._work(subject, found))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _work(self, subject: str, found: tuple[Kind[Any, Any, Any], str] | None) -> None:
        """Carries out what waits for one aggregate until nothing more does."""
        waiting = self._waiting[subject]
        while waiting:
            records = _some(waiting)
            races = 0
            while True:
                try:
                    if found is None:
                        await self._bury([_Refusal(record, _NOWHERE) for record in records])
                    else:
                        await self._carry_out(*found, records)
                    break
                except WrongVersion:
                    races += 1
                    await asyncio.sleep(self._context.clock.roll() * min(0.1, 0.002 * 2**races))
                except TooLarge as error:
                    if len(records) == 1:
                        await self._patiently_bury([_Refusal(records[0], str(error))])
                        break
                    half = len(records) // 2
                    waiting.extendleft(reversed(records[half:]))
                    records = records[:half]
                except EventLogError as error:
                    _log.info("commands to %s have to wait: %s", subject or "nobody", error)
                    await asyncio.sleep(_AGAIN_S)
            seqs = [record.seq for record in records]
            self._commands.done(seqs)
            self._held.difference_update(seqs)
            self._less.set()
        del self._waiting[subject]

    async def _carry_out(self, kind: Kind[Any, Any, Any], id: str, records: Sequence[Record]) -> None:
        """Raises: what the log raises; then nothing is done, or it is and is found to be so the next time."""
        known, told = await self._read(kind, id)
        receipt = Receipt()
        events: list[Any] = []
        refusals: list[_Refusal] = []
        state = known.state
        for record in records:
            if record.seq in told.carried_out:
                continue
            try:
                if record.seq in told.refused:
                    raise Refused("it was refused when it came first")
                wish = kind.read_command(record.body, record.by or _BY, self._context.time.now_ns())
                if wish.id and wish.id in told.ids | receipt.ids:
                    continue
                if known.frozen:
                    raise Refused(f"the {kind.name} needs a newer release: {known.frozen}")
                decided = kind.decider.decide(await self._payloads.stored(wish.command), state)
            except Refused as refusal:
                refusals.append(_Refusal(record, str(refusal)))
                receipt.refused.add(record.seq)
                continue
            receipt.carried_out.add(record.seq)
            receipt.ids.update({wish.id} - {""})
            events += decided
            for event in decided:
                state = kind.decider.evolve(state, event, self._context.time.now_ns())
        if events:
            await self._context.log.append(self._draft(kind, id, known.state, events, receipt), known.version)
        self.carried_out += len(receipt.carried_out)
        await self._bury(refusals)

    def _draft(self, kind: Kind[Any, Any, Any], id: str, state: Any, events: list[Any], receipt: Receipt) -> Draft:
        return Draft(
            kind=kind.name,
            id=id,
            body=kind.codec.encode(tuple(events)),
            commit=self._context.names.commit(),
            to=kind.route(state),
            by=self._context.by,
            cause=written(self._commands.identity, receipt),
        )

    async def _read(self, kind: Kind[Any, Any, Any], id: str) -> tuple[Snapshot[Any], Receipt]:
        """The aggregate, and which commands its log has answered."""
        known, told = Snapshot(kind.decider.initial), Receipt()
        async for batch in self._context.log.read([aggregate_pattern(kind.name, id)]):
            for record in batch:
                known = fold(kind, known, record)
                told.add(read_receipt(self._commands.identity, record))
        return known, told

    async def _bury(self, refusals: Sequence[_Refusal]) -> None:
        await asyncio.gather(*(self._commands.bury(each.record, each.reason) for each in refusals))
        self.refused += len(refusals)

    async def _patiently_bury(self, refusals: Sequence[_Refusal]) -> None:
        while True:
            try:
                return await self._bury(refusals)
            except Unavailable:
                await asyncio.sleep(_AGAIN_S)


def endpoint_of(subject: str) -> tuple[Kind[Any, Any, Any], str] | None:
    """The kind and the id that a command is for; None where it is for none: `claw.cmd.<kind>.<id>`."""
    parts = subject.split(".")
    if len(parts) != 4 or parts[2] not in _TAKEN or not is_id(parts[3]):
        return None
    return _TAKEN[parts[2]], parts[3]


def _some(waiting: deque[Record]) -> list[Record]:
    """What goes into one commit."""
    records: list[Record] = []
    size = 0
    while waiting and len(records) < _TOGETHER and (not records or size + len(waiting[0].body) < _TOGETHER_MAX_BYTES):
        records.append(waiting.popleft())
        size += len(records[-1].body)
    return records
