"""The schedules view: every schedule as its kind folds it. There are few, so they are listed by name only."""

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
from clawactors.systems.schedules import Schedule
from clawactors.systems.schedules.events import SchedulePlan
from clawactors.systems.schedules.row import row

__all__ = [
    "SCHEDULES",
    "SCHEDULES_VIEW",
    "ScheduleQuestion",
    "SchedulesQuestion",
    "SchedulesView",
    "StoredSchedule",
    "load_schedule",
    "stored_schedules",
]

SCHEDULES: Final = "schedule.schedules"
"""name → version and schedule."""
ANSWERS: Final = "schedule.answers"
"""name, version → time and ids of commands; see `answers`."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Schedule).decode


class StoredSchedule(msgspec.Struct):
    """A schedule as it was read."""

    name: str
    version: int
    schedule: Schedule


class SchedulesView:
    """See the module. `faults` gets what could not be folded."""

    name = "schedules"
    kind = "schedule"
    tables = (SCHEDULES, ANSWERS)

    def __init__(self, kinds: Kinds, faults: Faults) -> None:
        self._kind, self._faults = kinds[self.kind], faults
        self._initial = self._kind.decider.initial
        self._touched: dict[str, StoredSchedule] = {}
        self._answers = AnswerTable(ANSWERS)

    def _present(self, id: str, txn: Writing) -> StoredSchedule:
        return self._touched.get(id) or load_schedule(txn, id) or StoredSchedule(id, 0, self._initial)

    def believes(self, id: str, writer: str, txn: Writing) -> bool:
        """See `View`."""
        return self._kind.believes(id, self._present(id, txn).schedule, writer)

    def fold(self, commit: Commit, txn: Writing) -> None:
        """See `View`."""
        held = self._present(commit.id, txn)
        held.schedule = fold_commit(self._kind, commit, held.schedule, txn, self._faults, self._answers, _standing)
        if held.schedule is not self._initial:
            held.version = commit.record.seq
            self._touched[commit.id] = held

    def write(self, txn: Writing) -> None:
        """See `View`."""
        for name, held in self._touched.items():
            txn.put(SCHEDULES, name.encode(), held.version.to_bytes(8, "big") + _encode(held.schedule))
        self._touched.clear()
        self._answers.write(txn)

    def load(self, reading: Reading, id: str, *, brief: bool = False) -> StoredState | None:
        """See `SnapshotView`."""
        stored = load_schedule(reading, id)
        if stored is None:
            return None
        return StoredState(stored.schedule, stored.version, answers_of(reading, ANSWERS, answers_key(id)))

    def forget(self) -> None:
        """See `View`."""
        self._touched.clear()
        self._answers.forget()


def _standing(schedule: Schedule) -> str:
    return f"while {schedule.status}"


def load_schedule(reading: Reading, name: str) -> StoredSchedule | None:
    """The schedule of that name, None where there never was one. Raises: `Corrupt`."""
    value = reading.get(SCHEDULES, name.encode())
    return None if value is None else _stored(name.encode(), value)


def stored_schedules(reading: Reading) -> Iterator[StoredSchedule]:
    """All that were ever added, by name."""
    for key, value in ascending(reading, SCHEDULES):
        yield _stored(key, value)


def _stored(key: bytes, value: bytes) -> StoredSchedule:
    try:
        return StoredSchedule(key.decode(), int.from_bytes(value[:8], "big"), _decode(value[8:]))
    except msgspec.MsgspecError as error:
        raise Corrupt(f"the row of schedule {key.decode()} is damaged: {error}") from error


class SchedulesQuestion(ViewQuestion, frozen=True, kw_only=True):
    """The schedules that exist, by name."""


class ScheduleQuestion(ViewQuestion, frozen=True, kw_only=True):
    """One schedule."""

    id: str


def _schedules(question: SchedulesQuestion, context: QueryContext) -> dict[str, Any]:
    return {"rows": [_row(stored) for stored in stored_schedules(context.reading) if stored.schedule.exists]}


def _schedule(question: ScheduleQuestion, context: QueryContext) -> dict[str, Any]:
    name = checked_id(question.id)
    stored = load_schedule(context.reading, name)
    if stored is None or not stored.schedule.exists:
        raise NotFound(absence(context.reading, "schedule", name))
    return {"row": _row(stored)}


def _row(stored: StoredSchedule) -> dict[str, Any]:
    return row(stored.name, stored.version, stored.schedule)


SCHEDULES_VIEW: Final = ViewDefinition(
    make=SchedulesView,
    stored=(Schedule, SchedulePlan),
    questions=(
        QuestionHandler("schedules", SchedulesQuestion, _schedules),
        QuestionHandler("schedule", ScheduleQuestion, _schedule),
    ),
)
