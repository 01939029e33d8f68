"""The other process of `readahead`: writes the records that it reads to its output, in frames.

A frame is its size in 4 bytes and that many bytes of msgpack, a list of records; a size of 0 is the end. The process
that started it closes the other end of the pipe when it ends, so that the next write fails.
"""

import asyncio
import sys

import msgspec
import uvloop

from clawactors.eventlog.jetstream.log.log import JetStreamLog
from clawactors.eventlog.jetstream.log.readahead import FRAME_BYTES, ReadAheadStart
from clawactors.eventlog.record import Record

__all__ = ["main"]

_encode = msgspec.msgpack.Encoder().encode


async def _run(start: ReadAheadStart) -> None:
    async with await JetStreamLog.connect(start.address, "claw-read-ahead", create=False) as log:
        sys.stdout.buffer.write(b"ready\n")
        sys.stdout.buffer.flush()
        if not (line := await asyncio.to_thread(sys.stdin.buffer.readline)):
            return
        waiting: list[Record] = []
        size_bytes = 0
        async for records in log.sealed(start.patterns, after=int(line), until=start.until):
            for record in records:
                waiting.append(record)
                size_bytes += len(record.body) + len(record.headers)
                if size_bytes >= FRAME_BYTES:
                    _send(waiting)
                    waiting, size_bytes = [], 0
        _send(waiting)
        sys.stdout.buffer.write((0).to_bytes(4))
        sys.stdout.buffer.flush()


def _send(records: list[Record]) -> None:
    frame = _encode(records)
    sys.stdout.buffer.write(len(frame).to_bytes(4))
    sys.stdout.buffer.write(frame)


def main() -> None:
    """Reads its start from its input."""
    start = msgspec.json.decode(sys.stdin.buffer.readline(), type=ReadAheadStart)
    try:
        uvloop.run(_run(start))
    except BrokenPipeError:
        sys.exit(1)


if __name__ == "__main__":
    main()
