"""The socket to a server: what arrives goes from the transport straight to the parser, without waking a task.

No step waits without end for a peer that takes the connection and then does nothing, as a stopped server does, or a
router that has forgotten the connection.
"""

import asyncio
import contextlib
import ipaddress
import re
import socket
from collections.abc import Callable
from itertools import zip_longest
from typing import Any, Final, override

from nats import errors
from nats.aio.transport import TcpTransport

__all__ = ["ParsingTransport", "Reader"]

READ_BYTES: Final = 1 << 18
_REFUSAL: Final = re.compile(rb"-ERR '?([^'\r\n]+)")
CLOSE_S: Final = 1.0
"""What was written may take so long to leave when the connection is closed or given up."""


VERDICT_S: Final = 0.002


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
        protocol = asyncio.StreamReaderProtocol(reader)
        try:
            transport = await _dial(lambda: protocol, uri.hostname, uri.port, connect_timeout)
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
            # With TLS 1.3 our certificate is judged after the handshake: who writes at once may miss the verdict.
            await asyncio.sleep(VERDICT_S)
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
        except OSError:  # the time is up, or TLS met what was still on its way: neither is of interest any more
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


async def _dial(make: Callable[[], asyncio.StreamReaderProtocol], host: str, port: int, timeout_s: float) -> Any:
    """Connects to the first address of a name that answers.

    Each has half of the time that is left, and families alternate: where IPv6 leads nowhere, IPv4 has its turn.
    """
    loop = asyncio.get_running_loop()
    end_s = loop.time() + timeout_s
    async with asyncio.timeout(timeout_s):
        addresses = await _addresses(host, port)
    for left, address in zip(range(len(addresses) - 1, -1, -1), addresses, strict=True):
        share_s = (end_s - loop.time()) / (2 if left else 1)
        try:
            async with asyncio.timeout(share_s):
                transport, _ = await loop.create_connection(make, address, port)
        except OSError:
            if not left:
                raise
        else:
            return transport
    raise OSError(f"{host} has no address")


async def _addresses(host: str, port: int) -> list[str]:
    """The addresses of a name, of each family in turn."""
    with contextlib.suppress(ValueError):
        return [str(ipaddress.ip_address(host))]
    families: dict[int, list[str]] = {}
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for family, _, _, _, address in found:
        families.setdefault(family, []).append(str(address[0]))
    return [each for row in zip_longest(*families.values()) for each in row if each is not None]
