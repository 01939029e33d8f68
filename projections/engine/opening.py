"""Opens the revision that a process uses: the live one if it is sound, else one that is built beside it."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from clawactors.eventlog import Corrupt, EventLog, EventLogError, Head, Misconfigured, Record
from clawactors.projections.engine.damage import damage_noted, note_damage
from clawactors.projections.engine.projector import Projector
from clawactors.projections.engine.replay import Apply, Progress, fill
from clawactors.projections.engine.revisions import Revisions
from clawactors.projections.engine.store import Damaged, Store
from clawactors.projections.engine.view import Projection

__all__ = ["Openings", "in_thread"]

_TRIES: Final = 3

_log = logging.getLogger(__name__)


class Openings:
    """Opens and replaces the revisions of one projection."""

    def __init__(self, log: EventLog, revisions: Revisions, projection: Projection, now_ns: Callable[[], int]) -> None:
        self._log, self.revisions, self._projection, self._now_ns = log, revisions, projection, now_ns
        self._outdated: Path | None = None
        """The live revision, where it may hold what was erased since it was begun."""

    async def open(self, progress: Progress | None, probe: Callable[[Store], Any]) -> Projector:
        """A projector whose store is the live one, caught up with the log; `probe` could read it.

        Raises: `Unavailable`, `Misconfigured`.
        """
        for _ in range(_TRIES):
            if (projector := await self._tried(progress, probe)) is not None:
                return projector
        raise Misconfigured(
            f"the views in {self.revisions.folder} were damaged {_TRIES} times in a row: check the disk, or use "
            "another data folder"
        )

    async def _tried(self, progress: Progress | None, probe: Callable[[Store], Any]) -> Projector | None:
        """None where the store turned out to be damaged: the next try leaves it alone."""
        revisions, head = self.revisions, await self._log.head()
        live = revisions.live()
        usable = None if live in (None, self._outdated) else self._opened(live, head)
        projector = usable or self._begun(head)
        projector.faults.keeps_met = usable is not None  # an older revision has reported the faults of its records
        try:
            await fill(self._log, projector, progress=progress, apply=in_thread(projector))
            await asyncio.to_thread(probe, projector.store)
        except Damaged as error:
            _log.warning("the views are built again: %s", error)
            projector.close()
            return None
        except EventLogError:
            projector.close()  # the next attempt opens it again and continues
            raise
        if projector.is_outdated:
            _log.warning("the views are built again, without what was erased meanwhile")
            projector.close()
            if usable is None:
                revisions.discard(projector.store.path)
            self._outdated = projector.store.path
            revisions.discard_copies()
            return await self._tried(progress, probe)
        if usable is None:
            revisions.switch(projector.store.path)
            if live is not None:
                self._retired(live)
        revisions.sweep()
        return projector

    async def begun(self) -> Projector:
        """The projector of a revision beside the live one. Raises: `Unavailable`, `Misconfigured`."""
        return self._begun(await self._log.head())

    def replaced(self, store: Store) -> None:
        """That store, now closed, is not the live one any more."""
        self._retired(store.path)
        self.revisions.sweep()

    def _retired(self, path: Path) -> None:
        if reason := damage_noted(path):
            self.revisions.put_aside(path, reason, self._now_ns())

    def _begun(self, head: Head) -> Projector:
        """The projector of the revision that is being built; an unusable one starts again."""
        path = self.revisions.begun()
        projector = self._opened(path, head)
        if projector is None:
            self._retired(path)
            self.revisions.discard(path)
            projector = Projector.open(self._projection, path, head.identity, begun=head.last_seq)
        return projector

    def _opened(self, path: Path, head: Head) -> Projector | None:
        """The projector of a store of this release and this log, None for any other store."""
        try:
            projector = Projector.open(self._projection, path, head.identity, begun=head.last_seq)
        except Damaged as error:
            note_damage(path, str(error))
            _log.warning("the views are built again: %s", error)
            return None
        except Corrupt as error:
            _log.warning("the views are built again: %s", error)
            return None
        if projector.position > head.last_seq:
            _log.warning(
                "the views are built again: they are at %d, the log ends at %d", projector.position, head.last_seq
            )
            projector.close()
            return None
        return projector


def in_thread(projector: Projector) -> Apply:
    """Writes in a thread: a long build in the loop would cost the connection."""

    async def apply(records: list[Record], upto: int) -> None:
        await asyncio.to_thread(projector.apply_long, records, upto)

    return apply
