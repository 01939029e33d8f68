"""The view of counters: each by its id, and one question."""

from typing import Any, Final

import msgspec

from clawactors.eventlog.decoding import Commit
from clawactors.kernel.errors import NotFound
from clawactors.kernel.kind import Kinds
from clawactors.projections.engine.answers import AnswerTable, answers_of
from clawactors.projections.engine.faults import Faults, absence
from clawactors.projections.engine.folding import answers_key, fold_commit
from clawactors.projections.engine.questions import QueryContext, QuestionHandler, ViewQuestion, checked_id
from clawactors.projections.engine.store import Reading, Writing
from clawactors.projections.engine.view import StoredState, ViewDefinition
from tests.toy.counters.decider import Counter

__all__ = ["COUNTERS_VIEW", "CounterQuestion", "CountersView"]

ROWS: Final = "counter.counters"
"""id → version and counter."""
ANSWERS: Final = "counter.answers"
"""id, version → ids of the commands that were answered."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Counter).decode


class CountersView:
    """See the module. `faults` gets what could not be folded."""

    name = "counters"
    kind = "counter"
    tables = (ROWS, ANSWERS)

    def __init__(self, kinds: Kinds, faults: Faults) -> None:
        self._kind, self._faults = kinds[self.kind], faults
        self._touched: dict[str, StoredState] = {}
        self._answers = AnswerTable(ANSWERS)

    def _present(self, reading: Reading, id: str) -> StoredState:
        return self._touched.get(id) or self.load(reading, id) or StoredState(self._kind.decider.initial, 0, {})

    def believes(self, id: str, writer: str, txn: Writing) -> bool:
        """See `View`."""
        return self._kind.believes(id, self._present(txn, id).state, writer)

    def fold(self, commit: Commit, txn: Writing) -> None:
        """See `View`."""
        stored = self._present(txn, commit.id)
        stored.state = fold_commit(self._kind, commit, stored.state, txn, self._faults, self._answers, _standing)
        if stored.state is not self._kind.decider.initial:
            stored.version = commit.record.seq
            self._touched[commit.id] = stored

    def write(self, txn: Writing) -> None:
        """See `View`."""
        for id, stored in self._touched.items():
            txn.put(ROWS, id.encode(), stored.version.to_bytes(8, "big") + _encode(stored.state))
        self._answers.write(txn)
        self._touched.clear()

    def load(self, reading: Reading, id: str, *, brief: bool = False) -> StoredState | None:
        """See `SnapshotView`."""
        row = reading.get(ROWS, id.encode())
        if row is None:
            return None
        return StoredState(
            _decode(row[8:]), int.from_bytes(row[:8], "big"), answers_of(reading, ANSWERS, answers_key(id))
        )

    def forget(self) -> None:
        """See `View`."""
        self._touched.clear()
        self._answers.forget()


def _standing(counter: Counter) -> str:
    return f"at {counter.value}"


class CounterQuestion(ViewQuestion, frozen=True, kw_only=True):
    """One counter."""

    id: str


def _counter(question: CounterQuestion, context: QueryContext) -> dict[str, Any]:
    row = context.reading.get(ROWS, checked_id(question.id).encode())
    if row is None:
        raise NotFound(absence(context.reading, "counter", question.id))
    counter = _decode(row[8:])
    return {"row": {"id": question.id, "version": int.from_bytes(row[:8], "big"), "value": counter.value}}


COUNTERS_VIEW: Final = ViewDefinition(
    make=CountersView, stored=(Counter,), questions=(QuestionHandler("counter", CounterQuestion, _counter, quick=True),)
)
