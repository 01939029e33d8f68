"""The lists that a task is on, by what it is asked for and how it stands: the prefixes of its keys in the index.

Lists of a skill, user, tag, node or error are kept apart by class of status, so that both conditions are one list.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from clawactors.projections.engine.keys import term
from clawactors.systems.tasks import STATUSES, Task

__all__ = [
    "APPROVAL",
    "ERROR",
    "INTERRUPTED",
    "NEW",
    "NODE",
    "PARENT",
    "SKILL",
    "STATUS",
    "TAG",
    "USER",
    "Request",
    "Standing",
    "listed",
    "lists_of_request",
    "lists_of_standing",
    "request_of",
    "standing_of",
    "status_classes",
]

STATUS, INTERRUPTED, PARENT, APPROVAL = b"s", b"i", b"p", b"a"
"""The fields with one list a value."""
SKILL, USER, TAG, NODE, ERROR = b"k", b"u", b"t", b"n", b"e"
"""The fields with a list for each value and class of status."""

type Standing = tuple[str, str, str, bool, bool, int]
"""Status, node, class of its error, whether it was interrupted and asks for approvals, priority; all empty when new."""
type Request = tuple[str, str, tuple[str, ...], str, bytes]
"""Skill, user, tags, parent, and the class of its status."""
NEW: Final[Standing] = ("", "", "", False, False, 0)

# A task passes quickly through `scheduled` and `running`: as one class they leave it where it is.
_CLASS: Final[dict[str, bytes]] = {
    status: bytes((STATUSES.index("scheduled") if status == "running" else at,)) for at, status in enumerate(STATUSES)
}


@lru_cache(maxsize=32768)
def listed(field: bytes, value: str, status_class: bytes) -> bytes:
    """The prefix of the tasks with this value in this field, and a status of this class."""
    return term(field, value) + status_class


def status_classes(statuses: Iterable[str] = ()) -> tuple[bytes, ...]:
    """The classes of those statuses, of all where none is named."""
    return tuple(dict.fromkeys(_CLASS[status] for status in statuses or STATUSES))


def standing_of(task: Task) -> Standing:
    """What changes of a task, as far as lists and sums go by it."""
    life, priority = task.life, task.spec.priority if task.spec else 0
    error = life.error.kind if life.error else ""
    return life.status, life.node, error, life.interruptions > 0, bool(life.approvals), priority


def lists_of_standing(standing: Standing) -> set[bytes]:
    """The lists that a task is on by its status, node and error."""
    status, node, error, interrupted, asks, _ = standing
    if not status:
        return set()
    lists = {listed(field, value, _CLASS[status]) for field, value in ((NODE, node), (ERROR, error)) if value}
    lists.add(term(STATUS, status))
    if interrupted:
        lists.add(term(INTERRUPTED, ""))
    if asks:
        lists.add(term(APPROVAL, ""))
    return lists


def request_of(task: Task) -> Request | None:
    """What was asked for, as far as lists go by it; None before that."""
    spec = task.spec
    return None if spec is None else (spec.skill, spec.user, spec.tags, spec.parent, _CLASS[task.life.status])


def lists_of_request(request: Request | None) -> set[bytes]:
    """The lists that a task is on by its request."""
    if request is None:
        return set()
    skill, user, tags, parent, status_class = request
    lists = {listed(SKILL, skill, status_class)} | {listed(TAG, tag, status_class) for tag in tags}
    if user:
        lists.add(listed(USER, user, status_class))
    if parent:
        lists.add(term(PARENT, parent))
    return lists
