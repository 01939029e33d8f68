"""Files into the object store and out of it, in parts: memory stays flat, whatever their size.

1. A file of one part is one stored value. A larger one is a value that lists its parts, which is stored last: a file
   that was put half way has no name, and a sweep takes its parts away.
2. Equal parts are stored once. What reads checks each part, and all of the file where it reads all.
"""

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Buffer, Callable
from contextlib import aclosing
from pathlib import Path
from typing import IO, Annotated, Any, Final

import msgspec

from clawactors.eventlog import UNREADABLE, Corrupt
from clawactors.kernel.errors import Refused
from clawactors.runtime.payloads import BlobAccess
from clawactors.systems.tasks.files import StoredFile, checked_name
from clawactors.systems.tasks.payload import PAYLOAD_MAX_BYTES

__all__ = ["FILE_MAX_BYTES", "FILE_PART_BYTES", "FileSource", "put_file", "read_file", "write_file"]

FILE_PART_BYTES: Final = 4 << 20
FILE_MAX_BYTES: Final = 1 << 40

_WINDOW: Final = 2

type FileSource = str | Path | Buffer | IO[bytes] | AsyncIterable[Buffer]
"""A path, the bytes themselves, an open file, or what yields the bytes piece by piece."""

type _Name = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class _Parts(msgspec.Struct, frozen=True):
    """The list of the parts of a file: all but the last have `part_bytes`."""

    size_bytes: Annotated[int, msgspec.Meta(ge=1)]
    part_bytes: Annotated[int, msgspec.Meta(ge=1, le=PAYLOAD_MAX_BYTES)]
    parts: list[_Name]


_decode: Final = msgspec.json.Decoder(_Parts).decode


async def put_file(
    blobs: BlobAccess, name: str, source: FileSource, progress: Callable[[int], None] = lambda size_bytes: None
) -> StoredFile:
    """Stores a file under that name; `progress` is told how many bytes are.

    Raises: `Refused` (name, too large), `Unavailable`; what the source raises.
    """
    checked_name(name)
    digest, size_bytes, names = hashlib.sha256(), 0, list[str]()
    putting: deque[asyncio.Task[str]] = deque()
    try:
        async with aclosing(_in_parts(source)) as parts:
            async for part in parts:
                size_bytes += len(part)
                if size_bytes > FILE_MAX_BYTES:
                    raise Refused(f"{name}: a file has at most {FILE_MAX_BYTES >> 30} GB")
                putting.append(asyncio.ensure_future(blobs.put(part)))
                await asyncio.to_thread(digest.update, part)
                if len(putting) >= _WINDOW:
                    names.append(await putting.popleft())
                    progress(len(names) * FILE_PART_BYTES)
        while putting:
            names.append(await putting.popleft())
    finally:
        for each in putting:
            each.cancel()
        await asyncio.gather(*putting, return_exceptions=True)
    if len(names) < 2:
        return StoredFile(name, size_bytes, names[0] if names else await blobs.put(b""))
    listed = await blobs.put(msgspec.json.encode(_Parts(size_bytes, FILE_PART_BYTES, names)))
    return StoredFile(name, size_bytes, digest.hexdigest(), listed)


async def read_file(
    blobs: BlobAccess, file: StoredFile, start: int = 0, end: int | None = None
) -> AsyncGenerator[bytes]:
    """The bytes from `start` up to `end`, piece by piece; the next part is fetched while one is used.

    Raises: `Missing` (swept, erased), `Corrupt` (not what was put), `Unavailable`.
    """
    end = file.size_bytes if end is None else min(end, file.size_bytes)
    start = max(0, start)
    listed = await _parts_of(blobs, file)
    digest = hashlib.sha256() if (start, end) == (0, file.size_bytes) and file.parts else None
    first, last = start // listed.part_bytes, -(-end // listed.part_bytes) if end > start else 0
    fetching: deque[asyncio.Task[bytes]] = deque()
    try:
        for number in range(first, last):
            while len(fetching) < _WINDOW and number + len(fetching) < last:
                fetching.append(asyncio.ensure_future(blobs.get(listed.parts[number + len(fetching)])))
            part, offset = await fetching.popleft(), number * listed.part_bytes
            if len(part) != min(listed.part_bytes, file.size_bytes - offset):
                raise Corrupt(f"a part of the file {file.name!r} has {len(part)} bytes, which is not what was put")
            if digest is not None:
                await asyncio.to_thread(digest.update, part)
            if digest is not None and number == last - 1 and digest.hexdigest() != file.sha256:
                raise Corrupt(f"the file {file.name!r} is not what was put: its SHA-256 differs")
            yield part[max(0, start - offset) : end - offset]
    finally:
        for each in fetching:
            each.cancel()
        await asyncio.gather(*fetching, return_exceptions=True)


async def write_file(
    blobs: BlobAccess, file: StoredFile, out: IO[bytes], progress: Callable[[int], None] = lambda size_bytes: None
) -> None:
    """Writes all of it; `progress` is told how many bytes are there. Raises: as `read_file`; `OSError`."""
    written = 0
    async with aclosing(read_file(blobs, file)) as parts:
        async for part in parts:
            await asyncio.to_thread(out.write, part)
            progress(written := written + len(part))


async def _parts_of(blobs: BlobAccess, file: StoredFile) -> _Parts:
    if not file.parts:
        return _Parts(max(1, file.size_bytes), max(1, file.size_bytes), [file.sha256])
    try:
        found = _decode(await blobs.get(file.parts))
    except UNREADABLE as error:
        raise Corrupt(f"the list of parts of the file {file.name!r} can't be read: {error}") from None
    if found.size_bytes != file.size_bytes or len(found.parts) != -(-found.size_bytes // found.part_bytes):
        raise Corrupt(f"the list of parts of the file {file.name!r} is one of another file")
    return found


async def _in_parts(source: FileSource) -> AsyncGenerator[bytes]:
    """The bytes in parts of one size, but for the last."""
    part = bytearray()
    async with aclosing(_pieces(source)) as pieces:
        async for piece in pieces:
            view = memoryview(piece).cast("B")
            while view.nbytes:
                taken = FILE_PART_BYTES - len(part)
                part += view[:taken]
                view = view[taken:]
                if len(part) == FILE_PART_BYTES:
                    yield bytes(part)
                    part.clear()
    if part:
        yield bytes(part)


async def _pieces(source: Any) -> AsyncGenerator[Buffer]:
    if isinstance(source, str | Path):
        with await asyncio.to_thread(_opened, Path(source)) as file:
            while read := await asyncio.to_thread(file.read, FILE_PART_BYTES):
                yield read
    elif isinstance(source, Buffer):
        yield source
    elif isinstance(source, AsyncIterable):
        async for piece in source:
            if not isinstance(piece, Buffer):
                raise Refused(f"a file is made of bytes, not of {repr(piece)[:40]}")
            yield piece
    elif hasattr(source, "read"):
        while piece := await asyncio.to_thread(source.read, FILE_PART_BYTES):
            if not isinstance(piece, Buffer):
                raise Refused("a file is read as bytes: open it with mode 'rb'")
            yield piece
    else:
        raise Refused(f"a file is a path, bytes, an open file or an async iterator of bytes, not {repr(source)[:40]}")


def _opened(path: Path) -> IO[bytes]:
    """Raises: `Refused` where there is no file to read."""
    try:
        return path.expanduser().open("rb")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise Refused(f"can't read the file {str(path)!r}: {why}") from None
