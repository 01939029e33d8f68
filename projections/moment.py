"""A past moment: which position of the log a sequence or a time stands for."""

import contextlib
from typing import Final

import msgspec

from clawactors.eventlog import EventLog, Record
from clawactors.kernel.errors import InvalidQuery
from clawactors.kernel.time import iso

__all__ = ["Moment", "moment_at"]

_ALL: Final = ("claw.>",)
_CLOCKS_NS: Final = 2_000_000_000
"""A clock of another machine may be ahead of the log's by so much."""


class Moment(msgspec.Struct, frozen=True):
    """All records up to `seq` had been written; `at_ns` is the time of the last one, or the one that was asked for."""

    seq: int
    at_ns: int


async def moment_at(log: EventLog, seq: int, at_ns: int) -> Moment:
    """The moment of a sequence, or, where that is 0, of a time: before the first record that is later.

    Raises: `InvalidQuery` where the log has not begun then, or has not come that far; it says from where to where.
    """
    head = await log.head()
    if not head.last_seq:
        raise InvalidQuery("the log is empty: there is no past yet")
    if seq:
        if seq > head.last_seq:
            raise InvalidQuery(f"the log ends at {head.last_seq}: there is no {seq} yet")
        first, record = await _first(log), await _first(log, after=seq - 1)
        if first is None or record is None or seq < first.seq:
            raise InvalidQuery(f"{seq} is before the log begins: {_beginning(first)}")
        return Moment(seq, record.at_ns)
    if head.at_ns and at_ns > head.at_ns + _CLOCKS_NS:
        raise InvalidQuery(f"{iso(at_ns)} is in the future: it is {iso(head.at_ns)} by the log's clock")
    later = await _first(log, since_ns=at_ns + 1)
    if later is None:
        return Moment(head.last_seq, at_ns)
    first = await _first(log)
    if first is None or later.seq <= first.seq:
        raise InvalidQuery(f"{iso(at_ns)} is before the log begins: {_beginning(first)}")
    return Moment(later.seq - 1, at_ns)


def _beginning(first: Record | None) -> str:
    return f"its first record, {first.seq}, is of {iso(first.at_ns)}" if first else "it has no records any more"


async def _first(log: EventLog, *, after: int = 0, since_ns: int | None = None) -> Record | None:
    async with contextlib.aclosing(log.read(_ALL, after=after, since_ns=since_ns)) as batches:
        async for records in batches:
            return records[0]
    return None
