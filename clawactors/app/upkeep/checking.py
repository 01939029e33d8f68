"""Folds recorded histories with this release's code, and reports every difference from what was recorded."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec

from clawactors.app.upkeep.recorded import ROW, RecordedEvent, RecordedHistory, recorded_in
from clawactors.eventlog import EventLogError, FromTheFuture, Malformed, Misconfigured
from clawactors.kernel.fold import Snapshot, fold
from clawactors.kinds import KINDS
from clawactors.runtime.client.rows import task_row
from clawactors.systems.tasks import Task
from clawactors.systems.tasks.journal import SIGNAL

__all__ = ["CheckReport", "HistoryProblem", "check_histories", "differences", "fields_of", "state_of"]


class HistoryProblem(msgspec.Struct, frozen=True):
    """What is wrong: in which file, of which aggregate, at which sequence; 0 where it is about the whole."""

    file: str
    aggregate: str
    seq: int
    problem: str


class CheckReport(msgspec.Struct):
    """How much was checked, and all that is wrong."""

    files: int = 0
    histories: int = 0
    records: int = 0
    problems: list[HistoryProblem] = []

    @property
    def ok(self) -> bool:
        """Nothing is wrong."""
        return not self.problems


async def check_histories(folder: Path) -> AsyncIterator[CheckReport]:
    """The report after each file in the folder and below it, the same object; the last one is of all.

    Raises: `Misconfigured` where there is no such folder, or no history in it.
    """
    paths = _files(folder)
    if not paths:
        raise Misconfigured(f"{folder} has no recorded histories (*.json, *.jsonl, *.jsonl.zst)")
    report = CheckReport()
    for path in paths:
        report.files += 1
        name = str(path.relative_to(folder))
        try:
            async for recorded in recorded_in(path):
                report.histories += 1
                if isinstance(recorded, RecordedEvent):
                    report.records += 1
                    report.problems += (HistoryProblem(name, recorded.kind, 0, text) for text in _of_event(recorded))
                else:
                    report.records += len(recorded.records)
                    aggregate = f"{recorded.kind}/{recorded.id}"
                    found = _of_history(recorded)
                    report.problems += (HistoryProblem(name, aggregate, seq, text) for seq, text in found)
        except (EventLogError, OSError) as error:
            report.problems.append(HistoryProblem(name, "", 0, str(error)))
        yield report


def _files(folder: Path) -> list[Path]:
    names = ("*.json", "*.jsonl", "*.jsonl.zst")
    return sorted(path for name in names for path in folder.rglob(name) if not path.name.endswith(ROW))


def _of_event(recorded: RecordedEvent) -> Iterator[str]:
    if recorded.kind not in KINDS:
        yield f"the kind {recorded.kind!r} is not known to this release"
        return
    try:
        (event,) = KINDS[recorded.kind].codec.decode(recorded.body)
    except (Malformed, FromTheFuture) as error:
        yield str(error)
    else:
        yield from differences(recorded.event, fields_of(event))


def _of_history(recorded: RecordedHistory) -> Iterator[tuple[int, str]]:
    """What could not be folded, unless the recording says what follows; and how that differs."""
    if recorded.kind not in KINDS:
        yield 0, f"the kind {recorded.kind!r} is not known to this release"
        return
    kind = KINDS[recorded.kind]
    known: Snapshot[Any] = Snapshot(kind.decider.initial)
    for record in recorded.records:
        known = fold(kind, known, record)
        if recorded.state is None and known.fault:
            yield record.seq, known.fault
        if recorded.state is None and known.frozen:
            yield record.seq, known.frozen
            return
    if recorded.state is not None:
        for text in differences(recorded.state, state_of(known)):
            yield 0, text
    if recorded.row is not None:
        now = msgspec.json.decode(msgspec.json.encode(task_row(recorded.id, known)))
        for text in differences(_lasting(recorded.row), now):
            yield 0, text


def _lasting(row: dict[str, Any]) -> dict[str, Any]:
    """What follows from the log in a row."""
    return {name: value for name, value in row.items() if name not in ("progress", "archived_in", "version")}


def differences(recorded: Any, now: Any, where: str = "") -> Iterator[str]:
    """What was recorded and is not so now; a later release may know more."""
    if isinstance(recorded, dict) and isinstance(now, dict):
        for key, value in recorded.items():
            if key not in now:
                yield f"{where}.{key}".lstrip(".") + " is gone"
            else:
                yield from differences(value, now[key], f"{where}.{key}")
    elif isinstance(recorded, list) and isinstance(now, list) and len(recorded) == len(now):
        for number, value in enumerate(recorded):
            yield from differences(value, now[number], f"{where}[{number}]")
    elif (type(recorded), recorded) != (type(now), now):
        yield f"{where.lstrip('.') or 'it'} was {_shown(recorded)} and is {_shown(now)}"


def _shown(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 80 else f"{text[:79]}…"


def fields_of(value: msgspec.Struct) -> dict[str, Any]:
    """All fields as plain JSON, those with their default too."""
    return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return fields_of(value)
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return value


def state_of(known: Snapshot[Any]) -> dict[str, Any]:
    """What a history leads to, as plain JSON.

    A task's signals are told apart from its steps, as they were kept by the first release.
    """
    state = known.state
    if isinstance(state, Task):
        signals = [entry for entry in state.journal if entry.status == "signalled"]
        told = {
            "spec": fields_of(state.spec) if state.spec else None,
            "life": fields_of(state.life)
            | {"signals": [{"name": it.name.removeprefix(SIGNAL), "payload": _plain(it.result)} for it in signals]},
            "journal": [fields_of(entry) for entry in state.journal if entry.status != "signalled"],
        }
    else:
        told = {type(state).__name__.lower(): fields_of(state)}
    return told | {"version": known.version, "frozen": bool(known.frozen), "fault": bool(known.fault)}
