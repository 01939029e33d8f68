"""One follower of the log for all who listen over HTTP: it fans events out, each as it is sent.

1. What was sent lately is kept, so that who was cut off for a moment goes on from the id that it has; what is older is
   read from the log again, and so nothing is missed and nothing comes twice.
2. Who reads too slowly is told so and cut: it goes on by its last id. So a slow reader costs a bounded queue.
"""

import asyncio
import contextlib
import logging
import re
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Final
from weakref import WeakSet

import msgspec

from clawactors.app.web.problems import HttpProblem
from clawactors.eventlog import EventLogError
from clawactors.runtime.client import ClusterClient
from clawactors.runtime.client.events import LogEvent, LogFilter, TaskOwners, pages_of

__all__ = ["HEARTBEAT", "EventHub", "frame_of", "id_of"]

HEARTBEAT: Final = b": alive\n\n"
_LAGGED: Final = b"event: lagged\ndata: {}\n\n"
_HEARTBEAT_S: Final = 15.0
_AGAIN_S: Final = 0.5
_KEPT: Final = 20_000
_KEPT_BYTES: Final = 32 << 20
_QUEUE: Final = 2_000
_QUEUE_BYTES: Final = 4 << 20
_SENT_BYTES: Final = 32 << 10
_MOST: Final = 2_000

_log = logging.getLogger(__name__)
_encode: Final = msgspec.json.Encoder().encode

type EventId = tuple[int, int]
"""The sequence of a commit, and which of its events."""
_ALL: Final = 1 << 30
_ID: Final = re.compile(r"(\d{1,19})(?:\.(\d{1,9}))?", re.ASCII)


def id_of(text: str) -> EventId | None:
    """The place behind which to go on, of a `Last-Event-ID`: `42` is all of that commit, `42.0` its first event."""
    found = _ID.fullmatch(text.strip())
    if found is None:
        return None
    return int(found[1]), int(found[2]) if found[2] else _ALL


def _id_of_event(event: LogEvent) -> EventId:
    return event.seq, _ALL if event.last else event.place


def frame_of(event: LogEvent) -> bytes:
    """The event as it is sent."""
    id = str(event.seq) if event.last else f"{event.seq}.{event.place}"
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (id.encode(), event.type.encode(), _encode(event.row))


class _Told:
    """An event, its frame, and whose task it is of."""

    __slots__ = ("event", "frame", "id", "whose")

    def __init__(self, event: LogEvent, whose: tuple[str, str] | None) -> None:
        self.event, self.whose, self.frame = event, whose, frame_of(event)
        self.id = _id_of_event(event)


class _Listener:
    """Who listens: frames that it has not been sent yet."""

    def __init__(self, wanted: LogFilter) -> None:
        self.wanted = wanted
        self.frames: deque[bytes] = deque()
        self.size_bytes = 0
        self.came = asyncio.Event()
        self.lagged = False

    def put(self, told: _Told) -> None:
        """Keeps it, if it is wanted; a full queue ends the listening."""
        if self.lagged or not self.wanted.fits(told.event, told.whose):
            return
        if len(self.frames) >= _QUEUE or self.size_bytes > _QUEUE_BYTES:
            self.frames.clear()
            self.lagged = True
        else:
            self.frames.append(told.frame)
            self.size_bytes += len(told.frame)
        self.came.set()

    def taken(self) -> bytes:
        """The next frames, no more than a slow reader may hold up; b'' for none."""
        sent = _joined(self.frames)
        self.size_bytes -= len(sent)
        return sent


class EventHub:
    """The follower begins with the first who listens. `client` gives the client that follows the log."""

    def __init__(self, client: Callable[[], Awaitable[ClusterClient]]) -> None:
        self._client = client
        self._listening = WeakSet[_Listener]()  # who leaves before the first frame is sent leaves no trace
        self._kept = deque[_Told]()
        self._kept_bytes = 0
        self._complete_after = self._position = 0
        self._pump: asyncio.Task[None] | None = None
        self._begun = asyncio.Event()

    async def listen(self, wanted: LogFilter, after: EventId | None) -> AsyncGenerator[bytes]:
        """Frames behind that id, by default from now on, without end; a comment while nothing happens.

        Raises: `HttpProblem` (503) where too many listen, `Unavailable`.
        """
        if len(self._listening) >= _MOST:
            raise HttpProblem(
                503, "unavailable", f"{_MOST} listen already", "poll, or try again soon", {"Retry-After": "10"}
            )
        listener = _Listener(wanted)
        self._listening.add(listener)
        try:
            if self._pump is None:
                self._pump = asyncio.create_task(self._follow())
            async with asyncio.timeout(10):
                await self._begun.wait()
            earlier = self._caught_up(listener, after)
        except BaseException:
            self._listening.discard(listener)
            raise
        return self._send(listener, earlier)

    async def _send(self, listener: _Listener, earlier: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        try:
            yield b": from the log of this cluster\n\n"
            async for frame in earlier:
                yield frame
            while True:
                try:
                    async with asyncio.timeout(_HEARTBEAT_S):
                        await listener.came.wait()
                except TimeoutError:
                    yield HEARTBEAT
                    continue
                listener.came.clear()
                while not listener.lagged and (frames := listener.taken()):
                    yield frames
                if listener.lagged:
                    yield _LAGGED
                    return
        finally:
            self._listening.discard(listener)

    def _caught_up(self, listener: _Listener, after: EventId | None) -> AsyncGenerator[bytes]:
        """What came before now, from when on the listener is told of each event."""
        listener.frames.clear()
        wanted = listener.wanted
        if after is None:
            return _of(deque())
        if after[0] >= self._complete_after and not wanted.asks_whose:
            return _of(deque(told.frame for told in self._kept if told.id > after and wanted.fits(told.event, None)))
        return self._read(wanted, after, self._position)

    async def _read(self, wanted: LogFilter, after: EventId, until: int) -> AsyncGenerator[bytes]:
        """What is wanted of the log up to that sequence."""
        client = await self._client()
        owners = TaskOwners(client)
        begin = after[0] - 1 if after[1] != _ALL else after[0]
        async for events in pages_of(client, max(0, begin), live=False):
            for event in events:
                if event.seq <= until and _id_of_event(event) > after:
                    whose = await owners.of(event) if wanted.asks_whose else None
                    if wanted.fits(event, whose):
                        yield frame_of(event)
            if events[-1].seq >= until:
                return

    async def _follow(self) -> None:
        """Follows the log, and again after a failure, from where it was."""
        after: int | None = None
        while True:
            try:
                client = await self._client()
                owners = TaskOwners(client)
                if after is None:
                    after = self._complete_after = self._position = (await client.status()).log.last_seq
                self._begun.set()
                async for events in pages_of(client, after, live=True):
                    asks = any(each.wanted.asks_whose for each in self._listening)
                    told = [_Told(event, await owners.of(event) if asks else None) for event in events]
                    self._tell(told)  # at once: who comes in between has all of a page or nothing
                    after = self._position
            except EventLogError as error:
                _log.warning("the log is not followed for a moment: %s", error)
            except Exception:  # who listens would hear nothing, and not know it
                _log.exception("the log is not followed for a moment")
            await asyncio.sleep(_AGAIN_S)

    def _tell(self, page: list[_Told]) -> None:
        for told in page:
            self._kept.append(told)
            self._kept_bytes += len(told.frame)
            while len(self._kept) > _KEPT or self._kept_bytes > _KEPT_BYTES:
                oldest = self._kept.popleft()
                self._kept_bytes -= len(oldest.frame)
                self._complete_after = oldest.event.seq
            for listener in self._listening:
                listener.put(told)
        self._position = page[-1].event.seq

    async def aclose(self) -> None:
        """Follows no longer."""
        if self._pump is not None:
            self._pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pump
            self._pump = None


def _joined(frames: deque[bytes]) -> bytes:
    """Takes some from the left, and joins them."""
    taken, size_bytes = list[bytes](), 0
    while frames and size_bytes < _SENT_BYTES:
        taken.append(frames.popleft())
        size_bytes += len(taken[-1])
    return b"".join(taken)


async def _of(frames: deque[bytes]) -> AsyncGenerator[bytes]:
    while frames:
        yield _joined(frames)
