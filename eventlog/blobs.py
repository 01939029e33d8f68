"""Payloads by the SHA-256 of their bytes: the port, and its adapter within one process."""

import hashlib
import itertools
import time
from collections.abc import Buffer, Callable
from typing import Protocol

import msgspec

from clawactors.eventlog.errors import Corrupt, Missing

__all__ = ["Blob", "Blobs", "InProcessBlobs"]


class Blob(msgspec.Struct, frozen=True):
    """A payload as it is listed.

    `put_ns` is the time of its last put, in ns since 1970 by the store's clock; `version` changes with each put.
    """

    name: str
    size_bytes: int
    put_ns: int
    version: int


class Blobs(Protocol):
    """Payloads by the SHA-256 of their bytes; equal ones are stored once."""

    async def put(self, body: Buffer) -> str:
        """Stores it and returns its name, 64 hexadecimal digits. Raises: `Unavailable`, `Misconfigured`."""
        ...

    async def get(self, name: str) -> bytes:
        """The payload. Raises: `Missing`, `Corrupt` (it is not what was put), `Unavailable`."""
        ...

    async def stored(self) -> list[Blob]:
        """All payloads, each with the time of its last put. Raises: `Unavailable`."""
        ...

    async def size_bytes(self) -> int:
        """What all payloads take. Raises: `Unavailable`."""
        ...

    async def remove(self, blob: Blob) -> bool:
        """Removes it; False when it was put again since it was listed. Raises: `Unavailable`."""
        ...

    async def clear(self) -> None:
        """Completes removals that were interrupted. Raises: `Unavailable`."""
        ...

    async def unfinished(self, before_ns: int) -> list[str]:
        """Interrupted puts of which nothing arrived since that time (ns since 1970). Raises: `Unavailable`."""
        ...

    async def drop(self, unfinished: str) -> None:
        """Removes the parts of an interrupted put. Raises: `Unavailable`. Order: idempotent."""
        ...


class InProcessBlobs:
    """Payloads by name: `kept` holds their bytes."""

    def __init__(self, now_ns: Callable[[], int] = time.time_ns) -> None:
        self.kept: dict[str, bytes] = {}
        self._now_ns = now_ns
        self._put: dict[str, tuple[int, int]] = {}
        self._versions = itertools.count(1)

    async def put(self, body: Buffer) -> str:
        """Stores it and returns its name."""
        name = hashlib.sha256(body).hexdigest()
        self.kept.setdefault(name, bytes(body))
        self._put[name] = self._now_ns(), next(self._versions)
        return name

    async def get(self, name: str) -> bytes:
        """The payload. Raises: `Missing`, `Corrupt`."""
        body = self.kept.get(name)
        if body is None:
            raise Missing(f"the object store has no payload {name}")
        if hashlib.sha256(body).hexdigest() != name:
            raise Corrupt(f"the payload {name} in the object store is damaged: it is not what was put there")
        return body

    async def size_bytes(self) -> int:
        """What all payloads take."""
        return sum(map(len, self.kept.values()))

    async def stored(self) -> list[Blob]:
        """All payloads."""
        return [Blob(name, len(self.kept[name]), *put) for name, put in self._put.items()]

    async def remove(self, blob: Blob) -> bool:
        """Removes it; False when it was put again since it was listed."""
        if self._put.get(blob.name) != (blob.put_ns, blob.version):
            return False
        del self.kept[blob.name], self._put[blob.name]
        return True

    async def clear(self) -> None:
        """Does nothing: removals are never interrupted here."""

    async def unfinished(self, before_ns: int) -> list[str]:
        """None: puts are never interrupted here."""
        return []

    async def drop(self, unfinished: str) -> None:
        """Does nothing."""
