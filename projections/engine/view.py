"""What a projection is made of: views that share one store, one decoder and one transaction."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import msgspec

from clawactors.eventlog.decoding import Commit
from clawactors.projections.engine.store import Reading, Writing

__all__ = ["Projection", "SnapshotView", "StoredState", "View"]


class StoredState(msgspec.Struct, gc=False):
    """An aggregate as its view has written it; `answered` are ids of commands with the versions that answered them."""

    state: Any
    version: int
    answered: dict[str, int]


class View(Protocol):
    """Rows that follow from commits. What `fold` learns is written by `write`, once for a whole batch.

    The rows depend on the commits alone, never on how they fell into batches: that is what the digest proves.
    """

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def kind(self) -> str:
        """The kind of aggregate that it folds, '' for a view that is told by others."""
        ...

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that are its own."""
        ...

    def fold(self, commit: Commit, txn: Writing) -> None:
        """Takes in one commit; never raises for what it says."""
        ...

    def write(self, txn: Writing) -> None:
        """Puts the rows of everything that was touched since the last time."""
        ...

    def forget(self) -> None:
        """Drops all that is held in memory: the batch was lost, or somebody else wrote."""
        ...


@runtime_checkable
class SnapshotView(View, Protocol):
    """A view whose rows hold whole aggregates."""

    def load(self, reading: Reading, id: str) -> StoredState | None:
        """The aggregate as it is written; None where it was not born. Uses nothing that the view holds in memory."""
        ...


class Projection(msgspec.Struct, frozen=True):
    """A store's content: which part of the log, and the views on it. `schema` changes when the rows do."""

    name: str
    patterns: tuple[str, ...]
    tables: tuple[str, ...]
    schema: str
    tags: str
    """Names all event types that this release knows: aggregates frozen by an older one may thaw under another."""
    views: Callable[[], Sequence[View]]
