"""What one source tells, to all who listen to it: each frame is made once, and nobody holds up anybody else.

1. The newest frames are kept. Who begins further back reads the source itself up to there, at its own pace; then it is
   handed what is kept, and from the end of that on each frame as it comes. So nothing is missed and nothing comes
   twice, however fast the source is.
2. Who reads too slowly is told so and cut: it goes on by its last id. So a slow reader costs a bounded queue.
3. What is for many is handed out in slices, and the loop turns between them.
4. A comment says now and then that the connection lives; its id says how far the source is, so that who wants little
   need not go through all the rest again.
"""

import asyncio
import random
from bisect import bisect_right
from collections import deque
from collections.abc import AsyncGenerator, Hashable
from contextlib import aclosing
from itertools import islice
from typing import Any, Final

from clawactors.app.web.listeners import Listener, ListenerGroup, Told, Wanted

__all__ = ["Fanout"]

_HEARTBEAT_S: Final = 15.0
_TICK_S: Final = 1.0
_LAGGED: Final = b"event: lagged\ndata: {}\n\n"
_SLICE: Final = 200
"""So many are woken, or frames looked at, before others have their turn."""
_AGAIN_MS: Final = (1_000, 5_000)
"""When a browser that was cut off comes again: not all at once."""


class Fanout[I: Any, T: Told[Any], W: Wanted[Any]]:
    """`position` is the id behind which it begins; at most `kept` frames of so many bytes are kept."""

    def __init__(self, position: I, kept: int, kept_bytes: int) -> None:
        self.position = self._all_have = self._complete_after = position
        self._kept, self._kept_bytes = deque[T](), 0
        self._most, self._most_bytes = kept, kept_bytes
        self._groups: dict[str, dict[Hashable, ListenerGroup[T]]] = {}
        self._ticking: asyncio.Task[None] | None = None
        self._last: bytes | None = None

    def text(self, id: I) -> str:
        """The id as it is sent."""
        raise NotImplementedError

    def earlier(self, wanted: W, after: I, until: I) -> AsyncGenerator[tuple[I, bytes]]:
        """What is wanted of the source between two ids, and how far that is; b'' where there was nothing so far."""
        raise NotImplementedError

    async def publish(self, page: list[T]) -> None:
        """Hands it to all who listen. Order: one page at a time."""
        for told in page:
            self._kept.append(told)
            self._kept_bytes += len(told.frame)
            while len(self._kept) > self._most or self._kept_bytes > self._most_bytes:
                oldest = self._kept.popleft()
                self._kept_bytes -= len(oldest.frame)
                self._complete_after = oldest.id
        self.position = page[-1].id
        # Who comes from now on finds all of the page among what is kept.
        some: dict[str, list[T]] = {"": page}
        for told in page:
            if told.topic and told.topic in self._groups:
                some.setdefault(told.topic, []).append(told)
        parts = [
            (group, list(group.listeners), of_topic)
            for topic, of_topic in some.items()
            for group in self._groups.get(topic, {}).values()
        ]
        looked = 0
        for group, listeners, of_topic in parts:
            if pieces := group.pieces(of_topic):
                for number, listener in enumerate(listeners, 1):
                    listener.put(pieces)
                    if number % _SLICE == 0:
                        await asyncio.sleep(0)
            if (looked := looked + len(of_topic)) > _SLICE:
                looked = 0
                await asyncio.sleep(0)
        self._all_have = self.position

    def close(self, last: bytes = b"") -> None:
        """Publishes nothing any longer: all streams end, with this frame. Order: idempotent."""
        if self._last is None:
            self._last = last
        if self._ticking is not None:
            self._ticking.cancel()
        for listener in self._listeners():
            listener.came.set()

    async def stream(self, wanted: W, after: I, known_after: I) -> AsyncGenerator[bytes]:
        """Frames behind that id, without end; what is kept serves only behind `known_after`."""
        clock = asyncio.get_running_loop().time
        listener = Listener(clock())
        again_ms = random.randint(*_AGAIN_MS)  # noqa: S311 - spreads those that come again
        yield b"retry: %d\nid: %b\n\n" % (again_ms, self.text(after).encode())
        try:
            async with aclosing(self._caught_up(wanted, after, known_after, listener)) as earlier:
                async for reached, frames in earlier:
                    if frames or clock() - listener.sent_s >= _HEARTBEAT_S:
                        listener.sent_s = clock()
                        yield frames or self._heartbeat(reached)
            while True:
                while frames := listener.take():
                    listener.sent_s = clock()
                    yield frames
                if listener.is_lagged or self._last is not None:
                    break
                if clock() - listener.sent_s >= _HEARTBEAT_S:
                    listener.sent_s = clock()
                    yield self._heartbeat(max(listener.joined_at, self._all_have))
                    continue
                await listener.came.wait()
                listener.came.clear()
            if last := _LAGGED if listener.is_lagged else self._last:
                yield last
        finally:
            self._leave(listener)

    async def _caught_up(
        self, wanted: W, after: I, known_after: I, listener: Listener
    ) -> AsyncGenerator[tuple[I, bytes]]:
        """What came before now; after the last of it the listener is one of those who are told."""
        ahead = after if after > self.position else None
        while True:
            if after < max(self._complete_after, known_after):
                until = self.position
                async with aclosing(self.earlier(wanted, after, until)) as parts:
                    async for part in parts:
                        yield part
                after = until
                continue
            begin = bisect_right(self._kept, after, key=lambda told: told.id)
            page = list(islice(self._kept, begin, begin + _SLICE))
            group = ListenerGroup(wanted, ahead)
            pieces = group.pieces(page)
            after = page[-1].id if page else after
            if has_all := begin + _SLICE >= len(self._kept):
                self._join(group, listener, after)
            for piece in pieces:
                yield after, piece
            if has_all:
                return
            await asyncio.sleep(0)

    def _join(self, made: ListenerGroup[T], listener: Listener, after: I) -> None:
        same = self._groups.setdefault(made.wanted.topic, {})
        listener.group = group = same.setdefault(made.key, made)
        group.listeners.add(listener)
        listener.joined_at = max(after, self.position)
        if self._ticking is None and self._last is None:
            self._ticking = asyncio.create_task(self._tick())

    def _leave(self, listener: Listener) -> None:
        if (group := listener.group) is None:
            return
        group.listeners.discard(listener)
        same = self._groups.get(group.wanted.topic, {})
        if not group.listeners and same.get(group.key) is group:
            del same[group.key]
            if not same:
                del self._groups[group.wanted.topic]

    def _listeners(self) -> list[Listener]:
        groups = [group for same in self._groups.values() for group in same.values()]
        return [listener for group in groups for listener in group.listeners]

    async def _tick(self) -> None:
        """Wakes those who have been sent nothing for a while."""
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(_TICK_S)
            before_s = clock() - _HEARTBEAT_S
            silent = [listener for listener in self._listeners() if listener.sent_s <= before_s]
            for number, listener in enumerate(silent, 1):
                listener.came.set()
                if number % _SLICE == 0:
                    await asyncio.sleep(0)

    def _heartbeat(self, id: I) -> bytes:
        return b": alive\nid: %b\n\n" % self.text(id).encode()
