"""The socket to a server: what arrives goes from the transport straight to the parser, without waking a task.

No step waits without end for a peer that takes the connection and then does nothing, as a stopped server does, or a
router that has forgotten the connection.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Any, Final, override

from nats import errors
from nats.aio.transport import TcpTransport

__all__ = ["ParsingTransport", "Reader"]

READ_BYTES: Final = 1 << 18
_REFUSAL: Final = re.compile(rb"-ERR '?([^'\r\n]+)")
CLOSE_S: Final = 1.0
"""What was written may take so long to leave when the connection is closed or given up."""


class Reader(asyncio.StreamReader):
    """Passes arriving bytes to `take` at once, while a read is pending and nothing else is buffered."""

    def __init__(self, take: Callable[[bytes], bytes]) -> None:
        super().__init__(limit=READ_BYTES)
        self._take, self._waiting_bytes, self._is_read = take, 0, False

    @override
    def feed_data(self, data: bytes) -> None:  # type: ignore[override]  # no transport brings anything else
        if self._is_read and not self._waiting_bytes:
            try:
                data = self._take(data)
            except errors.ProtocolError as error:
                self.set_exception(error)
                return
        if data:
            self._waiting_bytes += len(data)
            super().feed_data(data)

    @override
    async def read(self, n: int = -1) -> bytes:
        """The bytes that `take` has left."""
        self._is_read = True
        try:
            data = await super().read(n)
        finally:
            self._is_read = False
        self._waiting_bytes -= len(data)
        return data

    @override
    async def readline(self) -> bytes:
        line = await super().readline()
        self._waiting_bytes -= len(line)
        return line


class ParsingTransport(TcpTransport):
    """Passes what it reads to `take`, hundreds of messages at a time."""

    def __init__(self, take: Callable[[bytes], bytes]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._take = take

    @override
    async def connect(self, uri: Any, buffer_size: int, connect_timeout: float) -> None:
        for abandoned in (self._bare_io_writer, self._io_writer):
            if abandoned is not None:
                abandoned.transport.abort()  # nats-py forgets it; a hanging server would collect them
        loop, reader = asyncio.get_running_loop(), Reader(self._take)
        try:
            async with asyncio.timeout(connect_timeout):
                transport, protocol = await loop.create_connection(
                    lambda: asyncio.StreamReaderProtocol(reader), uri.hostname, uri.port
                )
        except TimeoutError:
            raise TimeoutError(
                f"nobody took the connection within {connect_timeout:g} s: is the machine up, or a firewall between?"
            ) from None
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        self._bare_io_reader = self._io_reader = reader
        self._bare_io_writer = self._io_writer = writer
        if writer.get_extra_info("sockname") == writer.get_extra_info("peername"):
            # While the server is away, the system may pick the port that we dial as our own, and keep the server out.
            writer.transport.abort()
            raise OSError("connected to itself")

    @override
    async def connect_tls(self, uri: Any, ssl_context: Any, buffer_size: int, connect_timeout: float) -> None:
        if self._io_writer is None:
            raise OSError("the transport is closed")
        loop, reader = asyncio.get_running_loop(), Reader(self._take)
        protocol = asyncio.StreamReaderProtocol(reader)
        try:
            async with asyncio.timeout(connect_timeout):
                transport = await loop.start_tls(
                    self._io_writer.transport,
                    protocol,
                    ssl_context,
                    server_hostname=uri if isinstance(uri, str) else uri.hostname,
                    ssl_shutdown_timeout=CLOSE_S,
                )
            if transport is None:
                raise ConnectionResetError("the connection ended during the TLS handshake")
        except BaseException:
            # The handshake has taken the socket over: to wait for the plain stream to close would never end.
            self._io_writer.transport.abort()
            self._bare_io_writer = self._io_writer = None
            raise
        protocol.connection_made(transport)  # an upgrade leaves that out, and with it the bounds of what is buffered
        self._io_reader, self._io_writer = reader, asyncio.StreamWriter(transport, protocol, reader, loop)

    @property
    def refusal(self) -> str:
        """The reason that the server gave before it ended the connection, '' for none that arrived."""
        for reader in (self._bare_io_reader, self._io_reader):
            found = _REFUSAL.search(bytes(getattr(reader, "_buffer", b"")))
            if found:
                return found[1].decode("utf-8", "replace")
        return ""

    @override
    async def wait_closed(self) -> None:
        """Returns when all has left, or after a second: a peer that reads nothing would keep it without end."""
        writer = self._io_writer
        if writer is None:
            return
        try:
            async with asyncio.timeout(CLOSE_S):
                await writer.wait_closed()
        except TimeoutError:
            writer.transport.abort()

    def is_closing(self) -> bool:
        """True when nothing can be written."""
        return self._io_writer is None or self._io_writer.is_closing()

    @override
    async def read(self, buffer_size: int) -> bytes:
        data: bytes = await super().read(READ_BYTES)
        return data

    @override
    def __bool__(self) -> bool:
        return True
