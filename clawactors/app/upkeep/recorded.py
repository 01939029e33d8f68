"""Recorded histories in files, of any release: read one after the other, whatever form they have.

| form | file |
| --- | --- |
| `claw task ID --history --json`, one document or a line an event | `ID.json`, `ID.jsonl` |
| records as the archive writes them, a line each | `*.jsonl`, `*.jsonl.zst` |
| records with the state that they led to | `*.json` with `kind`, `records` and `state` |
| events with what they are | `*.json`, a list of `body` and `event` |

`ID.row.json` beside a history, as `claw task ID --json` prints it, is the row that it led to.
"""

from collections.abc import AsyncIterator, Iterable
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import msgspec

from clawactors.eventlog import Corrupt, Record
from clawactors.eventlog.archive.file import ArchiveFile
from clawactors.eventlog.archive.folder import FolderStore
from clawactors.eventlog.archive.lines import record_of
from clawactors.eventlog.record import parse_subject, subject_of
from clawactors.kernel.time import time_ns

__all__ = ["RecordedEvent", "RecordedHistory", "recorded_in"]

ROW: Final = ".row.json"
_BESIDE: Final = frozenset(("seq", "at"))


class RecordedHistory(msgspec.Struct):
    """The records of one aggregate, and what they led to: its `state` or its `row`, where that is recorded too."""

    kind: str
    id: str
    records: list[Record]
    state: dict[str, Any] | None = None
    row: dict[str, Any] | None = None


class RecordedEvent(msgspec.Struct):
    """The body of a commit of one event, and the event's fields."""

    kind: str
    body: bytes
    event: dict[str, Any]


type Recorded = RecordedHistory | RecordedEvent


async def recorded_in(path: Path) -> AsyncIterator[Recorded]:
    """All that is recorded in a file. Raises: `Corrupt` for what has none of the forms."""
    if path.name.endswith(".jsonl.zst"):
        async for history in _archived(path):
            yield history
        return
    try:
        found = list(_read(path))
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError, Corrupt) as error:
        raise Corrupt(f"it is no recorded history: {error}") from None
    for each in found:
        yield each


async def _archived(path: Path) -> AsyncIterator[RecordedHistory]:
    file = await ArchiveFile.open(FolderStore(path.parent), path.name)
    async for entry in file.entries():
        kind, _, id = entry.aggregate.partition("/")
        if kind != "blob":
            yield RecordedHistory(kind, id, await file.history(entry.aggregate))


def _read(path: Path) -> Iterable[Recorded]:
    text = path.read_bytes()
    if path.suffix == ".jsonl":
        document: Any = [msgspec.json.decode(line) for line in text.splitlines() if line.strip()]
    else:
        document = msgspec.json.decode(text)
    if isinstance(document, dict):
        records = [Record(**(each | {"body": each["body"].encode()})) for each in document["records"]]
        named = parse_subject(records[0].subject) if records else None
        return [RecordedHistory(document["kind"], named[1] if named else "", records, document.get("state"))]
    if not document:
        raise ValueError("it is empty")
    if "body" in document[0] and "event" in document[0]:
        tag = path.stem
        kind = tag.partition(".")[0].replace("step", "task")  # steps are of tasks
        return [RecordedEvent(kind, each["body"].encode(), each["event"]) for each in document]
    if "subject" in document[0]:
        return _of_lines(text)
    return [_of_entries(path, document)]


def _of_lines(text: bytes) -> Iterable[RecordedHistory]:
    groups: dict[tuple[str, str], list[Record]] = {}
    for line in text.splitlines():
        record = record_of(line)
        tokens = record.subject.split(".")
        groups.setdefault((tokens[1], tokens[2]), []).append(record)
    return [RecordedHistory(kind, id, records) for (kind, id), records in groups.items()]


def _of_entries(path: Path, entries: list[dict[str, Any]]) -> RecordedHistory:
    """Events with the same sequence were one commit. What else stands beside an event is not read as part of it."""
    id = path.name.removesuffix(path.suffix)
    row = path.with_name(f"{id}{ROW}")
    records = []
    for seq, group in groupby(entries, key=lambda entry: entry["seq"]):
        commit = list(group)
        events = [{name: value for name, value in entry.items() if name not in _BESIDE} for entry in commit]
        at_ns = time_ns(commit[0]["at"]) if commit[0]["at"] else 0
        body = msgspec.json.encode({"v": 1, "events": events})
        records.append(Record(seq, at_ns, subject_of("task", id), body))
    return RecordedHistory("task", id, records, row=msgspec.json.decode(row.read_bytes()) if row.exists() else None)
