"""The layout of an archive file: zstd frames of JSON lines, the last of them a directory, then where that begins.

`zstd -d` reads all of it: the trailer is a frame that decompressors skip.
"""

import struct
from typing import Any, Final

import msgspec

from clawactors.eventlog.errors import Corrupt

__all__ = [
    "FORMAT",
    "FRAME_BYTES",
    "TRAILER_BYTES",
    "Directory",
    "Frame",
    "IndexEntry",
    "compress",
    "decompress",
    "directory_place",
    "trailer",
]

FORMAT: Final = 1
FRAME_BYTES: Final = 256 << 10
"""Bytes of lines in a frame, about: one is read for each part of a history."""

_LEVEL: Final = 6
_FRAME_MAX_BYTES: Final = 256 << 20
_SKIPPED: Final = 0x184D2A5C
_MAGIC: Final = b"CLAWARC1"
_TRAILER: Final = struct.Struct("<IIQQ8s")
TRAILER_BYTES: Final = _TRAILER.size


class Frame(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a frame lies, and the first and the last sequence in it; both are 0 where it holds no records."""

    offset: int
    size: int
    first_seq: int = 0
    last_seq: int = 0


class IndexEntry(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """An aggregate, `kind/id`, or a payload, `blob/name`: the numbers of the frames that hold its lines."""

    aggregate: str
    frames: list[int]
    first_seq: int = 0
    last_seq: int = 0
    records: int = 0


class Directory(msgspec.Struct, frozen=True):
    """The end of a file. `index` are the frames with the entries of the index, each with the first entry in it."""

    format: int
    log: str
    made_at: str
    kinds: list[str]
    records: int
    aggregates: int
    first_seq: int
    last_seq: int
    frames: list[Frame]
    index: list[tuple[str, Frame]]


def compress(lines: bytes) -> bytes:
    """A frame of its own, with a checksum."""
    import zstandard

    compressed: bytes = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(lines)
    return compressed


def decompress(frame: bytes) -> bytes:
    """The lines of a frame. Raises: `Corrupt`."""
    import zstandard

    try:
        if not 0 < zstandard.frame_content_size(frame) <= _FRAME_MAX_BYTES:  # it would be asked of the memory at once
            raise Corrupt("a part of it can't be read: its size is not possible")
        lines: bytes = zstandard.ZstdDecompressor().decompress(frame)
    except zstandard.ZstdError as error:
        raise Corrupt(f"a part of it can't be read: {error}") from None
    return lines


def trailer(directory: Frame) -> bytes:
    """The last bytes of a file."""
    return _TRAILER.pack(_SKIPPED, TRAILER_BYTES - 8, directory.offset, directory.size, _MAGIC)


def directory_place(last_bytes: bytes) -> Frame:
    """Where the directory lies, from the last bytes of a file. Raises: `Corrupt`."""
    fields: tuple[Any, ...] = _TRAILER.unpack(last_bytes) if len(last_bytes) == TRAILER_BYTES else ()
    if not fields or fields[0] != _SKIPPED or fields[-1] != _MAGIC:
        raise Corrupt("it has no end: it was cut, or something else has written to it")
    return Frame(fields[2], fields[3])
