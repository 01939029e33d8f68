"""Rows of dead letters; as in `rows`, names and meanings are promises."""

from collections.abc import Iterable
from typing import Any, Final, Literal

import msgspec

from clawactors.kernel.errors import InvalidQuery
from clawactors.kernel.time import iso
from clawactors.runtime.client.rows import TaskRow
from clawactors.runtime.client.triggerrows import TriggerFailureRow, TriggerRow
from clawactors.runtime.deadletters import Letter

__all__ = [
    "KINDS",
    "DeadLetterDetail",
    "DeadLetterReport",
    "DeadLetterRow",
    "Reports",
    "checked_kinds",
    "detail_of",
    "parts_of",
    "row_of_delivery",
    "row_of_letter",
    "row_of_task",
]

type DeadLetterKind = Literal["task", "delivery", "command", "record"]

KINDS: Final = ("task", "delivery", "command", "record")
"""In the order in which they are listed."""


class DeadLetterRow(msgspec.Struct, frozen=True, kw_only=True):
    """One of them. `id` is `task:T`, `delivery:D` or `letter:N`.

    `of` is the task, the trigger, or the subject; `error` the class of a task's error, '' for others.
    """

    id: str
    kind: DeadLetterKind
    at: str | None
    of: str
    reason: str
    error: str = ""
    skill: str = ""
    tries: int = 0


class DeadLetterDetail(DeadLetterRow, frozen=True, kw_only=True):
    """With what is known beside: the `task`, the `event` of a delivery and the task or node `about` which it is, the
    `body` of a message (at most 200 KB of `bytes`), and the sequence `seq` that it had.
    """

    task: TaskRow | None = None
    event: str = ""
    about: str = ""
    body: str | None = None
    bytes: int = 0
    seq: int = 0


class DeadLetterReport(msgspec.Struct, frozen=True):
    """The outcome for one of them: done, or why it was `left`."""

    id: str
    done: bool = False
    left: str = ""


type Reports = list[DeadLetterReport]


def checked_kinds(kind: str | Iterable[str]) -> tuple[str, ...]:
    """These kinds, all where none is given, in the order of `KINDS`. Raises: `InvalidQuery`."""
    wanted = (kind,) if isinstance(kind, str) else tuple(kind)
    if unknown := [each for each in wanted if each not in KINDS]:
        raise InvalidQuery(f"there is no kind {unknown[0]!r} of dead letters; use {', '.join(KINDS)}")
    return tuple(each for each in KINDS if not wanted or each in wanted)


def parts_of(id: str) -> tuple[str, str]:
    """What it is and its name; an id alone is that of a task. Raises: `InvalidQuery`."""
    sort, colon, name = str(id).partition(":")
    if not colon:
        return "task", sort
    if sort not in ("task", "delivery", "letter") or not name or (sort == "letter" and not name.isdecimal()):
        raise InvalidQuery(f"{id!r} is no dead letter: their ids are task:T, delivery:D and letter:N")
    return sort, name


def row_of_task(task: TaskRow) -> DeadLetterRow:
    """A dead task."""
    error = task.error
    return DeadLetterRow(
        id=f"task:{task.id}",
        kind="task",
        at=task.completed_at or task.updated_at,
        of=task.id,
        reason=error.message if error else "",
        error=error.kind if error else "",
        skill=task.skill,
        tries=task.attempt,
    )


def row_of_delivery(trigger: TriggerRow, failure: TriggerFailureRow) -> DeadLetterRow:
    """What a trigger could not deliver."""
    return DeadLetterRow(
        id=f"delivery:{failure.id}",
        kind="delivery",
        at=failure.at,
        of=trigger.name,
        reason=failure.reason,
        skill=trigger.skill or "",
        tries=failure.tries,
    )


def row_of_letter(letter: Letter) -> DeadLetterRow:
    """A refused command, or a record that nobody can read."""
    return DeadLetterRow(
        id=f"letter:{letter.seq}",
        kind="command" if letter.is_command else "record",
        at=iso(letter.at_ns),
        of=letter.subject,
        reason=letter.reason,
    )


def detail_of(row: DeadLetterRow, **more: Any) -> DeadLetterDetail:
    """The row with what is known beside."""
    return DeadLetterDetail(**{name: getattr(row, name) for name in row.__struct_fields__}, **more)
