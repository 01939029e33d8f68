"""The queue of commands: a work queue of the server, shared by all its consumers.

1. A command that was taken but not done is delivered again after `ACK_WAIT_S`: at least once.
2. A command that is done is removed.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

from clawactors.eventlog.errors import EventLogError, Unavailable
from clawactors.eventlog.jetstream.log.streams import created_of
from clawactors.eventlog.jetstream.stores.dead import JetStreamDeadLetters
from clawactors.eventlog.jetstream.wire.api import call
from clawactors.eventlog.jetstream.wire.client import RawSubscription
from clawactors.eventlog.jetstream.wire.connection import Connection
from clawactors.eventlog.record import Record

__all__ = ["ACK_WAIT_S", "JetStreamCommands"]

STREAM: Final = "CLAW_COMMANDS"
CONSUMER: Final = "control"
ACK_WAIT_S: Final = 10

_AT_ONCE: Final = 5000
_AT_ONCE_BYTES: Final = 16 << 20
_SECOND_NS: Final = 1_000_000_000
_MERELY_OVER: Final = (b"NATS/1.0 404", b"NATS/1.0 408", b"NATS/1.0 409 Batch", b"NATS/1.0 409 Message Size")


class JetStreamCommands:
    """Takes commands from `CLAW_COMMANDS`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._created = ""
        self._inbox: RawSubscription | None = None
        self._is_open = False
        self._came: list[Record] = []
        self._replies: dict[int, bytes] = {}
        self._wanted = 0
        self._change = asyncio.Event()
        self._pulls = 0
        self._error: EventLogError | None = None

    @property
    def identity(self) -> str:
        """Identifies the queue: in another queue, the same sequence is another command."""
        return f"{STREAM}@{self._created}"

    async def take(self, wait_s: float) -> list[Record]:
        """The waiting commands, or the first to arrive within `wait_s` seconds, maybe none. Raises: `Unavailable`."""
        if not self._is_open:
            await self._open()
        if not self._came:
            self._change.clear()
            if self._wanted <= 0:
                self._pull(wait_s)
            try:
                async with asyncio.timeout(wait_s + 1):
                    await self._change.wait()
            except TimeoutError:
                self._wanted = 0
        if self._error is not None:
            error, self._error, self._is_open = self._error, None, False
            raise error
        came, self._came = self._came, []
        return came

    async def bury(self, record: Record, reason: str) -> None:
        """Moves it to the dead letters, with the reason. Raises: `Unavailable`. Order: idempotent."""
        await JetStreamDeadLetters(self._connection, self.identity).copy(record, reason)

    def done(self, seqs: Iterable[int]) -> None:
        """Removes them: they were carried out, refused or buried."""
        replies = [reply for seq in seqs if (reply := self._replies.pop(seq, None)) is not None]
        self._connection.write(b"".join(b"PUB %b 4\r\n+ACK\r\n" % reply for reply in replies))

    async def _open(self) -> None:
        """Creates the queue's consumer if there is none."""
        if self._inbox is None:
            self._inbox = self._connection.listen(f"{self._connection.new_inbox()}.*", self._on_message)
            self._connection.on_lost.append(self._on_lost)
        info = await call(self._connection, f"STREAM.INFO.{STREAM}")
        if (created := created_of(info["config"], info["created"])) != self._created:
            self._created, self._came = created, []
            self._replies.clear()
        config: dict[str, Any] = {
            "name": CONSUMER,
            "durable_name": CONSUMER,
            "ack_policy": "explicit",
            "ack_wait": ACK_WAIT_S * _SECOND_NS,
            "max_ack_pending": 4 * _AT_ONCE,
        }
        body = {"stream_name": STREAM, "config": config}
        await call(self._connection, f"CONSUMER.CREATE.{STREAM}.{CONSUMER}", body)
        self._is_open = True

    def _pull(self, wait_s: float) -> None:
        assert self._inbox is not None  # noqa: S101
        self._wanted = _AT_ONCE
        self._pulls += 1
        reply = self._inbox.subject.replace("*", str(self._pulls))
        body = b'{"batch":%d,"max_bytes":%d,"expires":%d}' % (_AT_ONCE, _AT_ONCE_BYTES, int(wait_s * _SECOND_NS))
        subject = f"{self._connection.address.api}.CONSUMER.MSG.NEXT.{STREAM}.{CONSUMER}"
        self._connection.write(f"PUB {subject} {reply} {len(body)}\r\n".encode() + body + b"\r\n")

    def _on_message(self, subject: bytes, reply: bytes, headers: bytes, body: bytes) -> None:
        if not reply:
            if subject.endswith(b".%d" % self._pulls):
                self._on_end_of_pull(headers)
            return
        # … .<delivered>.<sequence>.<consumer sequence>.<time>.<pending>
        _, seq, _, at_ns, _ = reply.split(b".")[-5:]
        self._wanted -= 1
        self._replies[int(seq)] = reply
        self._came.append(Record(int(seq), int(at_ns), subject.decode(), body, headers))
        self._change.set()

    def _on_end_of_pull(self, headers: bytes) -> None:
        self._wanted = 0
        if not headers.startswith(_MERELY_OVER):
            said = headers[9:].partition(b"\r\n")[0].decode("utf-8", "replace")
            self._error = Unavailable(f"commands can't be taken: {said}")
        self._change.set()

    def _on_lost(self) -> None:
        self._wanted = 0
        self._error = Unavailable("the connection was lost while commands were awaited")
        self._change.set()
