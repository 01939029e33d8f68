"""Appends that were accepted and have not ended: their order, their bound and their deadlines.

1. One append of an aggregate is current; the others wait in order until it ends.
2. Every accepted append ends once: with its version, or with an error.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from clawactors.eventlog.jetstream.wire.frames import Append

__all__ = ["Backlog"]

MOST_APPENDS: Final = 16_384
MOST_BYTES: Final = 64 << 20
_ENDED_KEPT: Final = 1000


class Backlog:
    """The appends of one publisher; `queue` holds the current ones that are to be sent."""

    def __init__(self) -> None:
        self.queue: deque[Append] = deque()
        self._current: dict[str, Append] = {}
        self._deadlines: deque[Append] = deque()
        self._count = self._size_bytes = 0
        self._room: deque[asyncio.Future[None]] = deque()

    def __bool__(self) -> bool:
        """True while any append has not ended."""
        return self._count > 0

    @property
    def has_room(self) -> bool:
        """True when another append may be accepted."""
        return self._count < MOST_APPENDS and self._size_bytes < MOST_BYTES

    async def room(self) -> None:
        """Returns when there may be room, in the order of the calls."""
        room = asyncio.get_running_loop().create_future()
        self._room.append(room)
        await room

    def accept(self, append: Append) -> None:
        """Accepts it: it is queued, or waits for the current append of its aggregate."""
        self._count += 1
        self._size_bytes += append.size_bytes
        self._deadlines.append(append)
        current = self._current.setdefault(append.aggregate, append)
        if current is append:
            self.queue.append(append)
        elif current.next is None:
            current.next = deque((append,))
        else:
            current.next.append(append)

    def is_open(self, append: Append) -> bool:
        """True while it is the current one of its aggregate."""
        return self._current.get(append.aggregate) is append

    def current(self, aggregate: str) -> Append | None:
        """The current append of this aggregate."""
        return self._current.get(aggregate)

    def take(self, most: int, most_bytes: int) -> list[Append]:
        """The next appends to send, of distinct aggregates; skips those whose callers gave up."""
        taken: list[Append] = []
        size = 0
        while self.queue and len(taken) < most:
            size += self.queue[0].size_bytes
            if taken and size > most_bytes:
                break
            append = self.queue.popleft()
            if append.version.done():
                self.finish(append, 0)
            else:
                taken.append(append)
        return taken

    def finish(self, append: Append, outcome: int | Exception) -> None:
        """Gives the outcome to the caller and the turn to the next append of the aggregate. Order: idempotent."""
        if not self.is_open(append):
            return
        self._end(append, outcome)
        waiting = append.next
        while waiting:
            following = waiting.popleft()
            if following.version.done():
                self._end(following, 0)
                continue
            following.next = waiting
            self._current[append.aggregate] = following
            self.queue.append(following)
            return
        del self._current[append.aggregate]

    def expire(self, now: float, error_of: Callable[[Append], Exception]) -> bool:
        """Ends those whose deadline has passed; True if there were any."""
        expired = False
        while self._deadlines and (self._deadlines[0].version.done() or self._deadlines[0].deadline <= now):
            append = self._deadlines.popleft()
            if append.version.done():
                continue
            expired = True
            if self.is_open(append):
                self.finish(append, error_of(append))
            else:
                append.version.set_exception(error_of(append))
        if len(self._deadlines) > 2 * self._count + _ENDED_KEPT:  # an append that waits long keeps ended ones behind it
            self._deadlines = deque(append for append in self._deadlines if not append.version.done())
        if expired:
            self.queue = deque(append for append in self.queue if self.is_open(append))
        return expired

    def finish_all(self, error: Exception) -> None:
        """Ends all appends with the error."""
        while self._current:
            for append in list(self._current.values()):
                self.finish(append, error)
        self.queue.clear()

    def _end(self, append: Append, outcome: int | Exception) -> None:
        if not append.version.done():
            if isinstance(outcome, int):
                append.version.set_result(outcome)
            else:
                append.version.set_exception(outcome)
        self._count -= 1
        self._size_bytes -= append.size_bytes
        if self._room and self.has_room:
            room = self._room.popleft()
            if not room.done():
                room.set_result(None)
