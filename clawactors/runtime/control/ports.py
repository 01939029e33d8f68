"""What the control process feeds: views, whatever they are kept in."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from clawactors.eventlog import Record
from clawactors.eventlog.decoding import Commit
from clawactors.runtime.control.folded import States
from clawactors.systems.placement import PlacementStart

__all__ = ["Commands", "Views"]


class Commands(Protocol):
    """A queue of what other programs want. What is taken and not done comes again, to whoever takes then."""

    @property
    def identity(self) -> str:
        """Which queue this is, once something was taken: sequences of another one mean other commands."""
        ...

    async def take(self, wait_s: float) -> list[Record]:
        """What waits now, or comes first within the time; empty when nothing does. Raises: `Unavailable`."""
        ...

    async def bury(self, record: Record, reason: str) -> None:
        """Keeps it for people, who see why; once, however often it is done. Raises: `Unavailable`."""
        ...

    def done(self, seqs: Iterable[int]) -> None:
        """These are dealt with."""
        ...


class Views(Protocol):
    """Folds of the log for queries."""

    def snapshot(self) -> PlacementStart:
        """What placement starts from: the views as they are."""
        ...

    @property
    def snapshots(self) -> States:
        """States of single aggregates, as of what was applied last."""
        ...

    async def apply(self, commits: Sequence[Commit], upto: int) -> None:
        """Takes commits in the order of the log, all there are up to that sequence.

        Waits while too many are held, so that memory stays flat.
        """
        ...
