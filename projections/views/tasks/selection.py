"""Selects tasks: intersects the lists that the filter names, then checks the rows."""

from collections.abc import Iterator
from typing import Final

import msgspec

from clawactors.projections.engine.index import Effort, PrefixWalk, Walk, any_of, ascending, newest
from clawactors.projections.engine.keys import LAST, term
from clawactors.projections.engine.store import Reading
from clawactors.projections.views.tasks import table as t
from clawactors.projections.views.tasks.lists import (
    ERROR,
    INTERRUPTED,
    NODE,
    PARENT,
    SKILL,
    STATUS,
    TAG,
    USER,
    listed,
    status_classes,
)
from clawactors.projections.views.tasks.table import StoredTask
from clawactors.projections.views.tasks.times import between
from clawactors.projections.views.tasks.words import sought, walks_of_text
from clawactors.systems.tasks import Task

__all__ = ["LISTED_ENTRIES", "TaskFilter", "pending", "select", "walks_of"]

LISTED_ENTRIES: Final = 200
"""Journal entries that a task in a list carries at most, the newest."""
_A_STATUS: Final = 3
_A_ROW: Final = 10
"""What reading them costs, in seeks."""


class TaskFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Conditions on tasks: all of them must hold, and one of several statuses. Times bound the submission, in ns.

    `error` is a class of errors; `interrupted`: its last attempts were cut short; `silent_since_ns`: it runs, and
    nothing has come from it since then; `text`: words of its name or its last error, see `words`.
    """

    status: tuple[str, ...] = ()
    node: str = ""
    user: str = ""
    skill: str = ""
    tag: str = ""
    parent: str = ""
    error: str = ""
    interrupted: bool = False
    text: str = ""
    silent_since_ns: int | None = None
    since_ns: int | None = None
    until_ns: int | None = None

    def fits(self, task: Task) -> bool:
        """True for a task that meets all conditions."""
        spec, life = task.spec, task.life
        return (
            spec is not None
            and (not self.status or life.status in self.status)
            and (not self.node or life.node == self.node)
            and (not self.user or spec.user == self.user)
            and (not self.skill or spec.skill == self.skill)
            and (not self.tag or self.tag in spec.tags)
            and (not self.parent or spec.parent == self.parent)
            and (not self.error or (life.error is not None and life.error.kind == self.error))
            and (not self.interrupted or life.interruptions > 0)
            and (not self.text or sought(self.text).fits(task))
            and (self.silent_since_ns is None or (life.status == "running" and life.updated_ns < self.silent_since_ns))
            and (self.since_ns is None or life.submitted_ns >= self.since_ns)
            and (self.until_ns is None or life.submitted_ns <= self.until_ns)
        )


def select(
    reading: Reading, wanted: TaskFilter, below: bytes = LAST, effort: Effort | None = None
) -> Iterator[StoredTask]:
    """The tasks that meet all conditions, newest first, from the key `below` downwards, as far as the effort goes.

    Raises: `InvalidQuery` for a text that can't be sought.
    """
    first, last = between(reading, wanted.since_ns, wanted.until_ns)
    effort, entries = effort or Effort(), reading.cursor(t.STEPS)
    for key in newest(walks_of(reading, wanted), min(first, below), last, effort):
        if wanted.silent_since_ns is not None and t.load_status(reading, key)[1].updated_ns >= wanted.silent_since_ns:
            effort.left -= _A_STATUS
            continue
        stored = t.load(reading, key, LISTED_ENTRIES, entries)
        if wanted.fits(stored.task):
            yield stored
        else:
            effort.left -= _A_ROW


def walks_of(reading: Reading, wanted: TaskFilter) -> list[Walk]:
    """The lists that a task which meets all conditions is on; times and silence are on none."""
    walks: list[Walk] = []
    statuses = wanted.status
    if wanted.silent_since_ns is not None:
        statuses = tuple(status for status in ("running",) if status in (statuses or ("running",)))
        if not statuses:
            return [any_of([])]
    named = (
        (NODE, wanted.node),
        (USER, wanted.user),
        (SKILL, wanted.skill),
        (TAG, wanted.tag),
        (ERROR, wanted.error),
    )
    classes = status_classes(statuses)
    for field, value in named:
        if value:
            walks.append(any_of([PrefixWalk(reading, t.INDEX, listed(field, value, each)) for each in classes]))
    if statuses and (not walks or "running" in statuses or "scheduled" in statuses):
        walks.append(any_of([PrefixWalk(reading, t.INDEX, term(STATUS, status)) for status in statuses]))
    if wanted.parent:
        walks.append(PrefixWalk(reading, t.INDEX, term(PARENT, wanted.parent)))
    if wanted.interrupted:
        walks.append(PrefixWalk(reading, t.INDEX, term(INTERRUPTED, "")))
    if wanted.text:
        walks += walks_of_text(reading, sought(wanted.text))
    return walks or [PrefixWalk(reading, t.STATUSES)]


def pending(reading: Reading, above: bytes = b"") -> Iterator[tuple[bytes, StoredTask]]:
    """The pending tasks in the order in which they are due, each with its place in the queue, behind `above`."""
    for at, _ in ascending(reading, t.QUEUE, above + b"\0" if above else b""):
        yield at, t.load(reading, at[1:], LISTED_ENTRIES)
