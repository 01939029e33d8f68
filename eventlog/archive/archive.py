"""The archive of one log: the files of a store that the log names."""

from typing import BinaryIO, Final

from clawactors.eventlog.archive.file import ArchiveFile
from clawactors.eventlog.archive.store import ArchiveStore
from clawactors.eventlog.errors import Corrupt
from clawactors.eventlog.record import Record

__all__ = ["SUFFIX", "Archive"]

SUFFIX: Final = ".jsonl.zst"
_DONE: Final = ".done"


class Archive:
    """`store` has the files. Names are those that tombstones give, without the suffix."""

    def __init__(self, store: ArchiveStore) -> None:
        self.store = store
        self._open: dict[str, ArchiveFile] = {}

    async def names(self) -> list[str]:
        """All whole files. Raises: what the store raises."""
        return [name.removesuffix(SUFFIX) for name in await self.store.names() if name.endswith(SUFFIX)]

    async def file(self, name: str) -> ArchiveFile:
        """The file of that name. Raises: `Missing`, `Corrupt`; what the store raises."""
        file = self._open.get(name)
        if file is None:
            file = self._open[name] = await ArchiveFile.open(self.store, f"{name}{SUFFIX}")
        return file

    async def add(self, name: str, content: BinaryIO) -> None:
        """Keeps a file; when it returns, the file is durable. Raises: what the store raises."""
        self._open.pop(name, None)
        await self.store.put(f"{name}{SUFFIX}", content)

    async def remove(self, name: str) -> None:
        """Removes a file that nothing names. Raises: what the store raises."""
        self._open.pop(name, None)
        await self.store.remove(f"{name}{SUFFIX}")
        await self.store.remove(f"{name}{_DONE}")

    async def unfinished(self) -> list[str]:
        """The files whose aggregates may still be in the log. Raises: what the store raises."""
        names = set(await self.store.names())
        return sorted(
            name.removesuffix(SUFFIX)
            for name in names
            if name.endswith(SUFFIX) and f"{name.removesuffix(SUFFIX)}{_DONE}" not in names
        )

    async def finish(self, name: str, note: BinaryIO) -> None:
        """Notes that all that the log names this file for was purged. Raises: what the store raises."""
        await self.store.put(f"{name}{_DONE}", note)

    async def blob(self, name: str) -> bytes | None:
        """A payload from any file, None where none has it. Raises: `Corrupt`; what the store raises."""
        for file in reversed(await self.names()):
            if (body := await (await self.file(file)).blob(name)) is not None:
                return body
        return None

    async def history(self, name: str, aggregate: str) -> list[Record]:
        """The records of one aggregate that its tombstone says to be in that file.

        Raises: `Missing` (no such file), `Corrupt`; what the store raises.
        """
        try:
            records = await (await self.file(name)).history(aggregate)
        except Corrupt:  # perhaps it was replaced since its index was read
            self._open.pop(name, None)
            records = await (await self.file(name)).history(aggregate)
        if not records:
            raise Corrupt(f"the archive file {name} does not hold {aggregate}, which the log says it does")
        return records
