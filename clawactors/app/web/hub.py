"""One follower of the log for all who listen to its events over HTTP."""

import asyncio
import contextlib
import logging
import re
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable
from contextlib import aclosing
from typing import Final, override

from clawactors.app.web.fanout import Fanout
from clawactors.app.web.listeners import data_of, joined
from clawactors.eventlog import EventLogError, Unavailable
from clawactors.runtime.client import ClusterClient
from clawactors.runtime.client.events import LogEvent, LogFilter, TaskOwners, pages_of
from clawactors.runtime.questions import read_log_end
from clawactors.systems.tasks.kind import TASKS

__all__ = ["EventHub", "EventId", "id_of"]

_AGAIN_S: Final = 0.5
_BEGIN_S: Final = 10.0
_KEPT: Final = 20_000
_KEPT_BYTES: Final = 32 << 20
_READERS: Final = 16
"""So many pages of the log are asked for at once, by those who come back after long."""
_SLICE: Final = 200

_log = logging.getLogger(__name__)

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


def _id_text(id: EventId) -> str:
    return str(id[0]) if id[1] == _ALL else f"{id[0]}.{id[1]}"


def _frame_of(event: LogEvent, id: EventId) -> bytes:
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (_id_text(id).encode(), event.type.encode(), data_of(event.row))


def _id_of_event(event: LogEvent) -> EventId:
    return event.seq, _ALL if event.last else event.place


class _ToldEvent:
    """An event as it is sent, and whose task it is of."""

    __slots__ = ("event", "frame", "id", "topic", "whose")

    def __init__(self, event: LogEvent) -> None:
        self.event, self.id = event, _id_of_event(event)
        self.whose: tuple[str, str] | None = None
        self.topic = f"{event.kind}.{event.id}"
        self.frame = _frame_of(event, self.id)


class _WantedEvents:
    """What fits a filter."""

    def __init__(self, filter: LogFilter) -> None:
        self.filter, self.topic = filter, f"{TASKS.name}.{filter.task}" if filter.task else ""
        self.key: Hashable = (filter.types, filter.task, filter.skill, filter.user, filter.without)

    def fits(self, told: _ToldEvent) -> bool:
        """True for an event that is wanted."""
        return self.filter.fits(told.event, told.whose)


class _LogFanout(Fanout[EventId, _ToldEvent, _WantedEvents]):
    """Tells the events of the log; what it does not keep is read from there."""

    def __init__(self, client: Callable[[], Awaitable[ClusterClient]], position: EventId) -> None:
        super().__init__(position, _KEPT, _KEPT_BYTES)
        self._client, self._reading = client, asyncio.Semaphore(_READERS)

    @override
    def text(self, id: EventId) -> str:
        return _id_text(id)

    @override
    async def earlier(
        self, wanted: _WantedEvents, after: EventId, until: EventId
    ) -> AsyncGenerator[tuple[EventId, bytes]]:
        client, filter = await self._client(), wanted.filter
        owners = TaskOwners(client)
        begin = after[0] if after[1] == _ALL else after[0] - 1
        async with aclosing(pages_of(client, max(0, begin), live=False)) as pages:
            while after < until:
                async with self._reading:
                    events = await anext(pages, None)
                if events is None:
                    return
                frames = deque[bytes]()
                for number, event in enumerate(events, 1):
                    if after < (id := _id_of_event(event)) <= until:
                        after = id
                        if filter.fits(event, await owners.of(event) if filter.asks_whose else None):
                            frames.append(_frame_of(event, id))
                    if number % _SLICE == 0:
                        await asyncio.sleep(0)
                after = max(after, min(until, id))
                yield after, joined(frames)
                while frames:
                    yield after, joined(frames)


class EventHub:
    """The follower begins with the first who listens. `client` gives the client that follows the log."""

    def __init__(self, client: Callable[[], Awaitable[ClusterClient]]) -> None:
        self._client = client
        self._asking = 0
        self._pump: asyncio.Task[None] | None = None
        self._begun: asyncio.Future[_LogFanout] | None = None
        self._watched: dict[str, Callable[[str], Awaitable[None]]] = {}
        self._calls = set[asyncio.Future[None]]()

    def watch(self, kind: str, changed: Callable[[str], Awaitable[None]]) -> None:
        """Calls it, while the log is followed, with the id of each aggregate of that kind that has changed."""
        self._watched[kind] = changed

    async def begin(self) -> _LogFanout:
        """Follows the log. Raises: `Unavailable`. Order: idempotent."""
        if self._begun is None:
            self._begun = asyncio.get_running_loop().create_future()
            self._pump = asyncio.create_task(self._follow(self._begun))
        try:
            return await asyncio.wait_for(asyncio.shield(self._begun), _BEGIN_S)
        except TimeoutError:
            raise Unavailable(f"the log could not be followed within {_BEGIN_S:g} s") from None

    async def listen(self, wanted: LogFilter, after: EventId | None) -> AsyncGenerator[bytes]:
        """Frames behind that id, by default from now on, without end. An id that this log does not have yet is now.

        Raises: `Unavailable`.
        """
        fanout = await self.begin()
        if after is not None and after > fanout.position:
            end = (await read_log_end((await self._client()).questions)).last_seq
            after = after if after[0] <= end else None
        return self._stream(fanout, _WantedEvents(wanted), fanout.position if after is None else after)

    async def _stream(self, fanout: _LogFanout, wanted: _WantedEvents, after: EventId) -> AsyncGenerator[bytes]:
        asks = wanted.filter.asks_whose
        self._asking += asks  # from now on it is known of each event whose it is
        try:
            async with aclosing(fanout.stream(wanted, after, fanout.position if asks else (0, 0))) as frames:
                async for frame in frames:
                    yield frame
        finally:
            self._asking -= asks

    async def _follow(self, begun: asyncio.Future[_LogFanout]) -> None:
        """Follows the log, and again after a failure, from where it was."""
        while True:
            try:
                client = await self._client()
                owners = TaskOwners(client)
                if not begun.done():
                    begun.set_result(_LogFanout(self._client, ((await client.status()).log.last_seq, _ALL)))
                fanout = begun.result()
                async for events in pages_of(client, fanout.position[0], live=True):
                    page = list[_ToldEvent]()
                    for number, event in enumerate(events, 1):
                        page.append(_ToldEvent(event))
                        if (changed := self._watched.get(event.kind)) is not None:
                            self._call_aside(changed(event.id))
                        if number % _SLICE == 0:
                            await asyncio.sleep(0)
                    if self._asking:
                        for told in page:
                            told.whose = await owners.of(told.event)
                    await fanout.publish(page)
            except EventLogError as error:
                _log.warning("the log is not followed for a moment: %s", error)
            except Exception:  # who listens would hear nothing, and not know it
                _log.exception("the log is not followed for a moment")
            await asyncio.sleep(_AGAIN_S)

    def _call_aside(self, call: Awaitable[None]) -> None:
        """Lets it take its time: the next events don't wait for it."""
        task = asyncio.ensure_future(call)
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def aclose(self) -> None:
        """Follows no longer, and ends all streams. Order: idempotent."""
        if self._begun is not None and self._begun.done():
            self._begun.result().close()
        if self._pump is not None:
            self._pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pump
