"""What is sent about memories: bodies, and the filter of searches."""

from typing import Annotated, Any

import msgspec
from litestar.params import FromQuery, QueryParameter
from msgspec import UNSET, UnsetType

from clawactors.app.web.parameters import Owner, Several, Text, Time, Until, moment, until, words
from clawactors.systems.chats.events import Role
from clawactors.systems.memories import Kind
from clawactors.systems.memories.events import Fact

__all__ = [
    "ForgetBody",
    "MessageBody",
    "NoteBody",
    "ReasonBody",
    "RecallFilter",
    "SettingsBody",
    "UpdateBody",
    "recall_filter",
]


class _MemoryBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class NoteBody(_MemoryBody, frozen=True, kw_only=True):
    """A text to remember; `key` names what it replaces, `at` is when it happened (ISO 8601)."""

    text: str
    tags: list[str] = []
    key: str | UnsetType = UNSET
    at: str | UnsetType = UNSET
    owner: str | UnsetType = UNSET
    speaker: str | UnsetType = UNSET
    session: str | UnsetType = UNSET
    agent: str | UnsetType = UNSET
    kind: Kind | UnsetType = UNSET
    importance: float | UnsetType = UNSET
    tone: float | UnsetType = UNSET
    fact: Fact | UnsetType = UNSET


class MessageBody(_MemoryBody, frozen=True, kw_only=True):
    """A message of a conversation; `message` names it, so that the same again is quiet."""

    text: str
    role: Role = "user"
    user: str = ""
    speaker: str = ""
    message: str = ""
    at: str = ""
    recalled: list[str] = []
    agent: str = ""


class UpdateBody(_MemoryBody, frozen=True, kw_only=True):
    """Other words, and other tags if they are given."""

    text: str
    tags: list[str] | None = None


class ForgetBody(_MemoryBody, frozen=True, kw_only=True):
    """`ids`, or a scope: everything of an owner, a session, an agent, a time. `dry_run` only lists."""

    ids: list[str] = []
    owner: str | UnsetType = UNSET
    session: str | UnsetType = UNSET
    agent: str | UnsetType = UNSET
    since: str | UnsetType = UNSET
    until: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    dry_run: bool | UnsetType = UNSET


class SettingsBody(_MemoryBody, frozen=True, kw_only=True):
    """What an owner wants of memory; `sharing` names users, `agent:SKILL`, or `*`."""

    memory: bool | UnsetType = UNSET
    retention_days: int | UnsetType = UNSET
    language: str | UnsetType = UNSET
    zone: str | UnsetType = UNSET
    sharing: list[str] | UnsetType = UNSET


class ReasonBody(_MemoryBody, frozen=True, kw_only=True):
    """Why."""

    reason: str = ""


class RecallFilter(msgspec.Struct, frozen=True):
    """What searches and contexts are narrowed by, as the client takes it."""

    wanted: dict[str, Any]


def recall_filter(
    owner: Owner = "",
    shared: Annotated[bool, QueryParameter(description="with what others share")] = False,
    kind: FromQuery[Kind | None] = None,
    tag: Several = None,
    speaker: Text = "",
    session: Text = "",
    agent: Text = "",
    zone: Annotated[str, QueryParameter(description="where «yesterday» is meant, as in `Europe/Berlin`")] = "",
    locale: Annotated[str, QueryParameter(description="how `5/6/2026` is read, as in `en_GB`")] = "",
    since: Time = "",
    until_: Until = "",
    threshold: Annotated[float | None, QueryParameter(ge=0, le=1)] = None,
    past: Annotated[bool, QueryParameter(description="with facts that no longer hold")] = True,
) -> RecallFilter:
    """The filter, of the parameters of a request."""
    wanted: dict[str, Any] = {
        "owner": owner,
        "shared": shared,
        "kind": kind,
        "tags": words(tag),
        "speaker": speaker,
        "session": session,
        "agent": agent,
        "zone": zone,
        "locale": locale,
        "since": moment("since", since),
        "until": until("until", until_),
        "past": past,
    }
    return RecallFilter(wanted if threshold is None else wanted | {"threshold": threshold})
