"""The last records of many aggregates: one direct get for hundreds of them, answered by any replica."""

import asyncio
from collections.abc import Sequence
from itertools import batched
from typing import Final

import msgspec

from clawactors.eventlog.errors import Unavailable
from clawactors.eventlog.jetstream.log.consumer import header_number
from clawactors.eventlog.jetstream.log.first_records import record_of
from clawactors.eventlog.jetstream.wire.connection import Connection
from clawactors.eventlog.jetstream.wire.replies import Reply
from clawactors.eventlog.record import Record, aggregate_pattern

__all__ = ["lasts"]

_TOGETHER: Final = 300
"""Aggregates a request: the server gives 1024 records at most, one for each subject that an aggregate has."""
_TIMEOUT_S: Final = 5.0
_AGAIN_S: Final = 0.1
_STATUS: Final = b"NATS/1.0 "
_TOO_MANY: Final = b"NATS/1.0 413"
_NONE: Final = b"NATS/1.0 404"
_END: Final = b"NATS/1.0 204"


async def lasts(
    connection: Connection, stream: str, kind: str, ids: Sequence[str], patience_s: float
) -> dict[str, Record]:
    """By id, the last record of each that has any; a replica may lag.

    Raises: `Unavailable` when a server does not answer for as long as the patience lasts.
    """
    clock = asyncio.get_running_loop().time
    end_s = clock() + patience_s
    found: dict[str, Record] = {}
    todo: list[Sequence[str]] = list(batched(dict.fromkeys(ids), _TOGETHER))
    while todo:
        some = todo.pop()
        patterns = [aggregate_pattern(kind, id) for id in some]
        try:
            ask = _many(connection, stream, patterns) if len(some) > 1 else _one(connection, stream, patterns[0])
            records = await ask
        except Unavailable:
            if clock() > end_s or connection.is_closed:
                raise
            await asyncio.sleep(_AGAIN_S)
            todo.append(some)
            continue
        if records is None:
            half = len(some) // 2
            todo += [some[:half], some[half:]]
            continue
        for record in records:
            id = record.subject.split(".", 3)[2]
            if id not in found or found[id].seq < record.seq:
                found[id] = record
    return found


async def _one(connection: Connection, stream: str, pattern: str) -> list[Record]:
    body = msgspec.json.encode({"last_by_subj": pattern})
    record = record_of(await connection.ask(f"{connection.address.api}.DIRECT.GET.{stream}", body))
    return [] if record is None else [record]


async def _many(connection: Connection, stream: str, patterns: Sequence[str]) -> list[Record] | None:
    """All that match; None where these are too many for one answer. Raises: `Unavailable`."""
    replies: list[Reply] = []
    over: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def on_message(subject: bytes, reply: bytes, headers: bytes, body: bytes) -> None:
        if b"Nats-Sequence:" in headers:
            replies.append((headers, body))
        elif not over.done():
            over.set_result(headers)

    if not connection.online:
        await connection.wait_online(_TIMEOUT_S)
    inbox = connection.listen(connection.new_inbox(), on_message)
    try:
        body = msgspec.json.encode({"multi_last": patterns, "batch": 1024})
        address = f"{connection.address.api}.DIRECT.GET.{stream}"
        connection.write(f"PUB {address} {inbox.subject} {len(body)}\r\n".encode() + body + b"\r\n")
        async with asyncio.timeout(_TIMEOUT_S):
            status = await over
    except TimeoutError:
        raise Unavailable(f"{stream} did not tell its last records within {_TIMEOUT_S:g} s") from None
    finally:
        connection.unlisten(inbox)
    if status.startswith(_NONE):
        return []
    if status.startswith(_TOO_MANY) or header_number(status, b"Nats-Num-Pending:"):
        return None
    if not status.startswith(_END):
        raise Unavailable(f"records were not given: {status[9:60].decode('utf-8', 'replace').strip()}")
    if replies and len(replies) != (header_number(replies[0][0], b"Nats-Num-Pending:") or 0) + 1:
        raise Unavailable(f"some of the last records of {stream} were lost on the way")
    return [record for reply in replies if (record := record_of(reply)) is not None]
