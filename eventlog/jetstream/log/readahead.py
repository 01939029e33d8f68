"""Reads a long part of the log in another process, while this one does something with what was read.

1. The records and their order are those of `read`. Where the other process fails, this one reads on from there.
2. While the other process starts, this one reads by itself: short parts of the log never wait for it.
3. What was read and not taken is bounded in bytes; beyond that the other process waits.
"""

import asyncio
import contextlib
import logging
import subprocess
import sys
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import IO, Final

import msgspec

from clawactors.eventlog.jetstream.wire.contexts import Address
from clawactors.eventlog.record import Record

__all__ = ["FRAME_BYTES", "ReadAhead", "ReadAheadStart", "read_ahead"]

FRAME_BYTES: Final = 1 << 20
"""The other process sends records together that have so many bytes."""

_WORTH: Final = 20_000
"""Where less is left when the other process is ready, it is read here."""
_TOGETHER: Final = 16_384
_WAITING_BYTES: Final = 96 << 20
_PIPE_BYTES: Final = 1 << 20
_HEAD_BYTES: Final = 4
_CHILD: Final = "clawactors.eventlog.jetstream.log.readaheadchild"

_decode = msgspec.msgpack.Decoder(list[Record]).decode
_log = logging.getLogger(__name__)


class ReadAheadStart(msgspec.Struct, frozen=True):
    """What the other process needs. It takes the place to start after from its input once it has said `ready`."""

    address: Address
    patterns: tuple[str, ...]
    until: int


class ReadAhead:
    """The other process and what it has sent."""

    def __init__(self, start: ReadAheadStart) -> None:
        self._start = start
        self._loop = asyncio.get_running_loop()
        self._change = asyncio.Event()
        self._room = threading.Condition()
        self._frames: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._input: IO[bytes] | None = None
        self.is_ready = self.is_over = self.is_whole = False
        """It is connected; it sends nothing more; and what it sent is all."""
        self._closed = False
        self._thread = threading.Thread(target=self._pump, name="read-ahead", daemon=True)
        self._thread.start()

    def go(self, after: int) -> None:
        """Makes it read from there."""
        if self._input is not None:
            with contextlib.suppress(OSError):  # it is gone: `is_over` tells
                self._input.write(b"%d\n" % after)
                self._input.flush()

    async def take(self) -> list[Record]:
        """The next records, many together, none at the end."""
        records: list[Record] = []
        while len(records) < _TOGETHER:
            while not self._frames and not self.is_over:
                self._change.clear()
                if not self._frames and not self.is_over:
                    await self._change.wait()
            if not self._frames:
                break
            while self._frames:
                frame = self._frames.popleft()
                records += _decode(frame)
                with self._room:
                    self._waiting_bytes -= len(frame)
                    self._room.notify()
                if len(records) >= 8 * _TOGETHER:
                    break
        return records

    def close(self) -> None:
        """Ends the other process. Order: idempotent."""
        self._closed = True
        with self._room:
            self._room.notify()
        if self._process is not None:
            with contextlib.suppress(OSError):
                self._process.kill()

    # In the thread

    def _pump(self) -> None:
        try:
            # Started here, since it takes tens of milliseconds.
            process = self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        except OSError as error:
            _log.info("nothing is read ahead: %s", error)
            self._end()
            return
        try:
            with process, contextlib.suppress(OSError, ValueError):
                if process.stdin is not None and process.stdout is not None and not self._closed:
                    self._converse(process.stdin, process.stdout)
                process.kill()
        finally:
            self._end()

    def _converse(self, input: IO[bytes], output: IO[bytes]) -> None:
        _widen(output)
        input.write(msgspec.json.encode(self._start) + b"\n")
        input.flush()
        self._input = input
        self.is_ready = output.readline() == b"ready\n"
        self._tell()
        while self.is_ready and len(head := output.read(_HEAD_BYTES)) == _HEAD_BYTES:
            if not (size := int.from_bytes(head)):
                self.is_whole = True
                return
            if len(frame := output.read(size)) < size:
                return
            self._put(frame)

    def _put(self, frame: bytes) -> None:
        with self._room:
            self._room.wait_for(lambda: self._waiting_bytes < _WAITING_BYTES or self._closed)
            self._waiting_bytes += len(frame)
        self._frames.append(frame)
        self._tell()

    def _end(self) -> None:
        self.is_over = True
        self._tell()

    def _tell(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._change.set)


def _widen(pipe: IO[bytes]) -> None:
    """Lets the pipe hold more, where the system has that."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


async def read_ahead(
    start: ReadAheadStart, after: int, read: Callable[[Sequence[str], int, int], AsyncGenerator[list[Record]]]
) -> AsyncGenerator[list[Record]]:
    """The records in `(after, start.until]`; `read(patterns, after, until)` is for where nothing was read ahead."""
    patterns, until = start.patterns, start.until
    ahead = ReadAhead(start)
    try:
        async with contextlib.aclosing(read(patterns, after, until)) as batches:
            async for records in batches:
                yield records
                after = records[-1].seq
                if ahead.is_ready and until - after > _WORTH:
                    break
            else:
                return
        ahead.go(after)
        while records := await ahead.take():
            yield records
            after = records[-1].seq
        if not ahead.is_whole:
            _log.info("reading ahead ended at %d of %d", after, until)
            async with contextlib.aclosing(read(patterns, after, until)) as rest:
                async for records in rest:
                    yield records
    finally:
        ahead.close()
