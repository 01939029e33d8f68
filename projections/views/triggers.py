"""The triggers view: every trigger as its kind folds it. There are few, so they are listed by name only."""

from collections.abc import Iterator
from typing import Any, Final

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
from clawactors.systems.triggers import Trigger
from clawactors.systems.triggers.events import TriggerPlan
from clawactors.systems.triggers.row import row

__all__ = [
    "TRIGGERS",
    "TRIGGERS_VIEW",
    "StoredTrigger",
    "TriggerQuestion",
    "TriggersQuestion",
    "TriggersView",
    "load_trigger",
    "stored_triggers",
]

TRIGGERS: Final = "trigger.triggers"
"""name → version and trigger."""
ANSWERS: Final = "trigger.answers"
"""name, version → time and ids of commands; see `answers`."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Trigger).decode


class StoredTrigger(msgspec.Struct):
    """A trigger as it was read."""

    name: str
    version: int
    trigger: Trigger


class TriggersView:
    """See the module. `faults` gets what could not be folded."""

    name = "triggers"
    kind = "trigger"
    tables = (TRIGGERS, ANSWERS)

    def __init__(self, kinds: Kinds, faults: Faults) -> None:
        self._kind, self._faults = kinds[self.kind], faults
        self._initial = self._kind.decider.initial
        self._touched: dict[str, StoredTrigger] = {}
        self._answers = AnswerTable(ANSWERS)

    def _present(self, id: str, txn: Writing) -> StoredTrigger:
        return self._touched.get(id) or load_trigger(txn, id) or StoredTrigger(id, 0, self._initial)

    def believes(self, id: str, writer: str, txn: Writing) -> bool:
        """See `View`."""
        return self._kind.believes(id, self._present(id, txn).trigger, writer)

    def fold(self, commit: Commit, txn: Writing) -> None:
        """See `View`."""
        held = self._present(commit.id, txn)
        held.trigger = fold_commit(self._kind, commit, held.trigger, txn, self._faults, self._answers, _standing)
        if held.trigger is not self._initial:
            held.version = commit.record.seq
            self._touched[commit.id] = held

    def write(self, txn: Writing) -> None:
        """See `View`."""
        for name, held in self._touched.items():
            txn.put(TRIGGERS, name.encode(), held.version.to_bytes(8, "big") + _encode(held.trigger))
        self._touched.clear()
        self._answers.write(txn)

    def load(self, reading: Reading, id: str, *, brief: bool = False) -> StoredState | None:
        """See `SnapshotView`."""
        stored = load_trigger(reading, id)
        if stored is None:
            return None
        return StoredState(stored.trigger, stored.version, answers_of(reading, ANSWERS, answers_key(id)))

    def forget(self) -> None:
        """See `View`."""
        self._touched.clear()
        self._answers.forget()


def _standing(trigger: Trigger) -> str:
    return f"while {trigger.status}"


def load_trigger(reading: Reading, name: str) -> StoredTrigger | None:
    """The trigger of that name, None where there never was one. Raises: `Corrupt`."""
    value = reading.get(TRIGGERS, name.encode())
    return None if value is None else _stored(name.encode(), value)


def stored_triggers(reading: Reading) -> Iterator[StoredTrigger]:
    """All that were ever added, by name."""
    for key, value in ascending(reading, TRIGGERS):
        yield _stored(key, value)


def _stored(key: bytes, value: bytes) -> StoredTrigger:
    try:
        return StoredTrigger(key.decode(), int.from_bytes(value[:8], "big"), _decode(value[8:]))
    except msgspec.MsgspecError as error:
        raise Corrupt(f"the row of trigger {key.decode()} is damaged: {error}") from error


class TriggersQuestion(ViewQuestion, frozen=True, kw_only=True):
    """The triggers that exist, by name."""


class TriggerQuestion(ViewQuestion, frozen=True, kw_only=True):
    """One trigger."""

    id: str


def _triggers(question: TriggersQuestion, context: QueryContext) -> dict[str, Any]:
    return {"rows": [_row(stored) for stored in stored_triggers(context.reading) if stored.trigger.exists]}


def _trigger(question: TriggerQuestion, context: QueryContext) -> dict[str, Any]:
    name = checked_id(question.id)
    stored = load_trigger(context.reading, name)
    if stored is None or not stored.trigger.exists:
        raise NotFound(absence(context.reading, "trigger", name))
    return {"row": _row(stored)}


def _row(stored: StoredTrigger) -> dict[str, Any]:
    return row(stored.name, stored.version, stored.trigger)


TRIGGERS_VIEW: Final = ViewDefinition(
    make=TriggersView,
    stored=(Trigger, TriggerPlan),
    questions=(
        QuestionHandler("triggers", TriggersQuestion, _triggers),
        QuestionHandler("trigger", TriggerQuestion, _trigger),
    ),
)
