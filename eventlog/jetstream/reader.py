"""Reads the log in order through ephemeral push consumers; what gets lost on the way is noticed and fetched again.

1. The consumer sequence in the reply subject of each message leaves no hole; a hole recreates the consumer.
2. After a gap, silence or reconnect, reading goes on at the last received sequence + 1: nothing lost, nothing twice.
3. The server may only send on when what came before has been taken: a slow taker holds a bounded amount.
4. "The end" is what the stream's leader says, since the server that delivers may lag behind it.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Self

from eventlog.errors import Corrupt, EventLogError, PermissionDenied, Unavailable
from eventlog.jetstream.api import call, next_message
from eventlog.jetstream.connection import Connection, RawSubscription
from eventlog.record import Record

__all__ = ["PushFollower", "Source"]

HEARTBEAT_S: Final = 1.0
INACTIVE_S: Final = 10
SETTLE_S: Final = 10

_log = logging.getLogger(__name__)


class Source:
    """A stream to read from, and how it was named when this process first saw it."""

    def __init__(self, connection: Connection, stream: str, created: str, replicas: int) -> None:
        self.connection, self.stream, self.created, self.replicas = connection, stream, created, replicas

    @property
    def identity(self) -> str:
        """Name and time of creation: another one means another log."""
        return f"{self.stream}@{self.created}"

    async def state(self) -> dict[str, Any]:
        """The stream's present state. Raises: `Corrupt` when it is not the stream that it was."""
        info = await call(self.connection, f"STREAM.INFO.{self.stream}")
        if info["created"] != self.created:
            raise Corrupt(f"the stream {self.stream} was created anew at {info['created']}: all views must be rebuilt")
        state: dict[str, Any] = info["state"]
        return state

    async def next_seq(self, after: int, patterns: Sequence[str]) -> int | None:
        """The sequence of the first matching message after `after`, asked of the leader."""
        found = await asyncio.gather(*(next_message(self.connection, self.stream, after, each) for each in patterns))
        return min((message.seq for message in found if message is not None), default=None)


class PushFollower:
    """A `Follower` on a push consumer of one stream."""

    def __init__(self, source: Source, patterns: Sequence[str], after: int, since_ns: int | None = None) -> None:
        self._source, self._patterns, self._since_ns = source, tuple(patterns), since_ns
        self._connection = source.connection
        self._queue: list[Record] = []
        self._credit: list[bytes] = []
        self._received = after
        self._covered = after
        self._taken = after
        self._consumer_seq = 0
        self._pending = 0
        self._alive = True
        self._silent_ticks = 0
        self._subscription: RawSubscription | None = None
        self._consumer = ""
        self._reopening: asyncio.Task[None] | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._changes: list[asyncio.Future[None]] = []
        self._error: EventLogError | None = None
        self._closed = False

    async def open(self) -> Self:
        """Creates the consumer; whatever is appended after this returns will be seen."""
        try:
            await self._create()
        except BaseException:
            self._leave()
            raise
        self._connection.on_lost.append(self._on_lost)
        self._connection.on_back.append(self._on_back)
        self._watch = asyncio.get_running_loop().call_later(HEARTBEAT_S, self._tick)
        return self

    @property
    def position(self) -> int:
        """Sequence up to which everything matching has been handed out."""
        return self._taken if self._queue else max(self._taken, self._covered)

    @property
    def at_end(self) -> bool:
        """True when the consumer had nothing more to send at the time of the last message."""
        return self._pending == 0 and self._subscription is not None

    @property
    def waiting(self) -> bool:
        """True when records can be taken without waiting."""
        return bool(self._queue)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Record]:
        while not self._queue:
            if self._error is not None:
                raise self._error
            if self._closed:
                raise StopAsyncIteration
            await self.change()
        return self.take()

    def take(self) -> list[Record]:
        """All records that wait, maybe none."""
        batch, self._queue = self._queue, []
        if batch:
            self._taken = batch[-1].seq
            self._notify()
        if self._credit:
            self._connection.write(b"".join(b"PUB %b 0\r\n\r\n" % reply for reply in self._credit))
            self._credit.clear()
        return batch

    async def change(self) -> None:
        """Returns when a message came, records were taken, or the follower ended."""
        waiter = asyncio.get_running_loop().create_future()
        self._changes.append(waiter)
        await waiter

    async def covers(self, end: int) -> bool:
        """True when all that matches up to `end` has been received; asks the leader when the consumer is at its end."""
        if self._covered >= end:
            return True
        if not self.at_end:
            return False
        covered = self._covered
        following = await self._source.next_seq(covered, self._patterns)
        if (following is None or following > end) and covered == self._covered:
            self._covered = end
        return self._covered >= end

    async def caught_up(self) -> None:
        """Returns once all that was in the log at the call has been handed out."""
        end = (await self._source.state())["last_seq"]
        while not await self.covers(end):
            await self._change_or_raise()
        received = self._received
        while self._taken < received:
            await self._change_or_raise()

    def raise_error(self) -> None:
        """Raises what ended the follower, if anything did."""
        if self._error is not None:
            raise self._error

    async def _change_or_raise(self) -> None:
        self.raise_error()
        if self._closed:
            raise Unavailable("the follower is closed")
        await self.change()

    async def aclose(self) -> None:
        """Stops it; a waiting iteration ends. Order: idempotent."""
        if self._closed:
            return
        self._closed = True
        if self._watch is not None:
            self._watch.cancel()
        if self._reopening is not None:
            self._reopening.cancel()
        for hooks, hook in ((self._connection.on_lost, self._on_lost), (self._connection.on_back, self._on_back)):
            if hook in hooks:
                hooks.remove(hook)
        self._leave()
        self._queue.clear()
        self._notify()

    # Messages

    def _on_message(self, subject: bytes, reply: bytes, headers: bytes, body: bytes) -> None:
        self._alive = True
        parts = reply.split(b".")
        count = len(parts)
        if count < 9 or parts[1] != b"ACK":
            self._on_control(reply, headers)
            return
        if count > 9:
            del parts[2:4]  # the longer form names domain and account first
        if int(parts[6]) != self._consumer_seq + 1:
            self._restart(f"message {self._consumer_seq + 1} of the consumer is missing")
            return
        self._consumer_seq += 1
        seq = int(parts[5])
        self._pending = int(parts[8])
        self._received = self._covered = seq
        self._queue.append(Record(seq, int(parts[7]), str(subject, "utf-8", "replace"), body, headers))
        if self._changes:
            self._notify()

    def _on_control(self, reply: bytes, headers: bytes) -> None:
        """Heartbeats prove that nothing is missing; flow control asks whether more may come."""
        if reply:
            self._credit.append(reply)
        else:
            last = _number(headers, b"Nats-Last-Consumer:")
            if last is not None and last != self._consumer_seq:
                self._restart(f"{last - self._consumer_seq} messages of the consumer are missing")
                return
            self._covered = max(self._covered, _number(headers, b"Nats-Last-Stream:") or 0)
            stalled = _value(headers, b"Nats-Consumer-Stalled:")
            if stalled:
                self._credit.append(stalled)
        if not self._queue:
            self.take()
        if self._changes:
            self._notify()

    def _notify(self) -> None:
        changes, self._changes = self._changes, []
        for waiter in changes:
            if not waiter.done():
                waiter.set_result(None)

    # The consumer

    def _start(self) -> dict[str, Any]:
        if self._since_ns is not None and self._received == 0:
            since = datetime.fromtimestamp(self._since_ns // 1_000_000_000, UTC)
            fraction = f"{self._since_ns % 1_000_000_000:09d}"
            return {"deliver_policy": "by_start_time", "opt_start_time": f"{since:%Y-%m-%dT%H:%M:%S}.{fraction}Z"}
        if self._covered == 0:
            return {"deliver_policy": "all"}
        return {"deliver_policy": "by_start_sequence", "opt_start_seq": self._covered + 1}

    async def _create(self) -> None:
        connection, stream = self._connection, self._source.stream
        inbox = connection.new_inbox()
        self._consumer = inbox.rpartition(".")[2]
        self._consumer_seq = 0
        self._pending = 1  # unknown until the server says so
        self._credit.clear()
        self._alive = True
        self._subscription = connection.listen(inbox, self._on_message)
        config = {
            "name": self._consumer,
            "deliver_subject": inbox,
            "filter_subjects": self._patterns,
            "ack_policy": "none",
            "mem_storage": True,
            "num_replicas": 1,
            "flow_control": True,
            "idle_heartbeat": int(HEARTBEAT_S * 1e9),
            "inactive_threshold": INACTIVE_S * 1_000_000_000,
            **self._start(),
        }
        created = await call(
            connection, f"CONSUMER.CREATE.{stream}.{self._consumer}", {"stream_name": stream, "config": config}
        )
        if self._subscription.is_denied:
            raise PermissionDenied(inbox, "subscribe to")
        if self._consumer_seq == 0:
            self._pending = created["num_pending"]

    def _leave(self) -> None:
        """Gives the present consumer back to the server, which would also notice by itself."""
        if self._subscription is None:
            return
        self._connection.unlisten(self._subscription)
        self._subscription = None
        delete = f"{self._connection.address.api}.CONSUMER.DELETE.{self._source.stream}.{self._consumer}"
        self._connection.write(f"PUB {delete} {self._connection.expect_nothing()} 0\r\n\r\n".encode())

    def _on_lost(self) -> None:
        if self._subscription is not None:
            self._connection.unlisten(self._subscription)
            self._subscription = None

    def _on_back(self) -> None:
        self._restart("the connection was lost")

    def _tick(self) -> None:
        """Two silent ticks in a row: the consumer is gone (one may be this process being busy)."""
        self._silent_ticks = 0 if self._alive else self._silent_ticks + 1
        self._alive = False
        if self._silent_ticks >= 2 and self._subscription is not None and self._connection.online:
            self._silent_ticks = 0
            self._restart("the consumer is silent")
        self._watch = asyncio.get_running_loop().call_later(HEARTBEAT_S * 1.5, self._tick)

    def _restart(self, reason: str) -> None:
        if self._closed or self._error is not None:
            return
        _log.info("reading of %s goes on after %d: %s", self._source.stream, self._covered, reason)
        self._leave()
        if self._reopening is None or self._reopening.done():
            self._reopening = asyncio.get_running_loop().create_task(self._reopen())

    async def _reopen(self) -> None:
        """Tries until the consumer is there again; only what a retry can't heal ends the follower."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + SETTLE_S
        while self._subscription is None:
            try:
                await self._connection.wait_online(3600)
                last = (await self._source.state())["last_seq"]
                if last < self._received:
                    # A new leader may still be applying its tail; a log that stays short has lost acknowledged records.
                    if loop.time() > deadline:
                        raise Corrupt(f"the log ends at {last}, but {self._received} was read: records are lost")
                    await asyncio.sleep(0.1)
                    continue
                await self._create()
            except (PermissionDenied, Corrupt) as error:
                self._error = error
                self._leave()
                self._notify()
                return
            except EventLogError as error:
                self._leave()
                if self._connection.is_closed:
                    self._error = Unavailable("the connection is closed")
                    self._notify()
                    return
                _log.info("reading of %s has to wait: %s", self._source.stream, error)
                await asyncio.sleep(random.uniform(0.05, 0.25))  # noqa: S311


async def read(
    source: Source,
    patterns: Sequence[str],
    after: int,
    since_ns: int | None,
    until: int | None,
    patience_s: float,
) -> AsyncIterator[list[Record]]:
    """The records in `(after, end]`, where the end is `until` or the log's end at the call."""
    end: int = (await source.state())["last_seq"]
    if until is not None:
        end = min(end, until)
    if after >= end:
        return
    follower = await PushFollower(source, patterns, 0 if since_ns is not None else after, since_ns).open()
    try:
        while True:
            if follower.waiting:
                batch = follower.take()
                over = batch[-1].seq >= end
                if over or batch[0].seq <= after:
                    batch = [record for record in batch if after < record.seq <= end]
                if batch:
                    yield batch
                if over:
                    return
            elif (follower.at_end and source.replicas == 1) or await follower.covers(end):
                if not follower.waiting:
                    return
            else:
                try:
                    async with asyncio.timeout(patience_s):
                        await follower.change()
                except TimeoutError:
                    raise Unavailable(f"reading of {source.stream} got nothing for {patience_s:g} s") from None
                follower.raise_error()
    finally:
        await follower.aclose()


def _value(headers: bytes, name: bytes) -> bytes:
    start = headers.find(name)
    if start < 0:
        return b""
    start += len(name)
    return headers[start : headers.find(b"\r\n", start)].strip()


def _number(headers: bytes, name: bytes) -> int | None:
    value = _value(headers, name)
    return int(value) if value.isdigit() else None
