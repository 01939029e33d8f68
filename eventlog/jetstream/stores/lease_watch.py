"""Watches the leases: one push consumer on the last value of each key."""

import asyncio
from typing import Final

from clawactors.eventlog.errors import Unavailable
from clawactors.eventlog.jetstream.log import consumer
from clawactors.eventlog.jetstream.log.consumer import header_number
from clawactors.eventlog.jetstream.log.streams import LIVE
from clawactors.eventlog.jetstream.wire.connection import Connection

__all__ = ["LEASE_PREFIX", "LeaseWatch"]

LEASE_PREFIX: Final = "$KV.claw-live."
_HEARTBEAT_S: Final = 1.0
_SILENCE_S: Final = 2.5


class LeaseWatch:
    """The changes of the keys with a prefix, from `open` to `close`."""

    def __init__(self, connection: Connection, prefix: str) -> None:
        self._connection, self._prefix = connection, prefix
        self._changes: list[tuple[str, bytes | None]] = []
        self._wake = asyncio.Event()
        self._expected = 1
        self._broken = ""
        self._inbox = connection.new_inbox()
        self._consumer = ""
        self._subscription = connection.listen(self._inbox, self._on_message)
        connection.on_lost.append(self._on_lost)

    async def open(self) -> None:
        """Creates the consumer."""
        where = {"deliver_policy": "last_per_subject", "filter_subject": f"{LEASE_PREFIX}>"}
        self._consumer, _ = await consumer.create(self._connection, LIVE, self._inbox, _HEARTBEAT_S, **where)

    async def changes(self) -> list[tuple[str, bytes | None]]:
        """All changes since the last call, at least one."""
        while not self._changes:
            if self._broken:
                raise Unavailable(f"the keys are not watched any more: {self._broken}")
            self._wake.clear()
            try:
                async with asyncio.timeout(_SILENCE_S):
                    await self._wake.wait()
            except TimeoutError:
                self._broken = "the server is silent"
        changes, self._changes = self._changes, []
        return changes

    def close(self) -> None:
        """Ends it and deletes the consumer."""
        self._connection.unlisten(self._subscription)
        if self._on_lost in self._connection.on_lost:
            self._connection.on_lost.remove(self._on_lost)
        if self._consumer:
            consumer.delete(self._connection, LIVE, self._consumer)

    def _on_lost(self) -> None:
        self._broken = "the connection was lost"
        self._wake.set()

    def _on_message(self, subject: bytes, reply: bytes, headers: bytes, body: bytes) -> None:
        self._wake.set()
        parts = reply.split(b".")
        if len(parts) < 9:
            last = header_number(headers, b"Nats-Last-Consumer:")
            if last is not None and last != self._expected - 1:
                self._broken = "a message was lost"
            return
        if int(parts[6 if len(parts) == 9 else 8]) != self._expected:
            self._broken = "a message was lost"
            return
        self._expected += 1
        key = str(subject, "utf-8", "replace").removeprefix(LEASE_PREFIX)
        if key.startswith(self._prefix):
            self._changes.append((key, None if b"\r\nKV-Operation:" in headers else body))
