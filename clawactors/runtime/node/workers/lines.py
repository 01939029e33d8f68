"""The lines that a worker writes, of any length and content, in bounded memory."""

from collections.abc import AsyncGenerator
from typing import Final, Protocol

__all__ = ["TooLong", "read_lines"]

_CHUNK_BYTES: Final = 1 << 18


class TooLong(int):
    """In the place of a line that was longer than allowed: how many bytes it had."""


class _LineSource(Protocol):
    async def read(self, n: int) -> bytes: ...


async def read_lines(stream: _LineSource | None, most_bytes: int) -> AsyncGenerator[bytes | TooLong]:
    """The lines without their ends, also the last one; of a longer one nothing but its length is kept."""
    parts: list[bytes] = []
    size = 0
    while stream is not None and (chunk := await stream.read(_CHUNK_BYTES)):
        for number, piece in enumerate(chunk.split(b"\n")):
            if number:
                yield TooLong(size) if size > most_bytes else b"".join(parts)
                parts, size = [], 0
            size += len(piece)
            if size > most_bytes:
                parts.clear()
            elif piece:
                parts.append(piece)
    if size:
        yield TooLong(size) if size > most_bytes else b"".join(parts)
