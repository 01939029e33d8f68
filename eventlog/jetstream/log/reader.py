"""Reads the log up to an end that is fixed when reading begins.

One aggregate is read message by message from the stream's leader, up to its last one. A request for a message after
the last makes the server scan all younger messages, and so does a consumer (20 ms in 150,000 messages, where finding an
existing message takes 0.5 ms). Only a long aggregate is worth a consumer.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Final

from clawactors.eventlog.errors import Unavailable
from clawactors.eventlog.jetstream.log.follower import PushFollower
from clawactors.eventlog.jetstream.log.source import StreamSource
from clawactors.eventlog.jetstream.wire.api import last_message, next_message
from clawactors.eventlog.record import Record, is_aggregate_pattern

__all__ = ["read"]

_SINGLY: Final = 24


async def read(
    source: StreamSource,
    patterns: Sequence[str],
    after: int,
    since_ns: int | None,
    until: int | None,
    patience_s: float,
) -> AsyncGenerator[list[Record]]:
    """The records in `(after, end]`, where the end is `until` or the log's end at the call."""
    records: list[Record] = []
    async with source.gate:
        end: int = (await source.state())["last_seq"]
        if until is not None:
            end = min(end, until)
        if after < end and since_ns is None and len(patterns) == 1 and is_aggregate_pattern(patterns[0]):
            records, after, end = await _read_singly(source, patterns[0], after, end)
    if records:
        yield records
    if after >= end:
        return
    follower = PushFollower(source, patterns, 0 if since_ns is not None else after, since_ns)
    async with source.gate:
        await follower.open()
    try:
        while True:
            if follower.waiting:
                batch = follower.take()
                over = batch[-1].seq >= end
                if over or batch[0].seq <= after:
                    batch = [record for record in batch if after < record.seq <= end]
                if batch:
                    yield batch
                if over:
                    return
            elif (follower.at_end and source.replicas == 1) or await follower.covers(end):
                if not follower.waiting:
                    return
            else:
                try:
                    async with asyncio.timeout(patience_s):
                        await follower.change()
                except TimeoutError:
                    raise Unavailable(f"reading of {source.stream} got nothing for {patience_s:g} s") from None
                follower.raise_error()
    finally:
        await follower.aclose()


async def _read_singly(source: StreamSource, pattern: str, after: int, end: int) -> tuple[list[Record], int, int]:
    """The first records in `(after, end]`, the sequence up to which they are complete, and that of the last one."""
    records: list[Record] = []
    last = await last_message(source.connection, source.stream, pattern)
    end = min(end, last.seq if last else 0)
    while after < end and len(records) < _SINGLY:
        # The guard of the last one names what was read, so nothing lies between.
        follows = last is not None and last.seq == end and last.record.expected == after
        found = last if follows else await next_message(source.connection, source.stream, after, pattern)
        if found is None or found.seq > end:
            return records, end, end
        records.append(found.record)
        after = found.seq
    return records, after, end
