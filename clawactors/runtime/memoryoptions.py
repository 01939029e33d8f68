"""The options of what clients and tasks ask of memory, as types, so that editors and type checkers know them.

1. An option that there is not is a `TypeError` that names the nearest one: it is never dropped.
2. Times are given as `at`, `since` and `until`, and travel as nanoseconds.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypedDict

from clawactors.kernel.errors import InvalidQuery
from clawactors.runtime.times import Moment, moment_ns
from clawactors.systems.chats.events import Role
from clawactors.systems.memories import Kind, Status
from clawactors.systems.memories.events import Fact, Origin
from clawactors.systems.tasks.options import unknown_option

__all__ = [
    "AuditOptions",
    "ExportOptions",
    "ForgetOptions",
    "MessageOptions",
    "NoteOptions",
    "RecallOptions",
    "SettingsOptions",
    "checked",
]


class NoteOptions(TypedDict, total=False):
    """Of `remember`: fields of the memory. `at` is when it happened; `key` names what it replaces."""

    key: str
    at: Moment | None
    owner: str
    speaker: str
    session: str
    position: int
    agent: str
    kind: Kind
    importance: float
    tone: float
    happened_ns: int
    fact: Fact | None
    origin: Origin
    sources: Iterable[int]
    parents: Iterable[str]
    previous: str
    derived_from: Iterable[str]
    oldest: int


class MessageOptions(TypedDict, total=False):
    """Of `say`. `at` is when it was said; `recalled` names memories that the text repeats."""

    at: Moment | None
    role: Role
    user: str
    speaker: str
    message: str
    happened_ns: int
    recalled: Iterable[str]
    agent: str


class ScopeOptions(TypedDict, total=False):
    """Whose memories, of which conversation and agent, and when they happened."""

    owner: str
    session: str
    agent: str
    since: Moment | None
    until: Moment | None
    since_ns: int
    until_ns: int


class RecallOptions(ScopeOptions, total=False):
    """Of `recall` and `context`. `zone` is where «yesterday» is meant, `locale` how `5/6/2026` is read, as in en_GB.

    `shared` searches what others share, too.
    """

    shared: bool
    tags: Iterable[str]
    kind: Kind | None
    speaker: str
    past: bool
    zone: str
    locale: str
    threshold: float
    explain: bool
    like: str
    fresh: bool


class ForgetOptions(ScopeOptions, total=False):
    """Of `forget`: a scope, instead of ids."""

    reason: str
    dry_run: bool


class ExportOptions(TypedDict, total=False):
    """Of `export`."""

    session: str
    agent: str
    status: Status | None


class SettingsOptions(TypedDict, total=False):
    """Of `settings`: what changes. `sharing` names users, `agent:SKILL`, or `*`; 0 days of retention are for ever."""

    memory: bool
    retention_days: int
    language: str
    zone: str
    sharing: Iterable[str]


class AuditOptions(TypedDict, total=False):
    """Of `audit`."""

    owner: str
    since: Moment | None
    since_ns: int
    limit: int


_TIMES: Final = {"at": "happened_ns", "since": "since_ns", "until": "until_ns"}
_LISTS: Final = frozenset(("tags", "sharing", "recalled", "sources", "parents", "derived_from", "ids"))
_OF_ASKER: Final = ("user", "task", "skill", "by", "fresh")
"""Who asks, as a process says it of its own accord."""
_OTHER_NAMES: Final = {
    "date": "at",
    "time": "at",
    "timestamp": "at",
    "created_at": "at",
    "happened_at": "at",
    "start": "since",
    "end": "until",
    "user_id": "owner",
    "agent_id": "agent",
    "namespace": "owner",
    "conversation": "session",
    "thread_id": "session",
    "retention": "retention_days",
    "share": "sharing",
    "k": "limit",
    "top_k": "limit",
    "min_score": "threshold",
}
"""What other products call them, and the command line."""


def checked(function: str, options: Mapping[str, Any], known: type, *others: str) -> dict[str, Any]:
    """The options as they travel. `known` is their type, `others` are parameters that have names of their own.

    Raises: `TypeError` (no such option), `InvalidQuery` (one text for a list, not a valid time).
    """
    names = known.__annotations__
    asked = [name for name in options if name not in _OF_ASKER]
    if wrong := unknown_option(function, asked, [*names, *others], _OTHER_NAMES):
        raise wrong
    found: dict[str, Any] = {}
    for name, value in options.items():
        if name in _LISTS and isinstance(value, str):
            raise InvalidQuery(f"{name} is a list of strings, not one string: write [{value!r}]")
        if name not in _TIMES:
            found[name] = value
        elif (moment := moment_ns(value)) is not None:
            found[_TIMES[name]] = moment
    return found
