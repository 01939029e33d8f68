"""What is missing from a log: sequences that neither it nor its archive has.

Sequences have no gaps but those that a purge or a deletion leaves. What was moved to the archive is read with the log,
so it is not missing. The head tells in one answer whether anything was ever taken away.
"""

from contextlib import aclosing
from typing import Final

import msgspec

from clawactors.eventlog.errors import Unavailable
from clawactors.eventlog.log import EventLog, Head
from clawactors.eventlog.record import ROOT

__all__ = ["Gap", "Gaps", "find_gaps", "taken_away"]

_SHOWN: Final = 1000
_TRIES: Final = 3


class Gap(msgspec.Struct, frozen=True, array_like=True):
    """The sequences from `first` to `last`."""

    first: int
    last: int


class Gaps(msgspec.Struct, frozen=True):
    """So many `records` are missing; `ranges` are the first of the gaps, in the order of the log."""

    records: int = 0
    ranges: tuple[Gap, ...] = ()


def taken_away(head: Head) -> int:
    """How many records were purged or deleted, for whatever reason."""
    return head.last_seq - head.messages


async def find_gaps(log: EventLog) -> Gaps:
    """What is missing; `log` reads its archive too. It reads everything where anything was ever taken away.

    Raises: what log and archive raise.
    """
    for tries_left in reversed(range(_TRIES)):
        head = await log.head()
        if not taken_away(head):
            return Gaps()
        try:
            return await _gaps(log, head.last_seq)
        except Unavailable:
            if not tries_left:  # tasks were archived meanwhile
                raise
    return Gaps()


async def _gaps(log: EventLog, end: int) -> Gaps:
    ranges: list[Gap] = []
    records = before = 0

    def note(seq: int) -> None:
        nonlocal records
        if seq > before + 1:
            records += seq - before - 1
            if len(ranges) < _SHOWN:
                ranges.append(Gap(before + 1, seq - 1))

    async with aclosing(log.read([f"{ROOT}.>"], until=end, ahead=True)) as batches:
        async for batch in batches:
            for record in batch:
                note(record.seq)
                before = record.seq
    note(end + 1)
    return Gaps(records, tuple(ranges))
