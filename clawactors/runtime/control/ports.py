"""What the control process feeds: views, whatever they are kept in."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from clawactors.eventlog.decoding import Commit
from clawactors.runtime.control.folded import States
from clawactors.systems.placement import PlacementStart
from clawactors.systems.tasks import TaskStatus

__all__ = ["Archivable", "Views"]


class Archivable(msgspec.Struct, frozen=True, gc=False):
    """A task that has ended: the sequence of its first record, its version, and the task that made it."""

    id: str
    first: int
    version: int
    parent: str


class Views(Protocol):
    """Folds of the log for queries."""

    def snapshot(self) -> PlacementStart:
        """What placement starts from: the views as they are."""
        ...

    @property
    def snapshots(self) -> States:
        """States of single aggregates, as of what was applied last."""
        ...

    async def children_of(self, parent: str, run: int) -> Sequence[tuple[str, int, TaskStatus]]:
        """Id, version and status of each child that this run of the task made, with all applied before the call.

        Raises: `Unavailable`.
        """
        ...

    async def archivable(self, before_ns: int, limit: int, after: int) -> Sequence[Archivable]:
        """Tasks that had ended before that time and were submitted behind that sequence, the first submitted first.

        At most so many. Raises: `Unavailable`, `Corrupt`.
        """
        ...

    async def renew(self) -> bool:
        """Builds them again from the log, without what was erased from it; returns when they hold it no longer.

        False where they hold nothing of it. Raises: `Unavailable`.
        """
        ...

    async def compact(self) -> tuple[int, int]:
        """Gives back the space that deleted rows have left; the bytes before and after. Raises: `Unavailable`."""
        ...

    async def apply(self, commits: Sequence[Commit], upto: int) -> None:
        """Takes commits in the order of the log, all there are up to that sequence.

        Waits while too many are held, so that memory stays flat.
        """
        ...
