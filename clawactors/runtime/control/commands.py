"""Carries out commands that other programs put on the queue: `nats pub claw.cmd.task.T1 '{"type":"task.cancel"}'`.

1. All that waits for one aggregate is one commit; commands are decided in the order in which they were published.
2. A lost race is tried again, without limit, as long as any of them is legal.
3. A command is done when its events are in the log, or its dead letter is kept. What comes again is known by its
   command id, its own or that of its place in the queue, so it takes effect once.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from clawactors.eventlog import EventLogError, Record, Unavailable, is_id
from clawactors.eventlog.commands import Commands
from clawactors.kernel.errors import Refused
from clawactors.kernel.kind import Home, Kind, Kinds
from clawactors.runtime.call import Answer, Call
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.runtime.payloads import Payloads
from clawactors.runtime.repeats import content_of

__all__ = ["CommandConsumer"]

_WAIT_S: Final = 2.0
_AGAIN_S: Final = 0.2
_HELD_MAX: Final = 20_000
_BURIED_MAX: Final = 1000
_TOGETHER: Final = 2000
_TOGETHER_MAX_BYTES: Final = 400_000
_BY: Final = "command"

_log = logging.getLogger(__name__)


class _Refusal(msgspec.Struct, frozen=True):
    record: Record
    reason: str


class CommandConsumer:
    """`serve` runs until cancelled; it takes while this process leads."""

    def __init__(
        self, dispatcher: Dispatcher, kinds: Kinds, commands: Commands, payloads: Payloads, leads: Callable[[], bool]
    ) -> None:
        self._dispatcher, self._commands, self._payloads, self._leads = dispatcher, commands, payloads, leads
        self._kinds = {kind.name: kind for kind in kinds.of(Home.CONTROL)}
        self._elsewhere = frozenset(kind.name for kind in kinds) - self._kinds.keys()
        self._nowhere = "commands go to " + " or ".join(f"claw.cmd.{name}.<id>" for name in self._kinds)
        self._waiting: dict[str, deque[Record]] = {}
        self._held: set[int] = set()
        self._buried: deque[int] = deque(maxlen=_BURIED_MAX)
        """Refused already: if it comes again because its acknowledgement was lost, it stays so."""
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
        found = self._endpoint_of(record.subject)
        subject = record.subject if found else ""
        if (waiting := self._waiting.get(subject)) is not None:
            waiting.append(record)
            return
        self._waiting[subject] = deque((record,))
        task = asyncio.create_task(self._work(subject, found))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    def _endpoint_of(self, subject: str) -> tuple[Kind[Any, Any, Any], str] | None:
        """The kind and the id that a command is for, None where it is for none.

        `claw.cmd.<kind>.<id>` is the cluster's own account's, `claw.cmd.<principal>.<kind>.<id>` everybody's.
        """
        *head, kind, id = subject.split(".")
        if len(head) not in (2, 3) or kind not in self._kinds or not is_id(id):
            return None
        return self._kinds[kind], id

    def _misplaced(self, subject: str) -> str:
        """Why a command under this subject is for nobody, and where it belongs."""
        kind = subject.split(".")[-2]
        if kind in self._elsewhere:
            home = f"the memory process answers commands to a {kind}, and takes none from a queue"
            return f"{home}: request claw.do.<principal>.{kind}, as claw memory does"
        return self._nowhere

    async def _work(self, subject: str, found: tuple[Kind[Any, Any, Any], str] | None) -> None:
        """Carries out what waits for one aggregate until nothing more does."""
        waiting = self._waiting[subject]
        while waiting:
            records = _some(waiting)
            while True:
                try:
                    if found is None:
                        await self._bury([_Refusal(record, self._misplaced(record.subject)) for record in records])
                    else:
                        await self._carry_out(*found, records)
                    break
                except EventLogError as error:
                    _log.info("commands to %s have to wait: %s", subject or "nobody", error)
                    await asyncio.sleep(_AGAIN_S)
            seqs = [record.seq for record in records]
            self._commands.done(seqs)
            self._held.difference_update(seqs)
            self._less.set()
        del self._waiting[subject]

    async def _carry_out(self, kind: Kind[Any, Any, Any], id: str, records: Sequence[Record]) -> None:
        """Raises: `Unavailable`; then none or all is done, and found to be so the next time."""
        refusals: list[_Refusal] = []
        calls: list[tuple[Record, Call]] = []
        for record in records:
            if record.seq in self._buried:
                continue
            try:
                principal = _principal_of(record.subject)
                by = f"client/{principal}" if principal else record.by or _BY
                now_ns = self._dispatcher.context.time.now_ns()
                read = kind.read_command(record.body, by, now_ns, trusted=not principal)
                command = await self._payloads.stored(read.command)
                content = content_of(read.id, record.body)
                calls.append((record, Call(kind, id, (command,), read.id or self._id_of(record), content=content)))
            except Refused as refusal:
                refusals.append(_Refusal(record, str(refusal)))
        outcomes = await self._dispatcher.send_many(call for _, call in calls)
        for (record, _), outcome in zip(calls, outcomes, strict=True):
            match outcome:
                case Answer():
                    self.carried_out += 1
                case Unavailable():
                    raise outcome
                case _:
                    refusals.append(_Refusal(record, str(outcome)))
        await self._bury(refusals)

    def _id_of(self, record: Record) -> str:
        """The id of a command that was given none: its place in this very queue."""
        return f"{self._commands.identity.replace(' ', '_')}/{record.seq}"

    async def _bury(self, refusals: Sequence[_Refusal]) -> None:
        await asyncio.gather(*(self._commands.bury(each.record, each.reason) for each in refusals))
        self._buried += [each.record.seq for each in refusals]
        self.refused += len(refusals)


def _principal_of(subject: str) -> str:
    """Who put the command there, as the server let it through; "" for the cluster's own account."""
    parts = subject.split(".")
    return parts[2] if len(parts) == 5 else ""


def _some(waiting: deque[Record]) -> list[Record]:
    """What goes into one commit."""
    records: list[Record] = []
    size = 0
    while waiting and len(records) < _TOGETHER and (not records or size + len(waiting[0].body) < _TOGETHER_MAX_BYTES):
        records.append(waiting.popleft())
        size += len(records[-1].body)
    return records
