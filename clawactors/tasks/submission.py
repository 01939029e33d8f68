"""A wish as users write it, made a `Spec`: names for priorities, checks that need no log."""

from collections.abc import Iterable, Mapping
from typing import Any

from clawactors.errors import Refused
from clawactors.tasks.events import Spec
from eventlog import is_id

__all__ = ["PRIORITIES", "checked_id", "priority_of", "spec_of"]

PRIORITIES: Mapping[str, int] = {"low": 1, "normal": 2, "high": 3, "urgent": 4}


def priority_of(wish: str | int) -> int:
    """1 to 4 from a number or a name. Raises `Refused`."""
    value = PRIORITIES.get(wish, 0) if isinstance(wish, str) else wish
    if value not in PRIORITIES.values() or isinstance(value, bool):
        raise Refused(f"priority {wish!r} is none of {', '.join(PRIORITIES)}")
    return value


def checked_id(id: str, what: str = "id") -> str:
    """The id itself. Raises `Refused` when it is none."""
    if not is_id(id):
        shown = id if len(id) <= 40 else f"{id[:40]}…"
        raise Refused(f"{shown!r} is no {what}: 1 to 128 letters, digits, '-' or '_'")
    return id


def spec_of(
    skill: str,
    params: Mapping[str, Any] | None = None,
    *,
    name: str = "",
    description: str = "",
    user: str = "",
    type: str = "single",
    priority: str | int = "normal",
    requires: Iterable[str] = (),
    prefers: Iterable[str] = (),
    affinity: Mapping[str, str] | None = None,
    tags: Iterable[str] = (),
    metadata: Mapping[str, Any] | None = None,
    timeout_s: float | None = None,
    max_retries: int | None = None,
) -> Spec:
    """What is asked for, checked as far as that needs neither log nor nodes. Raises `Refused`."""
    if not 0 < len(skill) <= 128:
        raise Refused("a task names its skill: 1 to 128 characters")
    if timeout_s is not None and timeout_s <= 0:
        raise Refused("a timeout is more than 0 s")
    if max_retries is not None and max_retries < 0:
        raise Refused("retries are 0 or more")
    return Spec(
        skill=skill,
        params=dict(params or {}),
        name=name,
        description=description,
        user=user,
        type=type,
        priority=priority_of(priority),
        requires=tuple(requires),
        prefers=tuple(prefers),
        affinity=dict(affinity or {}),
        tags=tuple(tags),
        metadata=dict(metadata or {}),
        timeout_s=timeout_s,
        max_retries=max_retries,
    )
