"""What the code of a task says, to all who listen to it: each stream is followed once for all who may read the same.

A follower begins with the first who listens, and ends with the last, or with the task.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Hashable
from contextlib import aclosing
from typing import Final, override

from clawactors.app.web.fanout import Fanout
from clawactors.app.web.listeners import data_of, joined
from clawactors.eventlog import EventLogError
from clawactors.runtime.client import ClusterClient
from clawactors.runtime.client.streaming import Chunk, output_row
from clawactors.runtime.output import LOG

__all__ = ["OutputHub"]

_KEPT: Final = 5_000
_KEPT_BYTES: Final = 1 << 20
_GROUP: Final = 100
_END: Final = b"event: end\ndata: {}\n\n"

_log = logging.getLogger(__name__)


class _ToldChunk:
    """A chunk as it is sent."""

    __slots__ = ("frame", "id")
    topic: Final = ""

    def __init__(self, chunk: Chunk, *, is_log: bool) -> None:
        self.id = chunk.position
        self.frame = b"id: %d\ndata: %b\n\n" % (self.id, data_of(output_row(chunk, is_log=is_log)))


class _AllOfIt:
    """Who listens to a stream wants all of it."""

    key: Hashable = ""
    topic: Final = ""

    def fits(self, _: _ToldChunk) -> bool:
        """Every chunk is wanted."""
        return True


class _OutputFanout(Fanout[int, _ToldChunk, _AllOfIt]):
    """Tells the chunks of one stream."""

    def __init__(self, client: ClusterClient, id: str, name: str, after: int) -> None:
        super().__init__(after, _KEPT, _KEPT_BYTES)
        self._client, self._id, self._name = client, id, name
        self.listeners = 0
        self.following: asyncio.Task[None] | None = None

    @override
    def text(self, id: int) -> str:
        return str(id)

    def chunks(self, after: int, *, live: bool) -> AsyncGenerator[Chunk]:
        """Those behind that position; where it is not `live`, those that are there now."""
        return self._client.ref(self._id).stream(self._name, after=after, live=live)

    def told(self, chunk: Chunk) -> _ToldChunk:
        """It as it is sent."""
        return _ToldChunk(chunk, is_log=self._name == LOG)

    @override
    async def earlier(self, wanted: _AllOfIt, after: int, until: int) -> AsyncGenerator[tuple[int, bytes]]:
        frames = deque[bytes]()
        async with aclosing(self.chunks(after, live=False)) as chunks:
            async for chunk in chunks:
                if chunk.position > until:
                    break
                frames.append(self.told(chunk).frame)
                if len(frames) >= _GROUP:
                    while frames:
                        yield chunk.position, joined(frames)
        while frames:
            yield until, joined(frames)

    async def follow(self) -> None:
        """Tells what comes, up to the end of the task."""
        try:
            async with aclosing(self.chunks(self.position, live=True)) as chunks:
                async for chunk in chunks:
                    await self.publish([self.told(chunk)])
            self.close(_END)
        except EventLogError as error:
            _log.warning("the output of %s is not followed any longer: %s", self._id, error)
        except Exception:
            _log.exception("the output of %s is not followed any longer", self._id)
        finally:
            self.close()  # who listens comes again, and goes on behind the last id


class OutputHub:
    """The streams that somebody listens to. `who` tells apart those who may not read the same."""

    def __init__(self) -> None:
        self._known: dict[tuple[Hashable, str, str], _OutputFanout] = {}

    async def listen(
        self, client: ClusterClient, who: Hashable, id: str, name: str, after: int
    ) -> AsyncGenerator[bytes]:
        """Frames behind that position, up to the end of the task."""
        key = who, id, name
        fanout = self._known.get(key)
        if fanout is None:
            fanout = self._known[key] = _OutputFanout(client, id, name, after)
            fanout.following = asyncio.create_task(fanout.follow())
            fanout.following.add_done_callback(lambda _: self._forget(key, fanout))
        fanout.listeners += 1
        try:
            async with aclosing(fanout.stream(_AllOfIt(), after, 0)) as frames:
                async for frame in frames:
                    yield frame
        finally:
            fanout.listeners -= 1
            if not fanout.listeners and fanout.following is not None:
                fanout.following.cancel()
                self._forget(key, fanout)

    async def read(self, client: ClusterClient, id: str, name: str, after: int) -> AsyncGenerator[bytes]:
        """Frames behind that position that are there now, and the end."""
        fanout = _OutputFanout(client, id, name, after)
        async with aclosing(fanout.chunks(after, live=False)) as chunks:
            async for chunk in chunks:
                yield fanout.told(chunk).frame
        yield _END

    def _forget(self, key: tuple[Hashable, str, str], fanout: _OutputFanout) -> None:
        if self._known.get(key) is fanout:
            del self._known[key]

    async def aclose(self) -> None:
        """Follows no longer. Order: idempotent."""
        for fanout in list(self._known.values()):
            if fanout.following is not None:
                fanout.following.cancel()
                await asyncio.wait((fanout.following,))
