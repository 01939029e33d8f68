"""Guarded appends as protocol bytes, one at a time or as one atomic batch."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

from clawactors.eventlog.headers import header_lines
from clawactors.eventlog.record import Draft, aggregate_pattern

__all__ = ["Append", "batch_frames", "single_frame"]

OVERHEAD_BYTES: Final = 128
"""The most bytes of status line and batch headers in one message."""


class Append:
    """A draft on its way: its wire format, and the future of its version or error."""

    __slots__ = (
        "aggregate",
        "body",
        "commit",
        "deadline",
        "expected",
        "headers",
        "next",
        "pattern",
        "size_bytes",
        "subject",
        "tries",
        "trouble",
        "version",
        "was_sent",
    )

    def __init__(self, draft: Draft, expected: int, version: asyncio.Future[int], deadline: float) -> None:
        self.headers = header_lines(draft, expected).encode()
        self.subject = draft.subject.encode()
        self.aggregate = draft.aggregate
        self.pattern = aggregate_pattern(draft.kind, draft.id)
        self.body = draft.body
        self.commit = draft.commit
        self.expected = expected
        self.version = version
        self.deadline = deadline
        self.size_bytes = len(self.headers) + len(self.body) + OVERHEAD_BYTES  # on the wire, rounded up
        self.tries = 0
        self.was_sent = False  # from then on it may be stored
        self.trouble = ""  # why the server could not store it, as last reported
        self.next: deque[Append] | None = None


def single_frame(append: Append, reply: str) -> bytes:
    """The frame of a single append."""
    headers = len(append.headers) + 12
    return b"HPUB %b %b %d %d\r\nNATS/1.0\r\n%b\r\n%b\r\n" % (
        append.subject,
        reply.encode(),
        headers,
        headers + len(append.body),
        append.headers,
        append.body,
    )


def batch_frames(appends: Sequence[Append], batch_id: str, reply: str) -> bytes:
    """One atomic batch of distinct aggregates; the first and the last message ask for an answer."""
    inbox = reply.encode()
    opening = b"NATS/1.0\r\nNats-Batch-Id: %b\r\nNats-Batch-Sequence: " % batch_id.encode()
    last = len(appends)
    frames = []
    for number, append in enumerate(appends, 1):
        batch = b"%b%d\r\n" % (opening, number)
        if number == last:
            batch += b"Nats-Batch-Commit: 1\r\n"
        headers = len(batch) + len(append.headers) + 2
        frames.append(
            b"HPUB %b %b %d %d\r\n%b%b\r\n%b\r\n"
            % (
                append.subject,
                inbox if number in (1, last) else b"",
                headers,
                headers + len(append.body),
                batch,
                append.headers,
                append.body,
            )
        )
    return b"".join(frames)
