"""What can be asked of a memory."""

import msgspec

from clawactors.systems.memories.events import Content

__all__ = [
    "ArchiveMemory",
    "BelieveMemory",
    "ForgetMemory",
    "MemoryCommand",
    "MergeMemory",
    "RecordMemory",
    "RestoreMemory",
    "ReviseMemory",
    "SupersedeMemory",
    "WeighMemory",
]


class _MemoryCommand(msgspec.Struct, frozen=True):
    pass


class RecordMemory(_MemoryCommand, frozen=True):
    """Remember this."""

    content: Content


class MergeMemory(_MemoryCommand, frozen=True, kw_only=True):
    """Count one more meeting with the same thing; a repeated `occurrence` is quiet."""

    occurrence: str
    sources: tuple[int, ...] = ()
    parents: tuple[str, ...] = ()
    happened_ns: int = 0


class ReviseMemory(_MemoryCommand, frozen=True, kw_only=True):
    """Put it in other words, because more belongs to it."""

    text: str
    tags: tuple[str, ...] = ()
    sources: tuple[int, ...] = ()
    parents: tuple[str, ...] = ()
    importance: float = 0.5
    tone: float = 0.0


class SupersedeMemory(_MemoryCommand, frozen=True):
    """A later fact contradicts it."""

    by: str
    until_ns: int
    reason: str = ""


class BelieveMemory(_MemoryCommand, frozen=True):
    """Think more or less of its fact."""

    confidence: float
    reason: str = ""


class WeighMemory(_MemoryCommand, frozen=True):
    """Set its importance."""

    importance: float


class ArchiveMemory(_MemoryCommand, frozen=True):
    """Archive it: searches skip it."""

    reason: str = ""


class RestoreMemory(_MemoryCommand, frozen=True):
    """Search it again."""


class ForgetMemory(_MemoryCommand, frozen=True):
    """Remove it for good."""

    reason: str = ""


type MemoryCommand = (
    RecordMemory
    | MergeMemory
    | ReviseMemory
    | SupersedeMemory
    | BelieveMemory
    | WeighMemory
    | ArchiveMemory
    | RestoreMemory
    | ForgetMemory
)
