"""Runs the application on a socket until it is cancelled."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["run_http"]

_GRACE_S: Final = 2
_MOST_CONNECTIONS: Final = 4000
"""Beyond it requests are answered with 503: more would hold up those that are there."""
_HEAD_S: Final = 10.0
_HEAD_MAX_BYTES: Final = 320 << 10


class _BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose request does not begin in time, or whose headers have no end."""

    _head_bytes = 0
    _deadline: asyncio.TimerHandle | None = None
    _is_in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        super().connection_lost(exc)

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

    def _begin(self) -> None:
        self._end()
        self._is_in_head = True
        self._deadline = self.loop.call_later(_HEAD_S, self.transport.close)

    def _end(self) -> None:
        self._head_bytes, self._is_in_head = 0, False
        if self._deadline is not None:
            self._deadline.cancel()


class _Server(uvicorn.Server):
    """Leaves signals to the process that it runs in."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def run_http(application: Any, listening: socket.socket) -> None:
    """Answers requests until cancelled; what is under way then has two seconds to end."""
    config = uvicorn.Config(
        application,
        http=_BoundedProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
        limit_concurrency=_MOST_CONNECTIONS,
    )
    server = _Server(config)
    serving = asyncio.ensure_future(server.serve([listening]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        await serving
        raise
