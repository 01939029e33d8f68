"""The schedules view: every schedule as `SCHEDULE.evolve` leaves it. There are few, so no list but the one by name."""

from collections.abc import Iterator
from typing import Final

import msgspec

from clawactors.eventlog import Corrupt
from clawactors.eventlog.decoding import Commit
from clawactors.projections.engine.answers import Answers, answers_of
from clawactors.projections.engine.faults import Faults
from clawactors.projections.engine.index import ascending
from clawactors.projections.engine.store import Reading, Writing
from clawactors.projections.engine.view import StoredState
from clawactors.systems.schedules import SCHEDULE, Schedule

__all__ = ["SCHEDULES", "Schedules", "StoredSchedule", "load_schedule", "stored_schedules"]

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


class Schedules:
    """See the module."""

    name = "schedules"
    kind = "schedule"
    tables = (SCHEDULES, ANSWERS)

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._touched: dict[str, StoredSchedule] = {}
        self._answers = Answers(ANSWERS)

    def fold(self, commit: Commit, txn: Writing) -> None:
        """See `View`."""
        held = self._touched.get(commit.id) or load_schedule(txn, commit.id)
        held = held or StoredSchedule(commit.id, 0, SCHEDULE.initial)
        if commit.fault == "future":
            self._faults.freeze(commit, txn)
        elif not self._faults.is_frozen("schedule", commit.id, txn):
            born = held.schedule is SCHEDULE.initial
            for event in commit.events:
                after = SCHEDULE.evolve(held.schedule, event, commit.record.at_ns)
                if after is held.schedule:
                    self._faults.note(commit, "illegal", f"{type(event).__name__} while {held.schedule.status}")
                held.schedule = after
            if held.schedule is not SCHEDULE.initial and not commit.fault:
                self._answers.note(_answers_key(commit.id), commit.record, txn)
                if born:
                    self._faults.born(commit, txn)
        if held.schedule is SCHEDULE.initial:
            self._faults.unborn(commit, txn)
        else:
            held.version = commit.record.seq
            self._touched[commit.id] = held

    def write(self, txn: Writing) -> None:
        """See `View`."""
        for name, held in self._touched.items():
            txn.put(SCHEDULES, name.encode(), held.version.to_bytes(8, "big") + _encode(held.schedule))
        self._touched.clear()
        self._answers.write(txn)

    def load(self, reading: Reading, id: str) -> StoredState | None:
        """See `SnapshotView`."""
        stored = load_schedule(reading, id)
        if stored is None:
            return None
        return StoredState(stored.schedule, stored.version, answers_of(reading, ANSWERS, _answers_key(id)))

    def forget(self) -> None:
        """See `View`."""
        self._touched.clear()
        self._answers.forget()


def _answers_key(name: str) -> bytes:
    return name.encode() + b"\0"


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
