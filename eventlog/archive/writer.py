"""Writes one archive file: records in the order of the log, payloads, then the index. See `frames`."""

import base64
from collections.abc import Container
from typing import BinaryIO, Final

import msgspec

from clawactors.eventlog.archive.frames import (
    FORMAT,
    FRAME_BYTES,
    Directory,
    Frame,
    IndexEntry,
    compress,
    trailer,
)
from clawactors.eventlog.archive.lines import line_of
from clawactors.eventlog.record import Record
from clawactors.eventlog.rfc3339 import rfc3339

__all__ = ["BLOB", "ArchiveWriter"]

BLOB: Final = "blob"
"""The kind under which the index lists payloads."""

_INDEX_BYTES: Final = 64 << 10
_encode: Final = msgspec.json.Encoder().encode


class _Entry(msgspec.Struct, gc=False):
    """What the index will say of an aggregate."""

    frames: list[int]
    first_seq: int = 0
    last_seq: int = 0
    records: int = 0


class ArchiveWriter:
    """`add` records, then payloads, then `finish`. `log` is the identity of the log, for people."""

    def __init__(self, out: BinaryIO, log: str, made_ns: int) -> None:
        self._out, self._log, self._made_at = out, log, rfc3339(made_ns)
        self._lines: list[bytes] = []
        self._bytes = 0
        self._first = self._last = 0
        self._frames: list[Frame] = []
        self._entries: dict[str, _Entry] = {}
        self.size = 0
        """Bytes of the file so far."""
        self.raw_size = 0
        """Bytes of its lines so far, not compressed."""

    def add(self, record: Record) -> None:
        """The next record: its sequence is higher than that of the one before."""
        kind, id = record.subject.split(".", 3)[1:3]
        entry = self._entry(f"{kind}/{id}")
        entry.first_seq, entry.last_seq = entry.first_seq or record.seq, record.seq
        entry.records += 1
        self._first, self._last = self._first or record.seq, record.seq
        self._put(line_of(record))

    def add_blob(self, name: str, body: bytes) -> None:
        """A payload, in frames of its own."""
        self._end_frame()
        self._entry(f"{BLOB}/{name}")
        self._put(_encode({"blob": name, "base64": base64.b64encode(body).decode()}) + b"\n")
        self._end_frame()

    def version(self, aggregate: str) -> tuple[int, int]:
        """How many records of that aggregate were added, and the sequence of the last."""
        entry = self._entries.get(aggregate)
        return (0, 0) if entry is None else (entry.records, entry.last_seq)

    def finish(self, whole: Container[str]) -> Directory:
        """Writes the index and the end. Only aggregates in `whole` are listed, and all payloads."""
        self._end_frame()
        listed = sorted(name for name in self._entries if name in whole or name.startswith(f"{BLOB}/"))
        index: list[tuple[str, Frame]] = []
        lines, size, first = list[bytes](), 0, ""
        for name in listed:
            entry = self._entries[name]
            line = _encode(IndexEntry(name, entry.frames, entry.first_seq, entry.last_seq, entry.records)) + b"\n"
            lines.append(line)
            size, first = size + len(line), first or name
            if size >= _INDEX_BYTES:
                index.append((first, self._write(b"".join(lines))))
                lines, size, first = [], 0, ""
        if lines:
            index.append((first, self._write(b"".join(lines))))
        records = [frame for frame in self._frames if frame.last_seq]
        directory = Directory(
            format=FORMAT,
            log=self._log,
            made_at=self._made_at,
            kinds=sorted({name.partition("/")[0] for name in self._entries} - {BLOB}),
            records=sum(self._entries[name].records for name in listed),
            aggregates=sum(not name.startswith(f"{BLOB}/") for name in listed),
            first_seq=records[0].first_seq if records else 0,
            last_seq=records[-1].last_seq if records else 0,
            frames=self._frames,
            index=index,
        )
        end = trailer(self._write(_encode(directory) + b"\n"))
        self._out.write(end)
        self.size += len(end)
        return directory

    def _entry(self, name: str) -> _Entry:
        entry = self._entries.setdefault(name, _Entry([]))
        number = len(self._frames)
        if not entry.frames or entry.frames[-1] != number:
            entry.frames.append(number)
        return entry

    def _put(self, line: bytes) -> None:
        self._lines.append(line)
        self._bytes += len(line)
        if self._bytes >= FRAME_BYTES:
            self._end_frame()

    def _end_frame(self) -> None:
        if self._lines:
            written = self._write(b"".join(self._lines))
            self._frames.append(Frame(written.offset, written.size, self._first, self._last))
            self._lines, self._bytes, self._first, self._last = [], 0, 0, 0

    def _write(self, lines: bytes) -> Frame:
        frame = compress(lines)
        self._out.write(frame)
        written = Frame(self.size, len(frame))
        self.size += len(frame)
        self.raw_size += len(lines)
        return written
