"""Streams made of the bytes of their snapshots, with a creation time of their own; see `snapshots`."""

import asyncio
from collections.abc import AsyncIterable, Callable
from typing import Any, Final

import msgspec

from clawactors.eventlog.errors import EventLogError, Misconfigured
from clawactors.eventlog.jetstream.stores.snapshots import CHUNK_BYTES, StreamInfo, stored_streams
from clawactors.eventlog.jetstream.wire.api import Refusal, call, check
from clawactors.eventlog.jetstream.wire.codes import NAME_HELD, NAME_IN_USE, NO_STREAM
from clawactors.eventlog.jetstream.wire.connection import Connection

__all__ = ["remove", "restore", "set_metadata"]

_OVERHEAD_BYTES: Final = 4096
_ANSWER_S: Final = 600.0
"""The server may index a whole stream before it answers."""
_SILENT_S: Final = 30.0
_TRIES: Final = 3
_HELD_S: Final = 15.0
_HELD_AGAIN_S: Final = 0.2


async def restore(
    connection: Connection,
    config: dict[str, Any],
    described: dict[str, Any],
    chunks: Callable[[], AsyncIterable[bytes]],
) -> StreamInfo:
    """Makes a stream of the bytes of a snapshot; `config` may differ from the old one in all but name and storage.

    `chunks` gives them from the start, again where the server gives up: it may close a restore that it has finished
    reading before the last bytes came.
    Raises: `Misconfigured` (there is a stream of that name, no room, damaged bytes), `Unavailable`.
    """
    name = config["name"]
    for tries_left in reversed(range(_TRIES)):
        subject = await _begun(connection, config, described)
        try:
            return await _sent(connection, subject, chunks())
        except Refusal as refusal:
            if not tries_left:
                raise Misconfigured(f"the stream {name} can't be restored: {refusal.description}") from None
        await remove(connection, name)  # the name was free before
    raise AssertionError(name)


async def _sent(connection: Connection, subject: str, chunks: AsyncIterable[bytes]) -> StreamInfo:
    """Sends the bytes; each is answered. Raises: `Refusal`, `Unavailable`."""
    most = min(CHUNK_BYTES, connection.max_payload - _OVERHEAD_BYTES)
    async for chunk in chunks:
        for start in range(0, len(chunk), most):
            answer = (await connection.ask(subject, chunk[start : start + most], timeout_s=_SILENT_S))[1]
            check(subject, answer or b"{}")
    answer = (await connection.ask(subject, b"", timeout_s=_ANSWER_S))[1]
    check(subject, answer)
    return msgspec.json.decode(answer, type=StreamInfo)


async def _begun(connection: Connection, config: dict[str, Any], described: dict[str, Any]) -> str:
    """The subject that takes the bytes. The server holds the name for a while after a restore that was cut off."""
    name, clock = config["name"], asyncio.get_running_loop().time
    subject, body = f"{connection.address.api}.STREAM.RESTORE.{name}", {"config": config, "state": described}
    deadline_s = clock() + _HELD_S
    while True:
        try:
            # Asked once: a second request would begin a second restore beside the first.
            answer = (await connection.ask(subject, msgspec.json.encode(body), timeout_s=_SILENT_S))[1]
            check(subject, answer)
            return str(msgspec.json.decode(answer)["deliver_subject"])
        except Refusal as refusal:
            if refusal.err_code not in (NAME_IN_USE, NAME_HELD):
                raise Misconfigured(f"the stream {name} can't be restored: {refusal.description}") from None
            if clock() > deadline_s or any(each.name == name for each in await stored_streams(connection)):
                raise Misconfigured(f"the server has a stream {name} already") from None
        await asyncio.sleep(_HELD_AGAIN_S)


async def remove(connection: Connection, name: str) -> None:
    """Removes a stream; one that is not there is fine. Raises: `EventLogError`."""
    try:
        await call(connection, f"STREAM.DELETE.{name}", timeout_s=60)
    except Refusal as refusal:
        if refusal.err_code != NO_STREAM:
            raise EventLogError(str(refusal)) from None


async def set_metadata(connection: Connection, name: str, more: dict[str, str], *, without: str) -> None:
    """Adds to the metadata of a stream and takes away one key. Raises: `Misconfigured`, `Unavailable`."""
    try:
        config = (await call(connection, f"STREAM.INFO.{name}"))["config"]
        metadata = {key: value for key, value in (config.get("metadata") or {}).items() if key != without}
        await call(connection, f"STREAM.UPDATE.{name}", config | {"metadata": metadata | more}, timeout_s=15)
    except Refusal as refusal:
        raise Misconfigured(f"the stream {name} can't be changed: {refusal.description}") from None
