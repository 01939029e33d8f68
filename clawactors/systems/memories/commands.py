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
    "UpdateMemory",
    "UseMemory",
    "WeighMemory",
]


class _MemoryCommand(msgspec.Struct, frozen=True):
    pass


class RecordMemory(_MemoryCommand, frozen=True):
    """Remember this; `replaces`: in place of what is remembered under the same id.

    `asker` is the principal that asks, None for the cluster itself; `key` is what it named the memory by.
    """

    content: Content
    replaces: bool = False
    asker: str | None = None
    key: str = ""


class UpdateMemory(_MemoryCommand, frozen=True):
    """Say it in other words from now on, which were `derived_from` these; `tags` None leaves them."""

    text: str
    tags: tuple[str, ...] | None = None
    derived_from: tuple[str, ...] = ()


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


class UseMemory(_MemoryCommand, frozen=True):
    """It was an answer so many more times."""

    times: int


class ArchiveMemory(_MemoryCommand, frozen=True):
    """Archive it: searches skip it."""

    reason: str = ""


class RestoreMemory(_MemoryCommand, frozen=True):
    """Search it again."""


class ForgetMemory(_MemoryCommand, frozen=True):
    """Remove it for good: what was said up to `upto` does not make it again. `asker`: as of `RecordMemory`."""

    reason: str = ""
    upto: int = 0
    asker: str | None = None


type MemoryCommand = (
    RecordMemory
    | UpdateMemory
    | MergeMemory
    | ReviseMemory
    | SupersedeMemory
    | BelieveMemory
    | WeighMemory
    | UseMemory
    | ArchiveMemory
    | RestoreMemory
    | ForgetMemory
)
