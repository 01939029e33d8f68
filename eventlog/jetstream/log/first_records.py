"""The first record under each of many subjects: one direct get each, many under way, answered by any replica."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final

from clawactors.eventlog.errors import Unavailable
from clawactors.eventlog.jetstream.log.consumer import header_value
from clawactors.eventlog.jetstream.wire.connection import Connection
from clawactors.eventlog.jetstream.wire.replies import Reply
from clawactors.eventlog.jetstream.wire.rfc3339 import nanoseconds
from clawactors.eventlog.record import Record

__all__ = ["firsts", "record_of"]

_AT_ONCE: Final = 256
_AGAIN_S: Final = 0.1


async def firsts(
    connection: Connection, stream: str, subjects: Sequence[str], patience_s: float
) -> list[Record | None]:
    """One outcome each, in their order; None where there is none, or where a replica lags.

    Raises: `Unavailable` when a server does not answer for as long as the patience lasts.
    """
    clock = asyncio.get_running_loop().time
    end_s = clock() + patience_s
    found: list[Record | None] = [None] * len(subjects)
    address = f"{connection.address.api}.DIRECT.GET.{stream}"
    todo = iter(enumerate(subjects))

    async def work(todo: Iterator[tuple[int, str]]) -> None:
        for place, subject in todo:
            body = b'{"seq":1,"next_by_subj":"%b"}' % subject.encode()
            while True:
                try:
                    found[place] = record_of(await connection.ask(address, body))
                    break
                except Unavailable:
                    if clock() > end_s or connection.is_closed:
                        raise
                await asyncio.sleep(_AGAIN_S)

    await asyncio.gather(*(work(todo) for _ in range(min(_AT_ONCE, len(subjects)))))
    return found


def record_of(reply: Reply) -> Record | None:
    """What a direct get gave, None where there is nothing. Raises: `Unavailable`."""
    headers, body = reply
    seq = header_value(headers, b"Nats-Sequence:")
    if not seq:
        if headers.startswith(b"NATS/1.0 404"):
            return None
        raise Unavailable(f"a record was not given: {headers[9:60].decode('utf-8', 'replace').strip()}")
    at_ns = nanoseconds(header_value(headers, b"Nats-Time-Stamp:").decode())
    return Record(int(seq), at_ns, header_value(headers, b"Nats-Subject:").decode(), body, headers)
