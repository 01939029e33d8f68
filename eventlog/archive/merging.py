"""Merges readings that are each in the order of the log into one: every sequence once, whatever holds it."""

from bisect import bisect_right
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from operator import attrgetter

import msgspec

from clawactors.eventlog.record import Record

__all__ = ["SortedReading", "merged"]

_seq = attrgetter("seq")


class SortedReading(msgspec.Struct):
    """Batches in the order of the log; `begin` is called once the merge has come to `first_seq`."""

    first_seq: int
    begin: Callable[[], AsyncGenerator[list[Record]]]


class _Open(msgspec.Struct):
    batches: AsyncIterator[list[Record]]
    records: list[Record]


async def merged(readings: Iterable[SortedReading]) -> AsyncGenerator[list[Record]]:
    """All of their records; where several have one sequence, the record comes once."""
    waiting = sorted(readings, key=lambda reading: reading.first_seq, reverse=True)
    begun: list[AsyncGenerator[list[Record]]] = []
    active: list[_Open] = []
    last = 0
    try:
        while waiting or active:
            bound = min((each.records[-1].seq for each in active), default=None)
            if waiting and (bound is None or waiting[-1].first_seq <= bound):
                batches = waiting.pop().begin()
                begun.append(batches)
                if (records := await _next(batches)) is not None:
                    active.append(_Open(batches, records))
                continue
            if bound is None:
                return
            taken: list[Record] = []
            for each in active:
                count = _count(each.records, bound)
                taken += each.records[:count]
                each.records = each.records[count:]
            if len(active) > 1:
                taken.sort(key=_seq)
            fresh: list[Record] = []
            for record in taken:
                if record.seq > last:
                    fresh.append(record)
                    last = record.seq
            if fresh:
                yield fresh
            for each in [each for each in active if not each.records]:
                if (records := await _next(each.batches)) is None:
                    active.remove(each)
                else:
                    each.records = records
    finally:
        for batches in begun:
            await batches.aclose()


async def _next(batches: AsyncIterator[list[Record]]) -> list[Record] | None:
    async for records in batches:
        if records:
            return records
    return None


def _count(records: list[Record], bound: int) -> int:
    """How many of them are at or before that sequence."""
    return bisect_right(records, bound, key=_seq)
