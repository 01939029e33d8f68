"""Follows the log in order through a push consumer; lost messages are detected and fetched again.

1. After a gap, silence or reconnect, it continues at the last received sequence + 1: no record is lost or repeated.
2. The stream's leader tells where the end is, because the server that delivers may lag.
"""

import asyncio
import logging
import random
from collections.abc import Sequence
from typing import Any, Final, Self

from clawactors.eventlog.errors import Corrupt, EventLogError, PermissionDenied, Unavailable
from clawactors.eventlog.jetstream.log import consumer
from clawactors.eventlog.jetstream.log.delivery import Delivery
from clawactors.eventlog.jetstream.log.source import StreamSource
from clawactors.eventlog.jetstream.log.stepping import stepping
from clawactors.eventlog.jetstream.wire.client import RawSubscription
from clawactors.eventlog.patterns import covering
from clawactors.eventlog.record import Record
from clawactors.eventlog.rfc3339 import rfc3339

__all__ = ["PushFollower"]

HEARTBEAT_S: Final = 2.0
AMONG_MANY_S: Final = 0.5  # there the consumer may die with its server while the connection lives
SETTLE_S: Final = 10

_log = logging.getLogger(__name__)


class PushFollower:
    """A `Follower` on a push consumer of one stream."""

    def __init__(self, source: StreamSource, patterns: Sequence[str], after: int, since_ns: int | None = None) -> None:
        self._source, self._patterns, self._since_ns = source, tuple(patterns), since_ns
        self._filter: dict[str, Any] = {"filter_subject": covering(patterns)}
        self._connection = source.connection
        self._delivery = Delivery(self._patterns, after, self._connection.write, self._restart)
        self._heartbeat_s = HEARTBEAT_S if source.replicas == 1 else AMONG_MANY_S
        self._silent_ticks, self._consumer, self._closed = 0, "", False
        self._subscription: RawSubscription | None = None
        self._reopening: asyncio.Task[None] | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._error: EventLogError | None = None

    async def open(self, *, sparse: bool = False) -> Self:
        """Creates the consumer; every append after this returns is seen. `sparse`: see `EventLog.follow`."""
        if sparse and len(self._patterns) > 1:
            self._filter = {"filter_subjects": list(self._patterns)}
        try:
            await self._create()
        except BaseException:
            self._leave()
            raise
        self._connection.on_lost.append(self._on_lost)
        self._connection.on_back.append(self._on_back)
        self._connection.on_denied.append(self._on_denied)
        self._watch = asyncio.get_running_loop().call_later(self._heartbeat_s, self._tick)
        return self

    @property
    def position(self) -> int:
        """The sequence up to which all matching records were handed out."""
        return self._delivery.position

    @property
    def at_end(self) -> bool:
        """True when the consumer had nothing more to send at the time of the last message."""
        return self._delivery.at_end and self._subscription is not None

    @property
    def waiting(self) -> bool:
        """True when records can be taken without waiting."""
        return self._delivery.waiting

    @property
    def waiting_bytes(self) -> int:
        """The size of the waiting records."""
        return self._delivery.waiting_bytes

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Record]:
        while not self._delivery.waiting:
            if self._error is not None:
                raise self._error
            if self._closed:
                raise StopAsyncIteration
            await self.change()
        return self.take()

    def take(self) -> list[Record]:
        """All waiting records, maybe none."""
        return self._delivery.take()

    async def change(self) -> None:
        """Returns when a message arrived, records were taken, or the follower ended."""
        await self._delivery.change()

    async def covers(self, end: int) -> bool:
        """True when all that matches up to `end` has been received; asks the leader when the consumer is at its end."""
        if self._delivery.covered >= end:
            return True
        if not self.at_end:
            return False
        covered = self._delivery.covered
        following = await self._source.following(covered, self._patterns)
        if (following is None or following.seq > end) and covered == self._delivery.covered:
            self._delivery.covered = end
        return self._delivery.covered >= end

    async def caught_up(self) -> None:
        """Returns when all records that were in the log at the call have been handed out."""
        end = (await self._source.state())["last_seq"]
        while not await self.covers(end):
            await self._change_or_raise()
        queued = self._delivery.queued
        while self._delivery.taken < queued:
            await self._change_or_raise()

    def raise_error(self) -> None:
        """Raises the error that ended the follower, if any."""
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
        if self._on_denied in self._connection.on_denied:
            self._connection.on_denied.remove(self._on_denied)
        self._leave()
        self._delivery.clear()
        self._delivery.notify()

    # The consumer

    def _start(self) -> dict[str, Any]:
        if self._since_ns is not None and self._delivery.covered == 0:
            return {"deliver_policy": "by_start_time", "opt_start_time": rfc3339(self._since_ns)}
        if self._delivery.covered == 0:
            return {"deliver_policy": "all"}
        return {"deliver_policy": "by_start_sequence", "opt_start_seq": self._delivery.covered + 1}

    async def _create(self) -> None:
        inbox = self._connection.new_inbox()
        self._delivery.begin()
        subscription = self._subscription = self._connection.listen(inbox, self._delivery.on_message)
        self._consumer, created = await consumer.create(
            self._connection,
            self._source.stream,
            inbox,
            self._heartbeat_s,
            flow_control=True,
            **self._filter,
            **self._start(),
        )
        if subscription.is_denied:
            raise PermissionDenied(inbox, "subscribe to")
        if self._subscription is subscription and not self._delivery.has_begun:
            self._delivery.at_end = created["num_pending"] == 0

    def _leave(self) -> None:
        """Deletes the present consumer; the server would also remove it by itself."""
        if self._subscription is not None:
            self._connection.unlisten(self._subscription)
            self._subscription = None
            consumer.delete(self._connection, self._source.stream, self._consumer)

    def _on_lost(self) -> None:
        if self._subscription is not None:
            self._connection.unlisten(self._subscription)
            self._subscription = None
        if self._connection.is_closed:
            self._error = Unavailable("the connection is closed")
            self._delivery.notify()

    def _on_denied(self, error: PermissionDenied) -> None:
        """Without permission to grant credit, no more records arrive; that must not look like the end of the log."""
        if error.subject.startswith(f"$JS.FC.{self._source.stream}.") and self._error is None:
            self._error = error
            self._leave()
            self._delivery.notify()

    def _on_back(self) -> None:
        self._restart("the connection was lost")

    def _tick(self) -> None:
        """Two silent ticks in a row mean that the consumer is gone (one may mean that this process was busy)."""
        self._silent_ticks = 0 if self._delivery.is_alive else self._silent_ticks + 1
        self._delivery.is_alive = False
        if self._silent_ticks >= 2 and self._subscription is not None and self._connection.online:
            self._silent_ticks = 0
            self._restart("the consumer is silent")
        self._watch = asyncio.get_running_loop().call_later(self._heartbeat_s * 1.25, self._tick)

    def _restart(self, reason: str) -> None:
        if self._closed or self._error is not None:
            return
        _log.info("reading of %s goes on after %d: %s", self._source.stream, self._delivery.covered, reason)
        self._leave()
        if self._reopening is None or self._reopening.done():
            self._reopening = asyncio.get_running_loop().create_task(self._reopen())

    async def _reopen(self) -> None:
        """Recreates the consumer, with retries; only an error that a retry can't heal ends the follower."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + SETTLE_S
        while self._subscription is None:
            try:
                await self._connection.wait_online(3600)
                last = (await self._source.state())["last_seq"]
                if last < self._delivery.covered:
                    # A new leader may still apply its tail; a log that stays short has lost acknowledged records.
                    if loop.time() > deadline:
                        raise Corrupt(
                            f"the log ends at {last}, but {self._delivery.covered} was read: records are lost"
                        )
                    await asyncio.sleep(0.1)
                    continue
                await stepping(self._create(), self._source, self._delivery, covering(self._patterns))
            except (PermissionDenied, Corrupt) as error:
                self._error = error
                self._leave()
                self._delivery.notify()
                return
            except EventLogError as error:
                self._leave()
                if self._connection.is_closed:
                    self._error = Unavailable("the connection is closed")
                    self._delivery.notify()
                    return
                _log.info("reading of %s has to wait: %s", self._source.stream, error)
                await asyncio.sleep(random.uniform(0.05, 0.25))  # noqa: S311
