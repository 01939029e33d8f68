"""Cuts records into batches, and sorts those of a batch by aggregate."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from clawactors.eventlog import Record

__all__ = ["BATCH_BYTES", "by_aggregate", "by_size"]

BATCH_BYTES: Final = 16 << 20
"""Bytes of bodies a transaction, at most, so that few large commits don't fill the memory."""

type Groups = dict[str, dict[str, list[Record]]]
"""The records of each aggregate, by kind and id, in the order of their first records."""


def by_aggregate(records: Iterable[Record], kinds: Iterable[str]) -> tuple[Groups, list[Record]]:
    """The records of those kinds by aggregate, each in the order of the log; and the others."""
    groups: Groups = {kind: {} for kind in kinds}
    others: list[Record] = []
    for record in records:
        tokens = record.subject.split(".", 3)
        group = groups.get(tokens[1]) if len(tokens) > 3 else None
        if group is None:
            others.append(record)
        elif (of_one := group.get(tokens[2])) is None:
            group[tokens[2]] = [record]
        else:
            of_one.append(record)
    return groups, others


def by_size(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """Parts of the records, each ends with the record that makes it larger than `BATCH_BYTES`."""
    part: list[Record] = []
    size_bytes = 0
    for record in records:
        part.append(record)
        size_bytes += len(record.body)
        if size_bytes > BATCH_BYTES:
            yield part
            part, size_bytes = [], 0
    if part:
        yield part
