"""What can be asked of a memory."""

import msgspec

from clawactors.memories.events import Content

__all__ = [
    "Archive",
    "Believe",
    "Forget",
    "MemoryCommand",
    "Merge",
    "Record",
    "Restore",
    "Revise",
    "Supersede",
    "Weigh",
]


class _Command(msgspec.Struct, frozen=True):
    pass


class Record(_Command, frozen=True):
    """Remember this."""

    content: Content


class Merge(_Command, frozen=True, kw_only=True):
    """Count one more meeting with the same thing; a repeated `occurrence` is quiet."""

    occurrence: str
    sources: tuple[int, ...] = ()
    parents: tuple[str, ...] = ()
    happened_ns: int = 0


class Revise(_Command, frozen=True, kw_only=True):
    """Put it in other words, because more belongs to it."""

    text: str
    tags: tuple[str, ...] = ()
    sources: tuple[int, ...] = ()
    parents: tuple[str, ...] = ()
    importance: float = 0.5
    tone: float = 0.0


class Supersede(_Command, frozen=True):
    """A later fact contradicts it."""

    by: str
    until_ns: int
    reason: str = ""


class Believe(_Command, frozen=True):
    """Think more or less of its fact."""

    confidence: float
    reason: str = ""


class Weigh(_Command, frozen=True):
    """Set its importance."""

    importance: float


class Archive(_Command, frozen=True):
    """Search it no more."""

    reason: str = ""


class Restore(_Command, frozen=True):
    """Search it again."""


class Forget(_Command, frozen=True):
    """Remove it for good."""

    reason: str = ""


type MemoryCommand = Record | Merge | Revise | Supersede | Believe | Weigh | Archive | Restore | Forget
