"""Appends with one guard each, many at a time."""

import re

import msgspec

from eventlog.errors import TooLarge, Unavailable, WrongVersion
from eventlog.headers import STATUS_LINE, header_lines
from eventlog.jetstream.api import ApiError
from eventlog.jetstream.connection import Connection
from eventlog.record import Draft

__all__ = ["Publisher"]


class _Ack(msgspec.Struct):
    seq: int = 0
    error: ApiError | None = None


_acks = msgspec.json.Decoder(_Ack)


class Publisher:
    """Sends appends."""

    def __init__(self, connection: Connection, stream: str) -> None:
        self._connection, self._stream = connection, stream

    async def append(self, draft: Draft, expected: int) -> int:
        """The new version."""
        headers = f"{STATUS_LINE}{header_lines(draft, expected)}\r\n".encode()
        if len(headers) + len(draft.body) > self._connection.max_payload:
            raise TooLarge(len(headers) + len(draft.body), self._connection.max_payload)
        _, answer = await self._connection.ask(draft.subject, draft.body, headers)
        ack = _acks.decode(answer)
        if ack.error is None:
            return ack.seq
        if ack.error.err_code == 10071:
            last = re.search(r"\d+", ack.error.description)
            raise WrongVersion(draft.aggregate, expected, int(last[0]) if last else 0)
        raise Unavailable(ack.error.description)
