"""What a projection is made of: views that share one store, one decoder and one transaction."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import msgspec

from clawactors.eventlog.decoding import Commit
from clawactors.kernel.kind import Kinds
from clawactors.projections.engine.faults import Faults
from clawactors.projections.engine.questions import QuestionHandler
from clawactors.projections.engine.store import Reading, Writing

__all__ = ["Projection", "SettlingView", "SnapshotView", "StoredState", "View", "ViewDefinition", "questions_of"]


class StoredState(msgspec.Struct, gc=False):
    """An aggregate as its view has written it; `answered` are ids of commands with the versions that answered them."""

    state: Any
    version: int
    answered: dict[str, int]


class View(Protocol):
    """Rows that follow from commits. What `fold` learns is written by `write`, once for a whole batch.

    The rows depend on the commits alone, never on how they fall into batches: the digest proves that.
    """

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def kind(self) -> str:
        """The kind of aggregate that it folds, '' for a view that other views tell."""
        ...

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that are its own."""
        ...

    def believes(self, id: str, writer: str, txn: Writing) -> bool:
        """May that node speak about the aggregate as it is now? A commit it may not write has no events in `fold`."""
        ...

    def fold(self, commit: Commit, txn: Writing) -> None:
        """Takes in one commit; never raises for what it says."""
        ...

    def write(self, txn: Writing) -> None:
        """Puts the rows of everything that was touched since the last time."""
        ...

    def forget(self) -> None:
        """Drops all that is held in memory: the batch was lost, or another process wrote."""
        ...


@runtime_checkable
class SettlingView(View, Protocol):
    """A view that folds each aggregate from its own commits alone, in whatever order the aggregates come."""

    def settle(self, id: str) -> None:
        """No commit of that aggregate follows in this batch: its rows are made, and it may be dropped."""
        ...


@runtime_checkable
class SnapshotView(View, Protocol):
    """A view whose rows hold whole aggregates."""

    def load(self, reading: Reading, id: str, *, brief: bool = False) -> StoredState | None:
        """The aggregate as it is written; None where it was not created. Uses nothing that the view holds in memory.

        `brief`: in the brief form of its kind; what that leaves out is not read.
        """
        ...


class ViewDefinition(msgspec.Struct, frozen=True):
    """All that the engine needs to know of a view. `make` is None where it has no rows of its own, only questions.

    `stored`: the structs that its rows encode; when their fields change, the views are built anew.
    """

    make: Callable[[Kinds, Faults], View] | None = None
    stored: tuple[type[msgspec.Struct], ...] = ()
    questions: tuple[QuestionHandler, ...] = ()


def _never(_reading: Reading) -> int:
    return 0


class Projection(msgspec.Struct, frozen=True):
    """A store's content: which part of the log, and the views on it. `schema` changes when the rows do."""

    name: str
    patterns: tuple[str, ...]
    tables: tuple[str, ...]
    schema: str
    tags: str
    """Names all event types that this release knows: aggregates frozen by an older one may thaw under another."""
    views: Callable[[], Sequence[View]]
    kinds: Kinds
    questions: Mapping[str, QuestionHandler] = msgspec.field(default_factory=dict)
    """What can be asked, by the last token of the subject."""
    renewed_at: Callable[[Reading], int] = _never
    """The sequence of the last commit behind which rows that were begun before are to be built anew."""

    def asked(self, *handlers: QuestionHandler) -> "Projection":
        """The same projection, which answers these questions too."""
        return msgspec.structs.replace(self, questions={**self.questions, **{each.name: each for each in handlers}})


def questions_of(definitions: Iterable[ViewDefinition]) -> dict[str, QuestionHandler]:
    """The questions that the views answer, by name."""
    return {handler.name: handler for definition in definitions for handler in definition.questions}
