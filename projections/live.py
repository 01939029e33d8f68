"""The live views of the process that writes them: open, feed, query, rebuild.

A store is used as it is if it is sound, of this release and of this log. Otherwise the views are built again in a new
revision, and an unfinished revision continues where it stopped.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Self

from clawactors.eventlog import Corrupt, EventLog, EventLogError, Head, Record, Unavailable
from clawactors.eventlog.decoding import Commit
from clawactors.kernel.errors import Refused
from clawactors.projections.engine.feed import GATHER_S, Feed
from clawactors.projections.engine.projector import Projector
from clawactors.projections.engine.questions import HeartbeatOf, ProgressOf, Queries, error_reply, no_progress
from clawactors.projections.engine.replay import Apply, Progress, fill
from clawactors.projections.engine.revisions import Revisions
from clawactors.projections.engine.store import Store
from clawactors.projections.engine.view import Projection
from clawactors.projections.snapshots import ViewSnapshots
from clawactors.projections.starting import StartingPoint, starting_point
from clawactors.projections.views.tasks.children import children_of
from clawactors.systems.tasks import TaskStatus

__all__ = ["LiveViews", "live_store"]

_FRESH_S: Final = 5.0

_log = logging.getLogger(__name__)


class LiveViews:
    """`open` it, run `serve`, pass every commit to `apply`. `feed.taken` is the last sequence that it was given."""

    def __init__(self, log: EventLog, revisions: Revisions, feed: Feed, queries: Queries) -> None:
        self._log, self._revisions, self.feed, self._queries = log, revisions, feed, queries
        self.snapshots = ViewSnapshots(lambda: self.store, feed, feed.projector.projection)

    @classmethod
    async def open(
        cls,
        log: EventLog,
        folder: Path,
        projection: Projection,
        *,
        heartbeat: HeartbeatOf,
        now_ns: Callable[[], int],
        reported: ProgressOf = no_progress,
        gather_s: float = GATHER_S,
        progress: Progress | None = None,
    ) -> Self:
        """The views below `folder`, caught up with the log.

        Raises: `Unavailable`, `Misconfigured`.
        """
        revisions, head = Revisions(folder, projection.name), await log.head()
        usable = _usable(revisions, projection, head)
        projector = usable or _begun(revisions, projection, head)
        projector.faults.keeps_met = usable is not None  # an older revision has reported the faults of its records
        try:
            await fill(log, projector, progress=progress, apply=_in_thread(projector))
        except EventLogError:
            projector.close()  # the next attempt opens it again and continues
            raise
        if usable is None:
            revisions.switch(projector.store.path)
        revisions.sweep()
        feed = Feed(projector, gather_s)
        queries = Queries(projection.questions, lambda: feed.projector.store, heartbeat, now_ns, reported)
        return cls(log, revisions, feed, queries)

    @property
    def position(self) -> int:
        """The sequence up to which the rows hold the log."""
        return self.feed.projector.position

    @property
    def store(self) -> Store:
        """The live store."""
        return self.feed.projector.store

    def snapshot(self) -> StartingPoint:
        """Where placement starts from."""
        return starting_point(self.store)

    async def children_of(self, parent: str, run: int) -> list[tuple[str, int, TaskStatus]]:
        """Id, version and status of each child of that task, with all that was given before the call.

        Raises: `Unavailable`.
        """
        await self.reached(self.feed.taken)
        with self.store.snapshot() as reading:
            return list(children_of(reading, parent, run))

    async def apply(self, commits: Sequence[Commit], upto: int = 0) -> None:
        """Takes commits in the order of the log, starting after `position`; waits while too many are held."""
        await self.feed.put(commits, upto)

    async def serve(self) -> None:
        """Writes until cancelled. Raises: `Corrupt`; the next `open` builds the views again."""
        await self.feed.serve()

    async def fresh(self) -> None:
        """Returns when the rows hold everything that is in the log at the call. Raises: `Unavailable`."""
        last = self.feed.taken
        head = await self._log.head()
        if head.last_seq > last:  # records of other kinds are not waited for
            patterns = self.feed.projector.projection.patterns
            async for records in self._log.read(patterns, after=last, until=head.last_seq):
                last = records[-1].seq
        await self.reached(last)

    async def reached(self, seq: int) -> None:
        """Returns when the rows hold the log up to that sequence. Raises: `Unavailable` after 5 s."""
        try:
            async with asyncio.timeout(_FRESH_S):
                await self.feed.reached(seq)
        except TimeoutError:
            raise Unavailable(f"the views are at {self.position}, not yet at {seq}") from None

    async def answer(self, name: str, body: bytes) -> bytes:
        """The answer to a question on `claw.query.<name>`, or the error as an answer."""
        try:
            question = self._queries.read(name, body)
            if question.fresh:
                await self.fresh()
            if question.at_least > self.position:
                await self.reached(question.at_least)
            if self._queries.is_quick(name):
                return self._queries.answer(name, question)
            return await asyncio.to_thread(self._queries.answer, name, question)
        except (Refused, EventLogError, RecursionError) as error:
            return error_reply(error)

    async def rebuild(self, progress: Progress | None = None) -> None:
        """Builds a new revision from the log alone and switches to it; the live one serves meanwhile."""
        old = self.feed.projector
        new = _begun(self._revisions, old.projection, await self._log.head())

        apply = _in_thread(new)
        try:
            await fill(self._log, new, progress=progress, apply=apply)
            async with self.feed.writing:
                await fill(self._log, new, until=old.position, apply=apply)
                new.faults.keeps_met = True
                self.feed.projector = new
                self._revisions.switch(new.store.path)
        except EventLogError:
            if self.feed.projector is not new:
                new.close()
            raise
        await asyncio.to_thread(old.store.wait_unread)
        old.close()
        self._revisions.sweep()

    async def aclose(self) -> None:
        """Writes the held commits and closes the store after its last answer."""
        await self.feed.aclose()
        await asyncio.to_thread(self.store.wait_unread)
        self.feed.projector.close()


def live_store(folder: Path, projection: Projection) -> Store:
    """The live store, for a process that only reads it.

    Raises: `Unavailable` where there is none, `Corrupt`.
    """
    path = Revisions(folder, projection.name).live()
    if path is None:
        raise Unavailable(f"there are no views in {folder}")
    return Store.open(path, projection.tables, readonly=True)


def _in_thread(projector: Projector) -> Apply:
    """Writes in a thread: a long build in the loop would cost the connection."""

    async def apply(records: list[Record], upto: int) -> None:
        await asyncio.to_thread(projector.apply_long, records, upto)

    return apply


def _usable(revisions: Revisions, projection: Projection, head: Head) -> Projector | None:
    path = revisions.live()
    return None if path is None else _opened(path, projection, head)


def _begun(revisions: Revisions, projection: Projection, head: Head) -> Projector:
    """The projector of the revision that is being built; an unusable one starts again."""
    path = revisions.begun()
    projector = _opened(path, projection, head)
    if projector is None:
        revisions.discard(path)
        projector = Projector.open(projection, path, head.identity)
    return projector


def _opened(path: Path, projection: Projection, head: Head) -> Projector | None:
    """The projector of a store of this release and this log, None for any other store."""
    try:
        projector = Projector.open(projection, path, head.identity)
    except Corrupt as error:
        _log.warning("the views are built again: %s", error)
        return None
    if projector.position > head.last_seq:
        _log.warning("the views are built again: they are at %d, the log ends at %d", projector.position, head.last_seq)
        projector.close()
        return None
    return projector
