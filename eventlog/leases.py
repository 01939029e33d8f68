"""Keys that expire unless they are renewed: the port, and its adapter within one process."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Protocol

__all__ = ["InProcessLeases", "Lease", "Leases"]


class Lease(Protocol):
    """A key that this process holds as long as it renews it in time."""

    async def renew(self, value: bytes) -> bool:
        """Extends the lease by another term with a new value; False when it is lost. Raises: `Unavailable`."""
        ...

    async def release(self) -> None:
        """Gives it up."""
        ...


class Leases(Protocol):
    """Keys that expire, in the memory of the server."""

    async def acquire(self, key: str, value: bytes, ttl_s: float, over: bytes | None = None) -> Lease | None:
        """The lease, None while another holder has the key. Raises: `Unavailable`.

        `over`: also from a holder with that value, who is known to be gone; one who renews meanwhile keeps the key.
        """
        ...

    async def get(self, key: str) -> bytes | None:
        """The value of a key, None if nobody holds it. Raises: `Unavailable`."""
        ...

    def watch(self, prefix: str) -> AsyncIterator[tuple[str, bytes | None]]:
        """Present and future values of the keys with the prefix; None when a key is given up.

        A key that expires is not reported: the watcher knows how long a value is valid.
        """
        ...


class InProcessLeases:
    """Keys that expire by the given clock, in seconds."""

    def __init__(self, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._held: dict[str, tuple[bytes, float, _InProcessLease]] = {}
        self._watchers: list[tuple[str, asyncio.Queue[tuple[str, bytes | None]]]] = []

    async def acquire(
        self, key: str, value: bytes, ttl_s: float, over: bytes | None = None
    ) -> "_InProcessLease | None":
        """The lease, None while another holder has the key."""
        held = self._held.get(key)
        if held is not None and held[1] > self._monotonic_s() and held[0] != over:
            return None
        lease = _InProcessLease(self, key, ttl_s)
        self._put(lease, value)
        return lease

    async def get(self, key: str) -> bytes | None:
        """The value of a key, None if nobody holds it."""
        held = self._held.get(key)
        return held[0] if held is not None and held[1] > self._monotonic_s() else None

    async def watch(self, prefix: str) -> AsyncIterator[tuple[str, bytes | None]]:
        """Present and future values of the keys with the prefix."""
        changes: asyncio.Queue[tuple[str, bytes | None]] = asyncio.Queue()
        for key, (value, _, _) in self._held.items():
            if key.startswith(prefix):
                changes.put_nowait((key, value))
        self._watchers.append((prefix, changes))
        while True:
            yield await changes.get()

    def _put(self, lease: "_InProcessLease", value: bytes) -> None:
        self._held[lease.key] = (value, self._monotonic_s() + lease.ttl_s, lease)
        self._tell(lease.key, value)

    def _tell(self, key: str, value: bytes | None) -> None:
        for prefix, changes in self._watchers:
            if key.startswith(prefix):
                changes.put_nowait((key, value))


class _InProcessLease:
    def __init__(self, leases: InProcessLeases, key: str, ttl_s: float) -> None:
        self._leases, self.key, self.ttl_s = leases, key, ttl_s

    async def renew(self, value: bytes) -> bool:
        """Extends the lease by another term; False when it is lost."""
        held = self._leases._held.get(self.key)
        if held is None or held[2] is not self or held[1] <= self._leases._monotonic_s():
            return False
        self._leases._put(self, value)
        return True

    async def release(self) -> None:
        """Gives it up."""
        if self._leases._held.get(self.key, (b"", 0.0, None))[2] is self:
            del self._leases._held[self.key]
            self._leases._tell(self.key, None)
