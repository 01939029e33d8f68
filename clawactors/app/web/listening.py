"""Runs the application on a socket until it is cancelled."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final, override

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from clawactors.app.web.problems import HttpProblem, refuse

__all__ = ["run_http"]

_GRACE_S: Final = 2
_HEAD_S: Final = 10.0
_REFUSED_HEAD_S: Final = 1.0
_HEAD_MAX_BYTES: Final = 320 << 10
_STALLED_S: Final = 20.0
_AT_ONCE: Final = struct.pack("ii", 1, 0)
"""A socket that is closed so is gone: the system doesn't go on offering what nobody takes."""
_SEND_BUFFER_BYTES: Final = 128 << 10
"""What the system holds for who does not read; by default it would grow to megabytes."""


class _AnyLength(int):
    """The length of a body whose end is that of the connection: no body is longer, and it is right at any end."""

    @override
    def __sub__(self, _: int) -> int:
        return self

    @override
    def __ne__(self, _: object) -> bool:
        return False


async def _refuse(scope: Any, receive: Any, send: Any) -> None:
    again = {"Retry-After": "5", "Connection": "close"}
    await refuse(HttpProblem(503, "unavailable", "too many connections", "try again soon", again), send)


class _BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose request does not begin in time, whose headers have no end, or that is not read.

    `most` is how many connections there may be: the next is told to come again, and closed.
    """

    most: int
    _head_bytes = _unsent_bytes = 0
    _deadline: asyncio.TimerHandle | None = None
    _stall: asyncio.TimerHandle | None = None
    _is_in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.most:
            self.app = _refuse
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        self._forget_stall()
        super().connection_lost(exc)

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._unsent_bytes = self.transport.get_write_buffer_size()
        self._stall = self.loop.call_later(_STALLED_S, self._cut_stalled)

    @override
    def resume_writing(self) -> None:
        self._forget_stall()
        super().resume_writing()

    def _cut_stalled(self) -> None:
        """A reader that takes anything meanwhile is slow, not stalled."""
        left_bytes = self.transport.get_write_buffer_size()
        if left_bytes >= self._unsent_bytes:
            own = self.transport.get_extra_info("socket")
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            self.transport.abort()
            return
        self._unsent_bytes = left_bytes
        self._stall = self.loop.call_later(_STALLED_S, self._cut_stalled)

    def _forget_stall(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > _HEAD_MAX_BYTES and not self.transport.is_closing():
                self.send_400_response("The headers are too large.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._begin()

    def on_headers_complete(self) -> None:
        self._end()
        super().on_headers_complete()
        if self.scope["http_version"] == "1.0" and self.cycle.scope is self.scope:
            self.cycle.chunked_encoding = False  # HTTP/1.0 knows no chunks
            self.cycle.expected_content_length = _AnyLength(1 << 62)

    def _begin(self) -> None:
        self._end()
        self._is_in_head = True
        wait_s = _REFUSED_HEAD_S if self.app is _refuse else _HEAD_S
        self._deadline = self.loop.call_later(wait_s, self.transport.close)

    def _end(self) -> None:
        self._head_bytes, self._is_in_head = 0, False
        if self._deadline is not None:
            self._deadline.cancel()


class _Server(uvicorn.Server):
    """Leaves signals to the process that it runs in."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def run_http(
    application: Any, listening: socket.socket, most: int, end_streams: Callable[[], Awaitable[None]]
) -> None:
    """Answers requests on at most so many connections until cancelled.

    Then streams end at once, and what else is under way has two seconds.
    """
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
    config = uvicorn.Config(
        application,
        http=type("_Protocol", (_BoundedProtocol,), {"most": most}),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
    server = _Server(config)
    serving = asyncio.ensure_future(server.serve([listening]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        await end_streams()
        server.should_exit = True
        await serving
        raise
