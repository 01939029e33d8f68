"""What the runtime needs beside the log: presence that expires, timers, room for what is large or said on
the way; see `clawactors.eventlog.jetstream`.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Buffer, Callable
from typing import Protocol

from clawactors.eventlog import Follower, PermissionDenied, Record
from clawactors.eventlog.blob import Blob
from clawactors.eventlog.timers import TimerMark

__all__ = ["Blobs", "Lease", "Leases", "Live", "Outputs", "Timers"]


class Lease(Protocol):
    """A key that is held until it is not renewed in time."""

    async def renew(self, value: bytes) -> bool:
        """Holds it for another term with a new value; False when it is lost. Raises: `Unavailable`."""
        ...

    async def release(self) -> None:
        """Gives it up at once."""
        ...


class Leases(Protocol):
    """Keys that expire, in the memory of the server."""

    async def acquire(self, key: str, value: bytes, ttl_s: float) -> Lease | None:
        """The lease, None while somebody holds the key. Raises: `Unavailable`."""
        ...

    def watch(self, prefix: str) -> AsyncIterator[tuple[str, bytes | None]]:
        """Present and future values of the keys below the prefix; None where a key is given up or has expired."""
        ...


class Timers(Protocol):
    """Timers that go off by the log's clock, though whoever set them is gone."""

    async def set(self, kind: str, id: str, at_ns: int, version: int) -> None:
        """Sets the timer, in place of one with this name; one in the past goes off at once. Raises: `Unavailable`."""
        ...

    async def cancel(self, kind: str, id: str, place: int) -> None:
        """Takes the timer back, unless it was set again behind that place. Raises: `Unavailable`."""
        ...

    def watch(self) -> AsyncGenerator[list[TimerMark]]:
        """First all that are set or have lately gone off, maybe none; then each as it comes. Raises: `Unavailable`."""
        ...


class Blobs(Protocol):
    """Payloads by the SHA-256 of their bytes; equal ones are kept once."""

    async def put(self, body: Buffer) -> str:
        """Keeps it and returns its name, 64 hexadecimal digits. Raises: `Unavailable`, `Misconfigured`."""
        ...

    async def get(self, name: str) -> bytes:
        """The payload. Raises: `Missing`, `Corrupt` where it is not what was put, `Unavailable`."""
        ...

    async def stored(self) -> list[Blob]:
        """All that is there, each with the time of its last put. Raises: `Unavailable`."""
        ...

    async def remove(self, blob: Blob) -> bool:
        """Takes it away, False where it was put again since it was listed. Raises: `Unavailable`."""
        ...

    async def clear(self) -> None:
        """Ends removals that were left half way. Raises: `Unavailable`."""
        ...

    async def unfinished(self, before_ns: int) -> list[str]:
        """Puts that were left half way, of which nothing has come since that time. Raises: `Unavailable`."""
        ...

    async def drop(self, unfinished: str) -> None:
        """Takes away what came of such a put. Raises: `Unavailable`. Order: idempotent."""
        ...


class Outputs(Protocol):
    """What tasks say while they run, in streams by task and name."""

    async def publish(self, id: str, stream: str, body: bytes, name: str) -> None:
        """Keeps it behind what is there; published again under its name it is kept once. Raises: `Unavailable`."""
        ...

    def read(self) -> AsyncIterator[list[Record]]:
        """All that is kept, of all tasks. Raises: `Unavailable`."""
        ...

    async def follow(self, id: str, stream: str, after: int = 0) -> Follower:
        """The records of a stream behind that place, and each as it comes. Raises: `Unavailable`."""
        ...


class Live(Protocol):
    """Records as they are stored, pushed unasked: quick, but what a broken connection misses is gone."""

    def tail(
        self,
        pattern: str,
        on_record: Callable[[Record], None],
        on_gap: Callable[[], None],
        on_denied: Callable[[PermissionDenied], None],
    ) -> Callable[[], None]:
        """Calls `on_record` for each matching record from now on, `on_gap` when some may have been missed.

        `on_denied` is called instead where this user may not listen. Returns what ends it. All are called in the event
        loop and must be quick.
        """
        ...
