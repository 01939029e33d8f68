"""Reads the log up to an end that is fixed when reading begins."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from eventlog.errors import Unavailable
from eventlog.jetstream.follower import PushFollower
from eventlog.jetstream.source import Source
from eventlog.record import Record

__all__ = ["read"]


async def read(
    source: Source,
    patterns: Sequence[str],
    after: int,
    since_ns: int | None,
    until: int | None,
    patience_s: float,
) -> AsyncIterator[list[Record]]:
    """The records in `(after, end]`, where the end is `until` or the log's end at the call."""
    end: int = (await source.state())["last_seq"]
    if until is not None:
        end = min(end, until)
    if after >= end:
        return
    follower = await PushFollower(source, patterns, 0 if since_ns is not None else after, since_ns).open()
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
