"""The tables of tasks, and how tasks are read from them.

A task's key is the sequence of its submission: rows are in the order of lists, and new ones are appended. The spec is
stored once, the status on every change, each journal entry once.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from clawactors.eventlog import Corrupt
from clawactors.projections.engine.keys import LAST, PLACE_BYTES, number, place
from clawactors.projections.engine.store import Cursor, Reading
from clawactors.systems.tasks import Entry, Journal, Task, TaskStatus
from clawactors.systems.tasks.archiving import moved
from clawactors.systems.tasks.events import Spec, Submitted, TaskArchived
from clawactors.systems.tasks.journal import EMPTY
from clawactors.systems.tasks.spec import as_event

__all__ = [
    "ANSWERS",
    "ARCHIVED",
    "ARCHIVES",
    "IDS",
    "INDEX",
    "QUEUE",
    "SPECS",
    "STATUSES",
    "STEPS",
    "StoredTask",
    "archived_value",
    "entry_value",
    "find",
    "ids_from",
    "load",
    "load_archived",
    "load_spec",
    "load_status",
    "queue_key",
    "spec_value",
    "status_value",
    "step_key",
]

IDS: Final = "task.ids"
"""id → key."""
SPECS: Final = "task.specs"
"""key → id and spec."""
STATUSES: Final = "task.statuses"
"""key → version and status."""
STEPS: Final = "task.steps"
"""key, number of the entry → journal entry."""
INDEX: Final = "task.index"
"""prefix of a list, key → nothing; see `lists`."""
QUEUE: Final = "task.queue"
"""255 - priority, key → nothing; the pending tasks in the order in which they are due."""
ARCHIVED: Final = "task.archived"
"""key → id, version, time and tombstone of a task whose history has moved; it has no other rows but that of its id."""
ARCHIVES: Final = "task.archives"
"""file of the archive → how many tasks have moved to it."""
ANSWERS: Final = "task.answers"
"""key, version → time and ids of commands; see `answers`."""

_ORDINAL_BYTES: Final = 4
_encode = msgspec.json.Encoder().encode
_spec = msgspec.json.Decoder(Submitted).decode
_life = msgspec.json.Decoder(TaskStatus).decode
_entry = msgspec.json.Decoder(Entry).decode
_tombstone = msgspec.json.Decoder(TaskArchived).decode


class StoredTask(msgspec.Struct, gc=False):
    """A task as it was read. `omitted` is how many of its first journal entries were left out."""

    key: bytes
    id: str
    version: int
    task: Task
    size_bytes: int
    omitted: int = 0


def spec_value(id: str, spec: Spec) -> bytes:
    """The stored form of a spec: always as the `Submitted` event, so that equal specs are equal bytes."""
    if type(spec) is not Submitted:
        spec = as_event(spec, Submitted)
    return id.encode() + b"\n" + _encode(spec)


def status_value(version: int, life: TaskStatus) -> bytes:
    """The stored form of what changes."""
    return version.to_bytes(8, "big") + _encode(life)


def archived_value(id: str, version: int, life: TaskStatus) -> bytes:
    """The stored form of a task whose history has moved."""
    return id.encode() + b"\n" + place(version) + place(life.updated_ns) + _encode(life.archived)


def entry_value(entry: Entry) -> bytes:
    """The stored form of a journal entry."""
    return _encode(entry)


def step_key(key: bytes, ordinal: int) -> bytes:
    """The key of the journal entry with that number."""
    return key + ordinal.to_bytes(_ORDINAL_BYTES, "big")


def queue_key(priority: int) -> bytes:
    """Where pending tasks of a priority stand, before their keys: the most urgent first, then the oldest."""
    return bytes((255 - min(max(priority, 0), 255),))


def find(reading: Reading, id: str) -> bytes | None:
    """The key of the task with that id; the id must be a proper one."""
    return reading.get(IDS, id.encode())


def load_spec(reading: Reading, key: bytes) -> Spec:
    """What was asked of the task with that key. Raises: `Corrupt`."""
    value = reading.get(SPECS, key)
    if value is None and (found := load_archived(reading, key)) is not None and found.task.spec is not None:
        return found.task.spec
    try:
        return _spec((value or b"").partition(b"\n")[2])
    except msgspec.MsgspecError as error:
        raise Corrupt(f"the row of task {number(key)} is damaged: {error}") from error


def load_status(reading: Reading, key: bytes) -> tuple[int, TaskStatus]:
    """Version and status of the task with that key. Raises: `Corrupt`."""
    value = reading.get(STATUSES, key) or b""
    if not value and (found := load_archived(reading, key)) is not None:
        return found.version, found.task.life
    try:
        return int.from_bytes(value[:8], "big"), _life(value[8:])
    except msgspec.MsgspecError as error:
        raise Corrupt(f"the row of task {number(key)} is damaged: {error}") from error


def ids_from(reading: Reading, prefix: str) -> Iterator[str]:
    """The ids that begin so, in their order."""
    start = prefix.encode()
    cursor = reading.cursor(IDS)
    found = cursor.set_range(start)
    while found and (id := cursor.key()).startswith(start):
        yield id.decode()
        found = cursor.next()


def load(reading: Reading, key: bytes, newest_entries: int | None = None, entries: Cursor | None = None) -> StoredTask:
    """The task with that key, with its whole journal or only so many of its newest entries.

    `entries` is a cursor over the journals, for who loads many. Raises: `Corrupt`.
    """
    head, life = reading.get(SPECS, key), reading.get(STATUSES, key)
    if head is None and (found := load_archived(reading, key)) is not None:
        return found
    if head is None or life is None:
        raise Corrupt(f"the row of task {number(key)} is incomplete")
    try:
        id, _, spec = head.partition(b"\n")
        journal, omitted, size_bytes = _journal(entries or reading.cursor(STEPS), key, newest_entries)
        task = Task(spec=_spec(spec), life=_life(life[8:]), journal=journal)
    except msgspec.MsgspecError as error:
        raise Corrupt(f"the row of task {number(key)} is damaged: {error}") from error
    size_bytes += len(head) + len(life)
    return StoredTask(key, id.decode(), int.from_bytes(life[:8], "big"), task, size_bytes, omitted)


def load_archived(reading: Reading, key: bytes) -> StoredTask | None:
    """The task with that key if its history has moved: what its tombstone says. Raises: `Corrupt`."""
    if (value := reading.get(ARCHIVED, key)) is None:
        return None
    id, _, rest = value.partition(b"\n")
    try:
        task = moved(_tombstone(rest[2 * PLACE_BYTES :]), number(rest[PLACE_BYTES : 2 * PLACE_BYTES]))
    except msgspec.MsgspecError as error:
        raise Corrupt(f"the row of task {number(key)} is damaged: {error}") from error
    return StoredTask(key, id.decode(), number(rest[:PLACE_BYTES]), task, len(value))


def _journal(cursor: Cursor, key: bytes, newest: int | None) -> tuple[Journal, int, int]:
    found = cursor.set_range(key)
    if not found or not cursor.key().startswith(key):
        return EMPTY, 0, 0
    first = 0
    if newest is not None:
        first = max(0, _last_ordinal(cursor, key) + 1 - newest)
        found = cursor.set_range(step_key(key, first))
    entries, size_bytes = [], 0
    while found:
        at, value = cursor.item()
        if not at.startswith(key):
            break
        entries.append(_entry(value))
        size_bytes += len(value)
        found = cursor.next()
    return Journal(entries), first, size_bytes


def _last_ordinal(cursor: Cursor, key: bytes) -> int:
    """The number of the newest journal entry, -1 where there is none."""
    found = cursor.prev() if cursor.set_range(key + LAST[:_ORDINAL_BYTES]) else cursor.last()
    at = cursor.key() if found else b""
    return int.from_bytes(at[len(key) :], "big") if at.startswith(key) else -1
