"""What is said about the archive: the request to move histories, its report, and how tombstones are known."""

from collections.abc import Buffer
from typing import Final

import msgspec

from clawactors.eventlog import Missing, Record
from clawactors.eventlog.archive.archive import Archive
from clawactors.eventlog.blobs import Blob, Blobs
from clawactors.eventlog.sealing import Sealer
from clawactors.runtime.asking import Failure
from clawactors.systems.tasks.archiving import file_of
from clawactors.systems.tasks.kind import TASKS

__all__ = [
    "ARCHIVE",
    "COMPACT",
    "ArchiveReply",
    "ArchiveReport",
    "ArchiveRequest",
    "ArchivedBlobs",
    "CompactReply",
    "archived_in",
]

ARCHIVE: Final = "archive"
COMPACT: Final = "compact"
"""The last tokens of the subjects that ask for it: `claw.do.<principal>.archive`."""

_SUBJECTS: Final = TASKS.pattern.removesuffix(">")


def archived_in(record: Record) -> str:
    """The file that the record says the history of its task has moved to, '' for any other record."""
    return file_of(record.body) if record.subject.startswith(_SUBJECTS) else ""


class ArchiveReport(msgspec.Struct, omit_defaults=True):
    """What one run has done so far: tasks found and moved, their records and bytes as JSON, and what the files take.

    `left`: tasks that changed meanwhile, or that others still need. `purged` are records removed from the log, those of
    `cleared` tasks.
    """

    found: int = 0
    archived: int = 0
    left: int = 0
    records: int = 0
    bytes: int = 0
    stored_bytes: int = 0
    files: int = 0
    blobs: int = 0
    purged: int = 0
    cleared: int = 0
    seconds: float = 0.0


class ArchiveRequest(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Move tasks that ended at least so long ago. `run` names the run: asked again, it tells how far that is.

    Without a name nothing is begun: it asks how the last run went.
    """

    run: str = ""
    older_s: float = 0.0
    dry_run: bool = False


class ArchiveReply(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`is_done`: the run has ended. `waits`: another one is under way. `failure` is why the last one failed."""

    report: ArchiveReport = msgspec.field(default_factory=ArchiveReport)
    is_done: bool = False
    waits: bool = False
    failure: str = ""
    error: Failure | None = None


class CompactReply(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What the views took before they were compacted, and take now, in bytes."""

    before: int = 0
    after: int = 0
    error: Failure | None = None


class ArchivedBlobs:
    """A `Blobs` that finds payloads which have moved to the archive."""

    def __init__(self, blobs: Blobs, archive: Archive, sealer: Sealer | None = None) -> None:
        self._blobs, self._archive, self._sealer = blobs, archive, sealer

    async def put(self, body: Buffer) -> str:
        """See `Blobs`."""
        return await self._blobs.put(body)

    async def get(self, name: str) -> bytes:
        """See `Blobs`."""
        try:
            return await self._blobs.get(name)
        except Missing:
            if (body := await self._archive.blob(name)) is None:
                raise
        opened = body if self._sealer is None else await self._sealer.open_payload(name, body)
        if opened is None:
            raise Missing(f"the payload {name} was erased with all data of its user")
        return opened

    async def stored(self) -> list[Blob]:
        """See `Blobs`: what has moved is not listed."""
        return await self._blobs.stored()

    async def size_bytes(self) -> int:
        """See `Blobs`: what has moved does not count."""
        return await self._blobs.size_bytes()

    async def remove(self, blob: Blob) -> bool:
        """See `Blobs`."""
        return await self._blobs.remove(blob)

    async def clear(self) -> None:
        """See `Blobs`."""
        await self._blobs.clear()

    async def unfinished(self, before_ns: int) -> list[str]:
        """See `Blobs`."""
        return await self._blobs.unfinished(before_ns)

    async def drop(self, unfinished: str) -> None:
        """See `Blobs`."""
        await self._blobs.drop(unfinished)
