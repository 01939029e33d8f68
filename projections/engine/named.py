"""The view of a kind of which there are few: every aggregate as its kind folds it, listed by name only."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import msgspec

from clawactors.eventlog import Corrupt
from clawactors.eventlog.decoding import Commit
from clawactors.kernel.errors import NotFound
from clawactors.kernel.kind import Kinds
from clawactors.projections.engine.answers import AnswerTable, answers_of
from clawactors.projections.engine.faults import Faults, absence
from clawactors.projections.engine.folding import answers_key, fold_commit
from clawactors.projections.engine.index import ascending
from clawactors.projections.engine.questions import QueryContext, QuestionHandler, ViewQuestion, checked_id
from clawactors.projections.engine.store import Reading, Writing
from clawactors.projections.engine.view import StoredState, ViewDefinition

__all__ = ["NamedTables", "NamedView", "named_view"]


class _NamedRow[S](msgspec.Struct):
    name: str
    version: int
    state: S


class NamedTables[S]:
    """The tables of one kind: name → version and state; name, version → time and ids of commands, see `answers`.

    A state has `status`, for faults, and `exists`, False once it was removed.
    """

    def __init__(self, kind: str, plural: str, state: type[S]) -> None:
        self.kind, self.plural = kind, plural
        self.states, self.answers = f"{kind}.{plural}", f"{kind}.answers"
        self._encode, self._decode = msgspec.json.Encoder().encode, msgspec.json.Decoder(state).decode

    def read(self, reading: Reading, name: str) -> _NamedRow[S] | None:
        """The aggregate of that name, None where there never was one. Raises: `Corrupt`."""
        value = reading.get(self.states, name.encode())
        return None if value is None else self._stored(name.encode(), value)

    def read_all(self, reading: Reading) -> Iterator[_NamedRow[S]]:
        """All that were ever added, by name. Raises: `Corrupt`."""
        for key, value in ascending(reading, self.states):
            yield self._stored(key, value)

    def put(self, txn: Writing, row: _NamedRow[S]) -> None:
        """Writes the row."""
        txn.put(self.states, row.name.encode(), row.version.to_bytes(8, "big") + self._encode(row.state))

    def _stored(self, key: bytes, value: bytes) -> _NamedRow[S]:
        try:
            return _NamedRow(key.decode(), int.from_bytes(value[:8], "big"), self._decode(value[8:]))
        except msgspec.MsgspecError as error:
            raise Corrupt(f"the row of {self.kind} {key.decode()} is damaged: {error}") from error


class NamedView:
    """See the module. `faults` gets what could not be folded."""

    def __init__(self, tables: NamedTables[Any], kinds: Kinds, faults: Faults) -> None:
        self._rows = tables
        self.name, self.kind, self.tables = tables.plural, tables.kind, (tables.states, tables.answers)
        self._kind, self._faults = kinds[self.kind], faults
        self._initial = self._kind.decider.initial
        self._touched: dict[str, _NamedRow[Any]] = {}
        self._answers = AnswerTable(tables.answers)

    def state(self, id: str, txn: Reading) -> Any:
        """The aggregate with all that was folded, written or not."""
        return self._present(id, txn).state

    def _present(self, id: str, txn: Reading) -> _NamedRow[Any]:
        return self._touched.get(id) or self._rows.read(txn, id) or _NamedRow(id, 0, self._initial)

    def believes(self, id: str, writer: str, txn: Writing) -> bool:
        """See `View`."""
        return self._kind.believes(id, self._present(id, txn).state, writer)

    def fold(self, commit: Commit, txn: Writing) -> None:
        """See `View`."""
        held = self._present(commit.id, txn)
        held.state = fold_commit(self._kind, commit, held.state, txn, self._faults, self._answers, _standing)
        if held.state is not self._initial:
            held.version = commit.record.seq
            self._touched[commit.id] = held

    def write(self, txn: Writing) -> None:
        """See `View`."""
        for held in self._touched.values():
            self._rows.put(txn, held)
        self._touched.clear()
        self._answers.write(txn)

    def load(self, reading: Reading, id: str, *, brief: bool = False) -> StoredState | None:
        """See `SnapshotView`."""
        stored = self._rows.read(reading, id)
        if stored is None:
            return None
        return StoredState(stored.state, stored.version, answers_of(reading, self._rows.answers, answers_key(id)))

    def forget(self) -> None:
        """See `View`."""
        self._touched.clear()
        self._answers.forget()


def _standing(state: Any) -> str:
    return f"while {state.status}"


class _AllNamed(ViewQuestion, frozen=True, kw_only=True):
    pass


class _OneNamed(ViewQuestion, frozen=True, kw_only=True):
    id: str


def named_view[S](
    tables: NamedTables[S], *stored: type[msgspec.Struct], row: Callable[[str, int, S], dict[str, Any]]
) -> ViewDefinition:
    """The view on these tables, with two questions: the rows of all that exist, by name, and the `row` of one.

    `stored` are the structs that the rows encode.
    """

    def all_rows(question: _AllNamed, context: QueryContext) -> dict[str, Any]:
        there = (each for each in tables.read_all(context.reading) if _exists(each))
        return {"rows": [row(each.name, each.version, each.state) for each in there]}

    def one_row(question: _OneNamed, context: QueryContext) -> dict[str, Any]:
        name = checked_id(question.id)
        found = tables.read(context.reading, name)
        if found is None or not _exists(found):
            raise NotFound(absence(context.reading, tables.kind, name))
        return {"row": row(found.name, found.version, found.state)}

    return ViewDefinition(
        make=partial(NamedView, tables),
        stored=stored,
        questions=(
            QuestionHandler(tables.plural, _AllNamed, all_rows),
            QuestionHandler(tables.kind, _OneNamed, one_row),
        ),
    )


def _exists(named: _NamedRow[Any]) -> bool:
    return bool(named.state.exists)
