"""What happened to a memory. Tags are promises: stored events decode for ever (see `clawactors.eventlog.codec`)."""

from typing import Annotated, Literal

import msgspec

from clawactors.eventlog import Codec

__all__ = [
    "CODEC",
    "Content",
    "Count",
    "Fact",
    "Kind",
    "MemoryArchived",
    "MemoryBelieved",
    "MemoryEvent",
    "MemoryForgotten",
    "MemoryMerged",
    "MemoryRecorded",
    "MemoryRestored",
    "MemoryRevised",
    "MemorySuperseded",
    "MemoryUpdated",
    "MemoryUsed",
    "MemoryWeighed",
    "Moment",
    "Origin",
    "Share",
    "Tone",
]

type Kind = Literal["raw", "summary", "knowledge"]
type Origin = Literal["chat", "task", "note", "import", "consolidation"]
type Moment = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""ns since 1970; what is remembered may be older than that."""
type Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
type Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
type Tone = Annotated[float, msgspec.Meta(ge=-1, le=1)]


class Fact(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A statement as a triple. It holds from `valid_from_ns` until `valid_until_ns` (0: since ever, still).

    `inferred`: concluded from other memories, said by nobody. `exclusive`: it ends every earlier object of its
    predicate («I quit my job», «I drink tea now instead»). `confidence` is 0..1.
    """

    subject: str
    predicate: str
    object: str
    negated: bool = False
    inferred: bool = False
    confidence: Share = 1.0
    valid_from_ns: Moment = 0
    valid_until_ns: Moment = 0
    exclusive: bool = False


class Content(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What is remembered. Times in ns since 1970; importance is 0..1, tone -1 (bad) .. 1 (good).

    `session` is the conversation, task or document it is part of, `position` its place there.
    `happened_ns` 0 takes the time of the commit. `sources` are sequences of the log, `parents` ids of memories,
    `previous` the id of the episode before. `agent` is the agent that it is for, '' for all.
    `derived_from` are ids of memories that had been recalled where the text was made: it may repeat them, so it is no
    evidence, and it is forgotten with them. `oldest` is the log sequence of the first words that the text may repeat.
    """

    text: str
    kind: Kind = "raw"
    owner: str = ""
    speaker: str = ""
    session: str = ""
    position: Count = 0
    tags: tuple[str, ...] = ()
    happened_ns: Moment = 0
    sources: tuple[Count, ...] = ()
    parents: tuple[str, ...] = ()
    previous: str = ""
    fact: Fact | None = None
    importance: Share = 0.5
    tone: Tone = 0.0
    origin: Origin = "note"
    agent: str = ""
    derived_from: tuple[str, ...] = ()
    oldest: Count = 0

    def said_at(self, seq: int) -> int:
        """The log sequence of its oldest words, where a commit at `seq` records it."""
        if self.oldest:
            return self.oldest
        return min(self.sources) if self.sources and self.origin in ("chat", "consolidation") else seq


class _MemoryEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    pass


class MemoryRecorded(Content, frozen=True, omit_defaults=True, kw_only=True, tag="memory.recorded"):
    """It is remembered from now on."""


class MemoryUpdated(Content, frozen=True, omit_defaults=True, kw_only=True, tag="memory.updated"):
    """Somebody has replaced it by this; what it was before stays in its history."""


class MemoryMerged(_MemoryEvent, frozen=True, kw_only=True, tag="memory.merged"):
    """The same was met again: counted here instead of being kept twice. `occurrence` names the meeting."""

    occurrence: str
    sources: tuple[Count, ...] = ()
    parents: tuple[str, ...] = ()
    happened_ns: Moment = 0


class MemoryRevised(_MemoryEvent, frozen=True, kw_only=True, tag="memory.revised"):
    """A summary or pattern was condensed anew, from these `sources` and `parents` instead of those before."""

    text: str
    tags: tuple[str, ...] = ()
    sources: tuple[Count, ...] = ()
    parents: tuple[str, ...] = ()
    importance: Share = 0.5
    tone: Tone = 0.0


class MemorySuperseded(_MemoryEvent, frozen=True, tag="memory.superseded"):
    """A later fact contradicts it: it held until `until_ns`, and is kept."""

    by: str
    until_ns: Moment
    reason: str = ""


class MemoryBelieved(_MemoryEvent, frozen=True, tag="memory.believed"):
    """What is thought of its fact has changed."""

    confidence: Share
    reason: str = ""


class MemoryWeighed(_MemoryEvent, frozen=True, tag="memory.weighed"):
    """Its importance has changed, by use or by time."""

    importance: Share


class MemoryUsed(_MemoryEvent, frozen=True, tag="memory.used"):
    """It was an answer so many more times."""

    times: Count


class MemoryArchived(_MemoryEvent, frozen=True, tag="memory.archived"):
    """Not searched any more, still readable."""

    reason: str = ""


class MemoryRestored(_MemoryEvent, frozen=True, tag="memory.restored"):
    """Searched again."""


class MemoryForgotten(_MemoryEvent, frozen=True, tag="memory.forgotten"):
    """Gone for good; holds nothing of what it was, since it stays when the rest of the log is purged.

    `upto` is the log sequence up to which nothing can make it again; 0 in histories of the first release.
    """

    reason: str = ""
    upto: Count = 0


type MemoryEvent = (
    MemoryRecorded
    | MemoryMerged
    | MemoryRevised
    | MemorySuperseded
    | MemoryBelieved
    | MemoryWeighed
    | MemoryUpdated
    | MemoryUsed
    | MemoryArchived
    | MemoryRestored
    | MemoryForgotten
)

CODEC: Codec[MemoryEvent] = Codec(MemoryEvent.__value__)
