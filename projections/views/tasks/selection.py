"""Selects tasks: intersects the lists that the filter names, then checks the rows."""

from collections.abc import Iterator
from typing import Final

import msgspec

from clawactors.projections.engine.index import PrefixWalk, Union, Walk, ascending, newest
from clawactors.projections.engine.keys import LAST, term
from clawactors.projections.engine.store import Reading
from clawactors.projections.views.tasks import table as t
from clawactors.projections.views.tasks.table import StoredTask
from clawactors.projections.views.tasks.times import between
from clawactors.systems.tasks import Task

__all__ = ["LISTED_ENTRIES", "TaskFilter", "pending", "select"]

LISTED_ENTRIES: Final = 200
"""Journal entries that a task in a list carries at most, the newest."""


class TaskFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Conditions on tasks: all of them must hold, and one of several statuses. Times bound the submission, in ns.

    `error` is a class of errors; `interrupted`: its last attempts were cut short; `silent_since_ns`: it runs, and
    nothing has come from it since then.
    """

    status: tuple[str, ...] = ()
    node: str = ""
    user: str = ""
    skill: str = ""
    tag: str = ""
    parent: str = ""
    error: str = ""
    interrupted: bool = False
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
            and (self.silent_since_ns is None or (life.status == "running" and life.updated_ns < self.silent_since_ns))
            and (self.since_ns is None or life.submitted_ns >= self.since_ns)
            and (self.until_ns is None or life.submitted_ns <= self.until_ns)
        )


def select(reading: Reading, wanted: TaskFilter, below: bytes = LAST) -> Iterator[StoredTask]:
    """The tasks that meet all conditions, newest first, from the key `below` downwards."""
    first, last = between(reading, wanted.since_ns, wanted.until_ns)
    for key in newest(_walks(reading, wanted), min(first, below), last):
        stored = t.load(reading, key, LISTED_ENTRIES)
        if wanted.fits(stored.task):
            yield stored


def _walks(reading: Reading, wanted: TaskFilter) -> list[Walk]:
    walks: list[Walk] = []
    if wanted.status:
        walks.append(Union([PrefixWalk(reading, t.INDEX, term(t.STATUS, status)) for status in wanted.status]))
    named = (
        (t.NODE, wanted.node),
        (t.USER, wanted.user),
        (t.SKILL, wanted.skill),
        (t.TAG, wanted.tag),
        (t.PARENT, wanted.parent),
        (t.ERROR, wanted.error),
        (t.STATUS, "running" if wanted.silent_since_ns is not None else ""),
    )
    walks.extend(PrefixWalk(reading, t.INDEX, term(field, value)) for field, value in named if value)
    if wanted.interrupted:
        walks.append(PrefixWalk(reading, t.INDEX, term(t.INTERRUPTED, "")))
    return walks or [PrefixWalk(reading, t.STATUSES)]


def pending(reading: Reading, above: bytes = b"") -> Iterator[tuple[bytes, StoredTask]]:
    """The pending tasks in the order in which they are due, each with its place in the queue, behind `above`."""
    for at, _ in ascending(reading, t.QUEUE, above + b"\0" if above else b""):
        yield at, t.load(reading, at[1:], LISTED_ENTRIES)
