"""The socket to a server: what arrives goes from the transport straight to the parser, without waking a task."""

import asyncio
from collections.abc import Callable
from typing import Any, Final, override

from nats import errors
from nats.aio.transport import TcpTransport

__all__ = ["ParsingTransport", "Reader"]

READ_BYTES: Final = 1 << 18


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
    """Passes what it reads to `take`, hundreds of messages at a time; over TLS, to the client's own loop."""

    def __init__(self, take: Callable[[bytes], bytes]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._take = take

    @override
    async def connect(self, uri: Any, buffer_size: int, connect_timeout: int) -> None:
        for abandoned in (self._bare_io_writer, self._io_writer):
            if abandoned is not None:
                abandoned.transport.abort()  # nats-py forgets it; a hanging server would collect them
        loop, reader = asyncio.get_running_loop(), Reader(self._take)
        async with asyncio.timeout(connect_timeout):
            transport, protocol = await loop.create_connection(
                lambda: asyncio.StreamReaderProtocol(reader), uri.hostname, uri.port
            )
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        self._bare_io_reader = self._io_reader = reader
        self._bare_io_writer = self._io_writer = writer
        if writer.get_extra_info("sockname") == writer.get_extra_info("peername"):
            # While the server is away, the system may pick the port that we dial as our own, and keep the server out.
            writer.transport.abort()
            raise OSError("connected to itself")

    @override
    async def connect_tls(self, uri: Any, ssl_context: Any, buffer_size: int, connect_timeout: int) -> None:
        try:
            await super().connect_tls(uri, ssl_context, buffer_size, connect_timeout)
        except BaseException:
            # The handshake has taken the socket over: to wait for the plain stream to close would never end.
            if self._io_writer is not None:
                self._io_writer.transport.abort()
            self._bare_io_writer = self._io_writer = None
            raise

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
