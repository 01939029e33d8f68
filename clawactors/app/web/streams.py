"""The streams of events that are open in this process: how many there may be, how one is sent, and what ends it.

1. A stream ends on its own side: when its frames end, who listens has gone, or the process stops. All others go on.
2. It ends as soon as the key or the session of who listens does. That is looked at once for all streams of one secret:
   now and then, and at once where the log tells of a change.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, Final, override

from litestar.response import Stream
from litestar.response.base import ASGIResponse

from clawactors.app.web.keyring import Asker
from clawactors.app.web.problems import HttpProblem
from clawactors.runtime.client.keys import name_in

__all__ = ["STREAM", "EventStream", "OpenStreams"]

STREAM: Final = "text/event-stream"
_LOOK_S: Final = 0.5
_AGAIN_S: Final = (5, 15)
_HEADERS: Final = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
"""A proxy on the way neither keeps what comes, nor holds it back to compress it."""

type Frames = AsyncGenerator[bytes]


class _OpenStream:
    """One stream, and the task that sends it."""

    def __init__(self, asker: Asker) -> None:
        self.asker, self.is_over = asker, False
        self._task = asyncio.current_task()

    def end(self) -> None:
        """Sends nothing of it any longer. Order: idempotent."""
        if not self.is_over and self._task is not None:
            self.is_over = True
            self._task.cancel()

    def owns(self) -> bool:
        """True where the cancellation that has just come is that of `end` alone."""
        return self.is_over and self._task is not None and self._task.uncancel() == 0

    async def watch(self, receive: Any) -> None:
        """Ends it when who listens has gone."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self.end()


class OpenStreams:
    """At most `most` of them. `still` says whether who asked may go on."""

    def __init__(self, still: Callable[[Asker], Awaitable[bool]], most: int) -> None:
        self._still, self._most = still, most
        self._open: dict[tuple[str, str], set[_OpenStream]] = {}
        self._count, self._is_closed = 0, False
        self._looking: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """How many are open."""
        return self._count

    def check_room(self) -> None:
        """Raises: `HttpProblem` (503) where there are as many as this process bears, or it is about to stop."""
        if self._count >= self._most or self._is_closed:
            said = "this process is about to stop" if self._is_closed else f"{self._most} streams are open already"
            again_s = random.randint(*_AGAIN_S)  # noqa: S311 - spreads those that come again
            headers = {"Retry-After": str(again_s), "Connection": "close"}
            raise HttpProblem(503, "unavailable", said, "poll, or try again soon", headers)

    async def send(self, asker: Asker, frames: Frames, receive: Any, send: Any) -> None:
        """Sends the frames until they end, who listens has gone, or may listen no longer."""
        stream = _OpenStream(asker)
        of_secret = self._open.setdefault((asker.session, asker.key), set())
        of_secret.add(stream)
        self._count += 1
        if self._looking is None:
            self._looking = asyncio.create_task(self._look_now_and_then())
        watching = asyncio.create_task(stream.watch(receive))
        try:
            async with aclosing(frames):
                async for frame in frames:
                    await send({"type": "http.response.body", "body": frame, "more_body": True})
        except asyncio.CancelledError:
            if not stream.owns():
                raise
        finally:
            watching.cancel()
            self._count -= 1
            of_secret.discard(stream)
            if not of_secret:
                self._open.pop((asker.session, asker.key), None)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def check_key(self, name: str) -> None:
        """Ends those of the key with that name, unless it still opens something."""
        for (_, key), streams in list(self._open.items()):
            if key and name_in(key) == name:
                await self._look(streams)

    async def _look_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            for streams in list(self._open.values()):
                await self._look(streams)

    async def _look(self, streams: set[_OpenStream]) -> None:
        one = next(iter(streams), None)
        if one is not None and not await self._still(one.asker):
            _end(streams)

    async def aclose(self) -> None:
        """Ends all, and lets no other begin. Order: idempotent."""
        self._is_closed = True
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait((self._looking,))
        for streams in list(self._open.values()):
            _end(streams)


def _end(streams: set[_OpenStream]) -> None:
    for each in list(streams):
        each.end()


class _EventResponse(ASGIResponse):
    """Sends its frames by way of the open streams."""

    _should_set_content_length = False

    def __init__(self, streams: OpenStreams, asker: Asker, frames: Frames, **about: Any) -> None:
        super().__init__(media_type=STREAM, **about)
        self._sending = streams, asker, frames

    @override
    async def send_body(self, send: Any, receive: Any) -> None:
        streams, asker, frames = self._sending
        await streams.send(asker, frames, receive, send)


class EventStream(Stream):
    """The answer that sends these frames to who asks."""

    def __init__(self, streams: OpenStreams, asker: Asker, frames: Frames) -> None:
        super().__init__(frames, media_type=STREAM)
        self._sending = streams, asker, frames

    @override
    def to_asgi_response(
        self, app: Any, request: Any, *, headers: Any = None, is_head_response: bool = False, **_: Any
    ) -> ASGIResponse:
        """See `Stream`."""
        return _EventResponse(
            *self._sending, headers={**(headers or {}), **_HEADERS}, is_head_response=is_head_response
        )
