"""Runs the application on a socket until it is cancelled."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final, override

import uvicorn
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from clawactors.app.web.problems import HttpProblem, refuse

__all__ = ["run_http"]

_GRACE_S: Final = 2
_HEAD_S: Final = 10.0
_REFUSED_HEAD_S: Final = 1.0
_HEAD_MAX_BYTES: Final = 320 << 10
_FRAMING: Final = (b"content-length", b"transfer-encoding")
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
    """Closes a connection whose request does not begin in time, or that is not read.

    So it does where headers have no end, or what stands between the parts of a body and behind it.

    `most` is how many connections there may be: the next is told to come again, and closed.
    """

    most: int
    _empty_bytes = _content_bytes = _unsent_bytes = 0
    _is_known_head = _has_content = False
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
        self._unset_keepalive_if_required()
        self._has_content, self._content_bytes = False, 0
        left = data
        try:
            while left:
                left = self._fed(left)
        except HttpParserError:
            self.send_400_response("Invalid HTTP request received.")
        self._empty_bytes = (0 if self._has_content else self._empty_bytes) + len(data) - self._content_bytes
        if self._empty_bytes > _HEAD_MAX_BYTES and not self.transport.is_closing():
            self.send_400_response("The headers are too large.")

    def _fed(self, data: bytes) -> bytes:
        """What is left to feed: no upgrade is made (clients offer HTTP/2 with any request), so a body comes.

        The parser takes none after such a head. Another one does, after a head that says how long the body is.
        """
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            left = data[upgrade.args[0] :]
        else:
            return b""
        framing = b"".join(b"%b: %b\r\n" % each for each in self.headers if each[0] in _FRAMING)
        self.parser = HttpRequestParser(self)
        self._is_known_head = True
        self.parser.feed_data(b"POST / HTTP/1.1\r\n" + framing + b"\r\n")
        return left

    def on_message_begin(self) -> None:
        if not self._is_known_head:
            super().on_message_begin()
            self._begin()

    def on_url(self, url: bytes) -> None:
        if not self._is_known_head:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_in_head:  # nobody reads what comes behind a body
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._has_content, self._content_bytes = True, self._content_bytes + len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():
            self._has_content = True
            super().on_message_complete()

    def on_headers_complete(self) -> None:
        if self._is_known_head:
            self._is_known_head = False
            return
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
        self._empty_bytes, self._is_in_head = 0, False
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
