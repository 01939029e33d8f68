"""The names of events that triggers know: the tags on the wire, and what people call the ends of a task."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any, Final

from clawactors.systems.alarms import events as ae
from clawactors.systems.nodes import events as ne
from clawactors.systems.tasks import events as te

__all__ = ["NAMES", "kind_of", "name_of", "named", "tags_of", "unknown"]

_ENDED: Final[dict[str, str]] = {"dead": "task.dead", "failed": "task.failed", "blocked": "task.blocked"}
_TAGS: Final = frozenset((*te.CODEC.tags, *ne.CODEC.tags, *ae.CODEC.tags))
NAMES: Final = tuple(sorted({*_TAGS, *_ENDED.values()}))
"""All names, for messages and completion."""
_SOURCES: Final = {
    "task.dead": ("task.attempt_failed", "task.interrupted"),
    "task.failed": ("task.attempt_failed",),
    "task.blocked": ("task.attempt_failed", "task.blocked"),
}


def name_of(event: Any) -> str:
    """What happened, in one name: an attempt that ends its task is the end of the task."""
    if isinstance(event, te.AttemptFailed):
        return _ENDED.get(event.then, "task.attempt_failed")
    if isinstance(event, te.Interrupted) and event.dead:
        return "task.dead"
    return str(event.__struct_config__.tag)


def kind_of(name: str) -> str:
    """The kind of aggregate that events of this name happen to; steps are part of tasks."""
    kind = name.partition(".")[0]
    return kind if kind in ("node", "alarm") else "task"


def unknown(on: Iterable[str]) -> list[str]:
    """Those that name no event; `task.*` names all of a kind."""
    return [each for each in on if not any(fnmatchcase(name, each) for name in NAMES)]


def named(on: Iterable[str]) -> frozenset[str]:
    """The names that these stand for; `task.*` stands for many."""
    on = tuple(on)
    return frozenset(name for name in NAMES if any(fnmatchcase(name, each) for each in on))


def tags_of(on: Iterable[str]) -> tuple[str, ...]:
    """The tags on the wire that events of these names may have."""
    return tuple(sorted({tag for name in named(on) for tag in _SOURCES.get(name, (name,))}))
