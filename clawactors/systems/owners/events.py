"""What happened to an owner. Tags are promises: stored events decode for ever (see `clawactors.eventlog.codec`)."""

from typing import Final

import msgspec

from clawactors.eventlog import Codec
from clawactors.systems.memories.events import Count, Moment

__all__ = ["CODEC", "Forgetting", "OwnerConfigured", "OwnerEvent", "OwnerForgotten", "OwnerSettings"]


class OwnerSettings(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What an owner wants. `memory` off: nothing of theirs is remembered.

    `retention_days`: older memories are forgotten, 0 keeps them. `language`, as in `en_GB`, tells how `5/6/2026` is
    meant; `zone`, as in `Europe/Rome`, where «yesterday» is.
    `sharing` names who may read their memories: users, `agent:<skill>`, or `*` for everyone.
    """

    memory: bool = True
    retention_days: Count = 0
    language: str = ""
    zone: str = ""
    sharing: tuple[str, ...] = ()


class Forgetting(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What was said up to the log sequence `upto` is forgotten: all of it, or what is within the other fields.

    `session` is one conversation, `agent` one agent; `since_ns` and `until_ns` bound when it happened.
    """

    upto: Count
    session: str = ""
    agent: str = ""
    since_ns: Moment = 0
    until_ns: Moment = 0

    @property
    def is_whole(self) -> bool:
        """True where nothing bounds it but the position."""
        return not (self.session or self.agent or self.since_ns or self.until_ns)

    def covers(self, seq: int, session: str, agent: str, at_ns: int) -> bool:
        """Whether it covers what was said at that sequence and is known to have happened at that time."""
        return (
            seq <= self.upto
            and self.session in ("", session)
            and self.agent in ("", agent)
            and (not self.since_ns or at_ns >= self.since_ns)
            and (not self.until_ns or at_ns <= self.until_ns)
        )


class OwnerConfigured(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag="owner.configured"):
    """These settings hold from now on."""

    owner: str
    settings: OwnerSettings


class OwnerForgotten(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag="owner.forgotten"):
    """Memories were forgotten; holds nothing of what they said."""

    owner: str
    forgetting: Forgetting
    reason: str = ""


type OwnerEvent = OwnerConfigured | OwnerForgotten

CODEC: Final[Codec[OwnerEvent]] = Codec(OwnerEvent.__value__)
