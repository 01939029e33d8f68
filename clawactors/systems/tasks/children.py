"""Children of tasks: their ids, and how their ends are told to their parents.

1. The id of a child follows from its parent, its key and the run, so code that runs again finds the child that it made
   before, and a later run makes children of its own. It is told of these alone.
2. Ends are told as one signal with a name of its own; a signal holds those of one moment, in the order of the log.
3. An end is told once. One that a person retried ends anew, with a later version: that end is told too, and counts.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol

import msgspec

from clawactors.systems.tasks.journal import RESERVED, SIGNAL, Entry, Journal
from clawactors.systems.tasks.payload import is_reference
from clawactors.systems.tasks.spec import Spec, TaskError

__all__ = [
    "CHILDREN",
    "DEPTH_MAX",
    "WIDTH_MAX",
    "ChildEnd",
    "HowItEnded",
    "child_id",
    "end_of",
    "ends_in",
    "fresh_ends",
    "made_by",
    "untold",
]

CHILDREN: Final = f"{RESERVED}children"
"""The name of the signal."""
DEPTH_MAX: Final = 32
"""So many parents may a task have above it."""
WIDTH_MAX: Final = 100_000
"""So many children may one task have."""
_INLINE_MAX_BYTES: Final = 1024

_encode: Final = msgspec.json.Encoder().encode


class ChildEnd(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """How a child ended, in which version of it. A `large` result stands in the child alone.

    `recalled`: memories that its result or error may repeat. `ran_s`: from its first start to its end.
    """

    id: str
    version: int
    status: str
    result: Any = None
    large: bool = False
    error: TaskError | None = None
    recalled: tuple[str, ...] = ()
    ran_s: float = 0.0


class HowItEnded(Protocol):
    """Of a task that has ended: status, result and error."""

    @property
    def status(self) -> str:
        """completed, failed, cancelled, dead or archived."""
        ...

    @property
    def result(self) -> Any:
        """What it returned, or a reference to it."""
        ...

    @property
    def error(self) -> TaskError | None:
        """Why it has no result."""
        ...

    @property
    def recalled(self) -> tuple[str, ...]:
        """The memories that its code was answered with."""
        ...

    @property
    def started_ns(self) -> int:
        """When it started first, 0 for never."""
        ...

    @property
    def completed_ns(self) -> int:
        """When it ended."""
        ...


def child_id(parent: str, key: str, run: int = 1) -> str:
    """The id of the child that this run of the parent makes under that key."""
    key = key if run == 1 else f"#@{run}/{key}"  # which no key is of the first run
    return "c-" + hashlib.blake2b(f"{parent}\0{key}".encode(), digest_size=12).hexdigest()


def made_by(child: Spec) -> tuple[str, int]:
    """The parent of that child, "" for none, and the run of it that made the child."""
    return child.parent, child.parent_run or 1


def end_of(id: str, version: int, life: HowItEnded) -> ChildEnd:
    """The end of a task, as its parent is told of it."""
    result = life.result if life.status == "completed" else None
    large = bool(result) and (is_reference(result) or len(_encode(result)) > _INLINE_MAX_BYTES)
    error = life.error if life.status != "completed" else None
    ran_s = max(0, life.completed_ns - life.started_ns) / 1e9 if life.started_ns else 0.0
    return ChildEnd(id, version, life.status, None if large else result, large, error, life.recalled, round(ran_s, 3))


def ends_in(payload: Any) -> list[ChildEnd]:
    """The ends that a signal tells; none where it is malformed."""
    try:
        return msgspec.convert(payload, list[ChildEnd])
    except msgspec.ValidationError:
        return []


def untold(ends: Iterable[ChildEnd], journal: Journal) -> list[ChildEnd]:
    """Those that the parent was not told."""
    return [end for end in ends if journal.last_said(SIGNAL + CHILDREN, end.id, _versions, -1) < end.version]


def _versions(entry: Entry) -> Iterable[tuple[str, int]]:
    return ((end.id, end.version) for end in ends_in(entry.result))


def fresh_ends(ends: Sequence[ChildEnd], journal: Journal) -> list[dict[str, Any]]:
    """Those that the parent was not told, as its signal carries them."""
    return [msgspec.to_builtins(end) for end in untold(ends, journal)]
