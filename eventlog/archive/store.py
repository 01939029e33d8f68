"""The port of the stores that keep archive files, and its adapter within one process."""

from typing import BinaryIO, Protocol

from clawactors.eventlog.errors import Missing

__all__ = ["ArchiveStore", "InProcessArchiveStore", "absent"]


class ArchiveStore(Protocol):
    """Files by name. Each is written once, as a whole, and may be replaced as a whole."""

    async def put(self, name: str, content: BinaryIO) -> None:
        """Stores what the file holds from its present position on; a reader finds all of it or nothing.

        When it returns, the file is durable. Raises: `Unavailable` (no space, no server), `Misconfigured` (no right).
        """
        ...

    async def size(self, name: str) -> int:
        """Its size in bytes. Raises: `Missing`, `Unavailable`, `Misconfigured`."""
        ...

    async def read(self, name: str, offset: int, size: int) -> bytes:
        """So many bytes from there, fewer at its end. Raises: `Missing`, `Unavailable`, `Misconfigured`."""
        ...

    async def names(self) -> list[str]:
        """All files, in the order of their names. Raises: `Unavailable`, `Misconfigured`."""
        ...

    async def remove(self, name: str) -> None:
        """Removes it. Raises: `Unavailable`, `Misconfigured`. Order: idempotent."""
        ...


def absent(name: str) -> Missing:
    """The error about a file that is not there."""
    return Missing(f"the archive has no file {name}: bring it back from a backup")


class InProcessArchiveStore:
    """Files that live as long as the process; `kept` holds their bytes."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def put(self, name: str, content: BinaryIO) -> None:
        """Stores what the file holds from its present position on."""
        self.kept[name] = content.read()

    async def size(self, name: str) -> int:
        """Its size in bytes. Raises: `Missing`."""
        return len(self._of(name))

    async def read(self, name: str, offset: int, size: int) -> bytes:
        """So many bytes from there, fewer at its end. Raises: `Missing`."""
        return self._of(name)[offset : offset + size]

    async def names(self) -> list[str]:
        """All files, in the order of their names."""
        return sorted(self.kept)

    async def remove(self, name: str) -> None:
        """Removes it. Order: idempotent."""
        self.kept.pop(name, None)

    def _of(self, name: str) -> bytes:
        if name not in self.kept:
            raise absent(name)
        return self.kept[name]
