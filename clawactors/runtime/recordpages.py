"""Records on their way through control, page by page: clients and nodes have no rights on the streams.

Histories on `claw.query.<principal>.history`, output on `claw.query.<principal>.output`, the log as it comes on
`claw.query.<principal>.events`. Bodies are MessagePack.

1. A page holds at most `PAGE_BYTES`, and at least one record; of a larger one it holds a part, and nothing else.
2. Who reads keeps the place: any process that answers can give the page after it.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec.structs import replace

from clawactors.eventlog.record import Record
from clawactors.runtime.asking import Failure, checked_reply

__all__ = [
    "PAGE_BYTES",
    "EventsQuestion",
    "HistoryQuestion",
    "OutputQuestion",
    "PageReader",
    "RecordPage",
    "page_in",
    "page_of",
]

PAGE_BYTES: Final = 400_000
"""The server takes messages of 1 MB; a smaller page holds up nobody else."""
_FRAME_BYTES: Final = 150


class HistoryQuestion(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The records of an aggregate after that sequence, up to `until` or the end of the log at the first question.

    `offset`: so many bytes of the body of the first record have been received.
    """

    kind: str
    id: str
    after: int = 0
    until: int | None = None
    offset: int = 0


class OutputQuestion(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The records of a stream of output after that sequence; `reader` names who reads, so that it finds its place soon.

    `waits`: where there is none, the answer waits a moment for the next one.
    """

    reader: str
    id: str
    stream: str
    after: int = 0
    offset: int = 0
    waits: bool = False


class EventsQuestion(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The records of the log after that sequence, of every kind; as `OutputQuestion`."""

    reader: str
    after: int = 0
    offset: int = 0
    waits: bool = False


class RecordPage(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`is_last`: there was nothing behind these records. `is_cut`: the rest of the last one's body follows."""

    records: list[Record] = []
    until: int = 0
    is_last: bool = False
    is_cut: bool = False
    error: Failure | None = None


_decode: Final = msgspec.msgpack.Decoder(RecordPage).decode


def page_in(answer: bytes) -> RecordPage:
    """The page in an answer. Raises: the error that it holds."""
    return checked_reply(_decode(answer))


def page_of(records: Iterable[Record], offset: int) -> tuple[list[Record], bool]:
    """The first of the records, as many as a page holds, and whether the only one of them is cut."""
    page: list[Record] = []
    size = 0
    for record in records:
        body = record.body[offset:] if offset else record.body
        if not page and len(body) > PAGE_BYTES:
            return [replace(record, body=body[:PAGE_BYTES])], True
        size += len(body) + len(record.headers) + len(record.subject) + _FRAME_BYTES
        if page and size > PAGE_BYTES:
            break
        page.append(replace(record, body=body) if offset else record)
        offset = 0
    return page, False


class PageReader:
    """The place of one who reads pages: `after` and `offset` are what to ask for next."""

    def __init__(self, after: int = 0) -> None:
        self.after, self.offset = after, 0
        self._parts: list[bytes] = []

    def take(self, page: RecordPage) -> list[Record]:
        """The whole records that it brings."""
        records = page.records
        if page.is_cut:
            self._parts.append(records[0].body)
            self.offset += len(records[0].body)
            return []
        if not records:
            return records
        if self._parts:
            records = [replace(records[0], body=b"".join((*self._parts, records[0].body))), *records[1:]]
            self._parts, self.offset = [], 0
        self.after = records[-1].seq
        return records
