"""Splits the server's byte stream into messages, which go straight to the callbacks of their routes.

1. Any split of a byte stream into chunks gives the same messages in the same order.
2. A message costs one scan, one split and two slices: no regular expression, no task switch.
3. Lines that are not messages (PING, PONG, INFO, errors) go to the client's own methods, in order.
4. A callback that raises is logged; it never stops the stream.
"""

import json
import logging
from collections.abc import Callable
from typing import Any, Final, Protocol

from nats.errors import ProtocolError

__all__ = ["MessageParser", "OnMessage"]

type OnMessage = Callable[[bytes, bytes, bytes, bytes], None]
"""Takes `(subject, reply, headers, body)`; `reply` and `headers` are empty when absent."""

MAX_LINE_BYTES: Final = 1 << 20
_NO_MESSAGE: Final = -1

_log = logging.getLogger(__name__)


class Sink(Protocol):
    """The client's own methods for lines that are not messages."""

    async def _process_err(self, err_msg: str) -> None: ...
    async def _process_ping(self) -> None: ...
    async def _process_pong(self) -> None: ...
    async def _process_info(self, info: dict[str, Any]) -> None: ...


class MessageParser:
    """Replaces nats-py's own parser: the same two methods, `parse` and `reset`."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.routes: dict[bytes, OnMessage] = {}
        self._generation = 0
        self.reset()

    def reset(self) -> None:
        """Forgets the unfinished message of a connection that is gone."""
        self._generation += 1
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._needed_bytes = 0

    def feed(self, data: bytes) -> bytes:
        """Dispatches all complete messages up to the first line that is not a message; returns the rest from there.

        The rest is empty if all was taken; an unfinished message is buffered. Raises: `ProtocolError`.
        """
        if self._held:
            self._held.append(data)
            self._held_bytes += len(data)
            if self._held_bytes < self._needed_bytes:
                return b""  # a large message is joined once, when it is complete
            data = b"".join(self._held)
            self._held.clear()
        generation = self._generation
        try:
            done, needed = self._dispatch(data)
        except (ValueError, IndexError) as error:
            raise _malformed(error) from None
        if self._generation != generation:
            return b""  # the connection was reset meanwhile: its rest must not precede the next one's bytes
        rest = data[done:] if done else data
        if needed == _NO_MESSAGE:
            self._held_bytes = self._needed_bytes = 0
            return rest
        if rest:
            self._held.append(rest)
        self._held_bytes, self._needed_bytes = len(rest), needed
        return b""

    async def parse(self, data: bytes = b"") -> None:
        """Parses all of it: what `feed` leaves goes to the client, line by line. Raises: `ProtocolError`."""
        generation = self._generation
        while data := self.feed(data):
            line, _, data = data.partition(b"\r\n")
            try:
                await self._control(line)
            except ValueError as error:
                raise _malformed(error) from None
            if self._generation != generation:
                return

    def _dispatch(self, data: bytes) -> tuple[int, int]:
        """How far it got, and how many bytes the unfinished message needs, 0 if that is not known."""
        find, routes, end, position = data.find, self.routes, len(data), 0
        while (eol := find(b"\r\n", position)) >= 0:
            args = data[position:eol].split()
            op = args[0]
            if op == b"HMSG":
                if len(args) == 6:
                    _, subject, sid, reply, head_bytes, size_bytes = args
                else:
                    _, subject, sid, head_bytes, size_bytes = args
                    reply = b""
                start = eol + 2
                split, stop = start + int(head_bytes), start + int(size_bytes)
                if split > stop:
                    raise ValueError("headers longer than their message")
            elif op == b"MSG":
                if len(args) == 5:
                    _, subject, sid, reply, size_bytes = args
                else:
                    _, subject, sid, size_bytes = args
                    reply = b""
                start = split = eol + 2
                stop = start + int(size_bytes)
            else:
                return position, _NO_MESSAGE
            if stop + 2 > end:
                return position, stop + 2 - position
            position = stop + 2
            if (route := routes.get(sid)) is None:
                continue  # it was unsubscribed while the message was on its way
            try:
                route(subject, reply, data[start:split], data[split:stop])
            except Exception:
                _log.exception("the reader of %s failed on a message", subject.decode("utf-8", "replace"))
        if end - position > MAX_LINE_BYTES:
            raise ValueError("no end of line")
        return position, 0

    async def _control(self, line: bytes) -> None:
        op = line[:4].rstrip()
        if op == b"PING":
            await self._sink._process_ping()
        elif op == b"PONG":
            await self._sink._process_pong()
        elif op == b"-ERR":
            await self._sink._process_err(line[4:].decode("utf-8", "replace").strip().strip("'"))
        elif op == b"INFO":
            await self._sink._process_info(json.loads(line[4:]))
        elif op != b"+OK":
            raise ValueError(f"unknown operation {line[:20]!r}")


def _malformed(error: Exception) -> ProtocolError:
    return ProtocolError(f"nats: malformed protocol line: {error}")
