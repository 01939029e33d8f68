"""What a push consumer delivers, in order and without gaps, until it is taken.

1. The consumer sequences in the reply subjects have no gap; heartbeats prove that the last messages arrived.
2. The server sends more only when earlier records were taken: a slow reader holds a bounded amount.
"""

import asyncio
from collections.abc import Callable, Sequence

from clawactors.eventlog.jetstream.log.consumer import header_number, header_value
from clawactors.eventlog.patterns import matcher
from clawactors.eventlog.record import Record

__all__ = ["Delivery"]


class Delivery:
    """The records that wait to be taken. `write` sends frames; `on_gap` gets the reason when records are missing."""

    def __init__(
        self, patterns: Sequence[str], after: int, write: Callable[[bytes], bool], on_gap: Callable[[str], None]
    ) -> None:
        self._fits = matcher(patterns) if len(patterns) > 1 else None
        self._write, self._on_gap = write, on_gap
        self._queue: list[Record] = []
        self._credit: list[bytes] = []
        self._number = 0
        self._changes: list[asyncio.Future[None]] = []
        self.covered = self.queued = self.taken = after
        """Sequences: all up to here was received; the last record that was queued; the last one that was taken."""
        self.at_end = False
        """True when the consumer had nothing more to send at the time of the last message."""
        self.is_alive = True
        """A message or heartbeat has arrived since this was set to False."""

    @property
    def position(self) -> int:
        """The sequence up to which all matching records were handed out."""
        return self.taken if self._queue else max(self.taken, self.covered)

    @property
    def waiting(self) -> bool:
        """True when records can be taken without waiting."""
        return bool(self._queue)

    @property
    def waiting_bytes(self) -> int:
        """The size of the waiting records."""
        return sum(len(record.body) + len(record.headers) for record in self._queue)

    @property
    def has_begun(self) -> bool:
        """True once the present consumer has sent a message."""
        return self._number > 0

    def begin(self) -> None:
        """Prepares for a new consumer."""
        self._number = 0
        self.at_end = False
        self._credit.clear()
        self.is_alive = True

    def take(self) -> list[Record]:
        """All waiting records, maybe none; the server may send more."""
        batch, self._queue = self._queue, []
        if batch:
            self.taken = batch[-1].seq
            self.notify()
        if self._credit:
            self._write(b"".join(b"PUB %b 0\r\n\r\n" % reply for reply in self._credit))
            self._credit.clear()
        return batch

    def clear(self) -> None:
        """Drops the waiting records."""
        self._queue.clear()

    async def change(self) -> None:
        """Returns when a message arrived, records were taken, or `notify` was called."""
        waiter = asyncio.get_running_loop().create_future()
        self._changes.append(waiter)
        await waiter

    def notify(self) -> None:
        """Wakes all that wait for a change."""
        changes, self._changes = self._changes, []
        for waiter in changes:
            if not waiter.done():
                waiter.set_result(None)

    def on_message(self, subject: bytes, reply: bytes, headers: bytes, body: bytes) -> None:
        """Handles a message of the consumer."""
        self.is_alive = True
        dots = reply.count(b".")
        if dots == 8:
            _, sequence, number, at_ns, pending = reply.rsplit(b".", 4)
        elif dots > 8:  # the longer form names domain and account first, and may end with a random token
            sequence, number, at_ns, pending = reply.split(b".")[7:11]
        else:
            self._on_control(reply, headers)
            return
        if int(number) != self._number + 1:
            self._on_gap(f"message {self._number + 1} of the consumer is missing")
            return
        self._number += 1
        self.at_end = pending == b"0"
        self.supply(Record(int(sequence), int(at_ns), str(subject, "utf-8", "replace"), body, headers))

    def supply(self, record: Record) -> None:
        """Takes the next record, unless it is here already: fetched while there was no consumer."""
        if record.seq > self.covered:
            self.covered = record.seq
            if self._fits is None or self._fits(record.subject):
                self._queue.append(record)
                self.queued = record.seq
        if self._changes:
            self.notify()

    def _on_control(self, reply: bytes, headers: bytes) -> None:
        """Heartbeats prove that nothing is missing; flow control asks whether more may come."""
        if reply:
            self._credit.append(reply)
        else:
            last = header_number(headers, b"Nats-Last-Consumer:")
            if last is not None and last != self._number:
                self._on_gap(f"{last - self._number} messages of the consumer are missing")
                return
            self.covered = max(self.covered, header_number(headers, b"Nats-Last-Stream:") or 0)
            stalled = header_value(headers, b"Nats-Consumer-Stalled:")
            if stalled:
                self._credit.append(stalled)
        if not self._queue:
            self.take()
        if self._changes:
            self.notify()
