"""Builds views from the log alone, and compares their digest with that of the live ones."""

import contextlib
import gc
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import Final

import msgspec

from clawactors.eventlog import EventLog, Record
from clawactors.projections.engine.batches import BATCH_BYTES
from clawactors.projections.engine.digest import StoreDigest, digest
from clawactors.projections.engine.projector import Projector
from clawactors.projections.engine.store import Reading
from clawactors.projections.engine.view import Projection

__all__ = [
    "REPLAY_BATCH",
    "Apply",
    "Progress",
    "Replayed",
    "Verified",
    "fill",
    "replay",
    "verify",
]

REPLAY_BATCH: Final = 131_072
"""Commits a transaction, as far as `BATCH_BYTES` allows: no reader waits for these rows, and a task whose whole
history is in one batch is written once."""

_LARGE: Final = 16_384
"""Records that come together are applied together: the log is read ahead meanwhile."""

_GARBAGE_THRESHOLD: Final = 200_000

type Progress = Callable[[int, int], None]
"""Called with the position and the position at which it will be done."""
type Apply = Callable[[list[Record], int], Awaitable[None]]
"""Applies records; the number is the reader's position, if that is later than the last record."""


class Replayed(msgspec.Struct, frozen=True):
    """What a replay read and what came out; `incomplete` counts aggregates that a newer release wrote."""

    events: int
    seconds: float
    position: int
    digest: str
    incomplete: int

    @property
    def per_s(self) -> float:
        """Events a second, reading included and the digest not."""
        return self.events / self.seconds if self.seconds > 0 else 0.0


class Verified(msgspec.Struct, frozen=True):
    """Whether the rows of the live store are those that the log makes."""

    equal: bool
    live: StoreDigest
    replayed: Replayed


async def replay(
    log: EventLog,
    into: Path,
    projection: Projection,
    *,
    until: int | None = None,
    until_ns: int | None = None,
    views: tuple[str, ...] = (),
    progress: Progress | None = None,
) -> Replayed:
    """Fills a store in that folder from the first record up to a sequence or a time; goes on where it once stopped.

    `views` narrows the digest to those; none means all.
    """
    projector = Projector.open(projection, into, (await log.head()).identity)
    try:
        before, began = projector.state.events, time.perf_counter()
        await fill(log, projector, until=until, until_ns=until_ns, progress=progress)
        seconds = time.perf_counter() - began
        with projector.store.snapshot() as reading:
            return Replayed(
                events=projector.state.events - before,
                seconds=seconds,
                position=projector.position,
                digest=digest(reading, projection, views),
                incomplete=_frozen(reading, projection),
            )
    finally:
        projector.close()


async def fill(
    log: EventLog,
    projector: Projector,
    *,
    until: int | None = None,
    until_ns: int | None = None,
    progress: Progress | None = None,
    apply: Apply | None = None,
) -> None:
    """Applies the records from the projector's position to the end, a sequence or a time.

    `apply` does the writing where it must not hold up the loop; by default it is done at once.
    """
    apply = apply or _at_once(projector)
    last = (await log.head()).last_seq
    end = last if until is None else min(until, last)
    waiting: list[Record] = []
    size_bytes = 0
    with _little_garbage():
        async for records in log.read(projector.projection.patterns, after=projector.position, until=end, ahead=True):
            kept = records if until_ns is None else _through(records, until_ns)
            waiting += kept
            if len(kept) < len(records):
                end = waiting[-1].seq if waiting else projector.position
                break
            size_bytes += sum(len(record.body) for record in records)
            if len(waiting) >= REPLAY_BATCH or size_bytes >= BATCH_BYTES or len(records) >= _LARGE:
                await apply(waiting, 0)
                waiting, size_bytes = [], 0
                if progress is not None:
                    progress(projector.position, end)
        await apply(waiting, end)
    if progress is not None:
        progress(projector.position, end)


def _at_once(projector: Projector) -> Apply:
    async def apply(records: list[Record], upto: int) -> None:
        projector.apply_long(records, upto)

    return apply


def _through(records: list[Record], until_ns: int) -> list[Record]:
    """The records before the first one that is later."""
    return list(takewhile(lambda record: record.at_ns <= until_ns, records))


@contextlib.contextmanager
def _little_garbage() -> Iterator[None]:
    """A fold creates no reference cycles, but the search for them takes a tenth of its time."""
    thresholds = gc.get_threshold()
    gc.set_threshold(_GARBAGE_THRESHOLD, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


async def verify(
    log: EventLog,
    live: StoreDigest,
    projection: Projection,
    *,
    views: tuple[str, ...] = (),
    folder: Path | None = None,
    progress: Progress | None = None,
) -> Verified:
    """Builds the views anew in a temporary folder, up to where the live ones stand, and compares."""
    with tempfile.TemporaryDirectory(prefix="replay-", dir=folder) as scratch:
        replayed = await replay(log, Path(scratch), projection, until=live.position, views=views, progress=progress)
    same_log = (await log.head()).identity == live.identity
    return Verified(same_log and replayed.digest == live.digest, live, replayed)


def _frozen(reading: Reading, projection: Projection) -> int:
    return reading.count("frozen") if "frozen" in projection.tables else 0
