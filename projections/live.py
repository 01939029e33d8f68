"""The live views of the process that writes them: open, feed, query, rebuild.

A store is used as it is if it is sound, of this release and of this log. Otherwise the views are built again in a new
revision, and an unfinished revision continues where it stopped. Damage that is met later leads to the same, while the
rows that can be read go on serving.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Self

from clawactors.eventlog import EventLog, EventLogError, Unavailable
from clawactors.eventlog.decoding import Commit
from clawactors.kernel.errors import InvalidQuery, Refused
from clawactors.projections.engine.feed import GATHER_S, Feed
from clawactors.projections.engine.health import Health
from clawactors.projections.engine.opening import Openings, in_thread
from clawactors.projections.engine.projector import Projector
from clawactors.projections.engine.questions import HeartbeatOf, ProgressOf, Queries, error_reply, no_progress
from clawactors.projections.engine.replay import Progress, fill
from clawactors.projections.engine.revisions import Revisions
from clawactors.projections.engine.store import Store
from clawactors.projections.engine.view import Projection
from clawactors.projections.gaps import missed
from clawactors.projections.past import PastViews
from clawactors.projections.snapshots import ViewSnapshots
from clawactors.projections.starting import StartingPoint, starting_point
from clawactors.projections.views.tasks.archived import archivable
from clawactors.projections.views.tasks.children import children_of
from clawactors.runtime.control.ports import Archivable
from clawactors.systems.tasks import TaskStatus

__all__ = ["LiveViews", "live_store"]

_FRESH_S: Final = 5.0


class LiveViews:
    """`open` it, run `serve`, pass every commit to `apply`. `feed.taken` is the last sequence that it was given.

    `on_exchanged` is called in a thread, with writes held up, when another revision has become the live one.
    """

    def __init__(self, log: EventLog, openings: Openings, feed: Feed, queries: Queries) -> None:
        self._log, self._openings, self.feed, self._queries = log, openings, feed, queries
        self.snapshots = ViewSnapshots(lambda: self.store, feed, feed.projector.projection)
        self.health = Health(openings.revisions, lambda: self.store)
        self.health.watch(self.store)
        self.on_exchanged: Callable[[], None] = _nothing
        self.past: PastViews | None = None
        """Answers what is asked as of a past moment."""
        self._renewing, self._building = asyncio.Lock(), asyncio.Lock()

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
        probe: Callable[[Store], Any] = lambda _: None,
    ) -> Self:
        """The views below `folder`, caught up with the log. `probe` reads what the caller can't do without.

        Raises: `Unavailable`, `Misconfigured`.
        """
        openings = Openings(log, Revisions(folder, projection.name), projection, now_ns)
        feed = Feed(await openings.open(progress, probe), gather_s)
        queries = Queries(projection.questions, lambda: feed.projector.store, heartbeat, now_ns, reported)
        return cls(log, openings, feed, queries)

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

    async def archivable(self, before_ns: int, limit: int, after: int) -> list[Archivable]:
        """Tasks that had ended before that time, as the rows are. See `Views`."""

        def look() -> list[Archivable]:
            with self.store.snapshot() as reading:
                return archivable(reading, before_ns, limit, after)

        return await asyncio.to_thread(look)

    async def apply(self, commits: Sequence[Commit], upto: int = 0) -> None:
        """Takes commits in the order of the log, starting after `position`; waits while too many are held."""
        if (gap := missed(commits, self.snapshots)) is not None:
            self.store.note(f"{gap.kind} {gap.id} was archived before it was read here")
        await self.feed.put(commits, upto)

    async def serve(self) -> None:
        """Writes until cancelled; looks for damage, and builds the views again where there is some."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.feed.serve())
            group.create_task(self.health.serve(self.rebuild))

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
            if question.at_seq or question.at_time_ns:
                if self.past is None:
                    raise InvalidQuery(f"{name!r} can't be asked of the past here")
                return await self.past.answer(name, question)
            if question.fresh:
                await self.fresh()
            if question.at_least > self.position:
                await self.reached(question.at_least)
            if self._queries.is_quick(name):
                return self._queries.answer(name, question)
            return await asyncio.to_thread(self._queries.answer, name, question)
        except (Refused, EventLogError, RecursionError) as error:
            return error_reply(error)

    async def renew(self) -> bool:
        """Builds the views again, without what was erased from the log; returns when no file holds it any more.

        False where they hold nothing of it. Raises: `Unavailable`, `Corrupt`.
        """
        async with self._renewing:
            await self.reached(self.feed.taken)
            if not self.feed.projector.is_outdated:
                return False
            revisions = self._openings.revisions
            revisions.discard(revisions.begun())  # it may have been begun before
            if self.past is not None:
                await self.past.clear()
            revisions.discard_copies()
            await self.rebuild()
            return True

    async def rebuild(self, progress: Progress | None = None) -> None:
        """Builds a new revision from the log alone and switches to it; the live one serves meanwhile."""
        async with self._building:
            await self._rebuild(progress)

    async def _rebuild(self, progress: Progress | None) -> None:
        old = self.feed.projector
        new = await self._openings.begun()
        apply = in_thread(new)
        try:
            await fill(self._log, new, progress=progress, apply=apply)
            async with self.feed.writing:
                await fill(self._log, new, until=old.position, apply=apply)
                await self._exchange(new)
        except EventLogError:
            if self.feed.projector is not new:
                new.close()
            raise
        await self._retire(old)

    async def compact(self) -> tuple[int, int]:
        """Copies the rows without the space that deleted ones have left; the bytes before and after.

        Writing waits meanwhile. Raises: `Unavailable`.
        """
        async with self._building, self.feed.writing:
            old, path = self.feed.projector, self._openings.revisions.begun()
            self._openings.revisions.discard(path)
            await asyncio.to_thread(old.store.copy, path)
            new = Projector.open(old.projection, path, old.state.identity)
            await self._exchange(new)
            before = old.store.size_bytes
        await self._retire(old)
        return before, new.store.size_bytes

    async def _exchange(self, new: Projector) -> None:
        """That one is live from now on; call it while `feed.writing` is held."""
        new.faults.keeps_met = True
        self.feed.projector = new
        self.health.watch(new.store)
        self._openings.revisions.switch(new.store.path)
        await asyncio.to_thread(self.on_exchanged)

    async def _retire(self, old: Projector) -> None:
        await asyncio.to_thread(old.store.wait_unread)
        old.close()
        self._openings.replaced(old.store)

    async def aclose(self) -> None:
        """Writes the held commits and closes the store after its last answer."""
        await self.feed.aclose()
        if self.past is not None:
            await self.past.aclose()
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


def _nothing() -> None:
    pass
