"""The options of a new task as types, so that editors and type checkers know them, and the error for an unknown one."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypedDict

from clawactors.systems.tasks.events import OnDead

__all__ = ["RepeatedOptions", "TaskOptions", "unknown_option"]

_OTHER_NAMES: Final = {
    "retries": "max_retries",
    "retry": "max_retries",
    "timeout": "timeout_s",
    "delay": "delay_s",
    "wait": "wait_s",
    "task_id": "id",
    "depends_on": "after",
    "labels": "tags",
}
"""What other products call them, and the command line."""


class RepeatedOptions(TypedDict, total=False):
    """Options that make sense for each task of a schedule."""

    description: str
    user: str
    priority: str | int
    requires: Iterable[str]
    prefers: Iterable[str]
    affinity: Mapping[str, str] | None
    tags: Iterable[str]
    metadata: Mapping[str, Any] | None
    timeout_s: float | None
    max_retries: int | None


class TaskOptions(RepeatedOptions, total=False):
    """Options of one task: the keyword arguments of `spec_of`, where each is checked."""

    name: str
    type: str
    after: Iterable[str]
    on_dead: OnDead
    not_before_ns: int
    deadline_ns: int


def unknown_option(
    function: str, options: Iterable[str], known: Iterable[str], other_names: Mapping[str, str] = _OTHER_NAMES
) -> TypeError | None:
    """The error for the first option that `function` does not have, None where it has them all."""
    known = list(known)
    for name in options:
        if name not in known:
            import difflib  # costs every command a millisecond, and is needed for an error only

            near = difflib.get_close_matches(name, known, 1)
            meant = other_names.get(name) or (near[0] if near else "")
            hint = f"did you mean {meant!r}?" if meant in known else f"it has {', '.join(sorted(known))}"
            return TypeError(f"{function}() has no option {name!r}; {hint}")
    return None
