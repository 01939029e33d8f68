"""A TCP proxy that loses answers, goes silent, stalls, drips or breaks, between a client and a server here."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self


class Proxy:
    """Forwards to a port of this machine; a test bends what comes back."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._pairs: list[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.deaf = False
        """True: what the server says is lost."""
        self.mute = False
        """True: what the client says is lost."""
        self.lost = asyncio.Event()
        """Set when something was lost."""
        self.piece = 1 << 16
        """How many bytes it hands on at a time."""
        self.left: int | None = None
        """It breaks the connection after so many more bytes of what the server says."""
        self.resets = 0
        """So many of the next connections are reset at once."""
        self.accepted = 0
        """How many connections there have been."""
        self._gate = asyncio.Event()
        self._gate.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def url(self, url: str) -> str:
        """The same address by way of the proxy."""
        return f"{url.rpartition(':')[0]}:{self.port}"

    def freeze(self) -> None:
        """Reads nothing more, of new connections neither: what is sent fills the buffers on its way."""
        self._gate = asyncio.Event()

    def thaw(self) -> None:
        """Goes on with new connections; those that it has stay frozen, as behind a router that forgot them."""
        self._gate = asyncio.Event()
        self._gate.set()

    def cut(self) -> None:
        """Breaks all connections; new ones are taken, and hear and are heard again."""
        self.deaf = self.mute = False
        self.thaw()
        for pair in self._pairs:
            for writer in pair:
                writer.transport.abort()
        self._pairs.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self.resets:
            self.resets -= 1
            writer.transport.abort()
            return
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.transport.abort()
            return
        self._pairs.append((writer, up_writer))
        for source, target, kind in ((reader, up_writer, "mute"), (up_reader, writer, "deaf")):
            task = asyncio.ensure_future(self._forward(source, target, kind))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _forward(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, kind: str) -> None:
        with contextlib.suppress(OSError):
            await self._gate.wait()
            while data := await source.read(self.piece):
                await self._gate.wait()
                if getattr(self, kind):
                    self.lost.set()
                    continue
                if kind == "deaf" and self.left is not None:
                    data, self.left = data[: self.left], self.left - len(data[: self.left])
                target.write(data)
                await target.drain()
                if kind == "deaf" and self.left == 0:
                    self.left = None
                    break
        target.transport.abort()
