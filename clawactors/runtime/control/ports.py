"""What the control process feeds: views, whatever they are kept in."""

from collections.abc import Sequence
from typing import Protocol

from clawactors.eventlog.decoding import Commit
from clawactors.runtime.control.folded import States
from clawactors.systems.placement import PlacementStart
from clawactors.systems.tasks import TaskStatus

__all__ = ["Views"]


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

    async def apply(self, commits: Sequence[Commit], upto: int) -> None:
        """Takes commits in the order of the log, all there are up to that sequence.

        Waits while too many are held, so that memory stays flat.
        """
        ...
