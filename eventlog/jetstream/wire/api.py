"""The JetStream API as plain requests: JSON in, JSON out, refusals as errors with the server's own code."""

import asyncio
import random
from typing import Any, Final

import msgspec

from clawactors.eventlog.errors import EventLogError, Misconfigured, Unavailable
from clawactors.eventlog.jetstream.wire.codes import NO_MAJORITY, NO_MESSAGE, NOT_ENABLED, TOO_MANY_CONSUMERS
from clawactors.eventlog.jetstream.wire.connection import Connection
from clawactors.eventlog.record import Record
from clawactors.eventlog.rfc3339 import nanoseconds

__all__ = [
    "ApiError",
    "Refusal",
    "StoredMessage",
    "call",
    "check",
    "last_message",
    "last_of_subject",
    "message_at",
    "next_message",
]

TRY_S: Final = 1.0
SHORTEST_TRY_S: Final = 0.1


class ApiError(msgspec.Struct, frozen=True):
    """The server's refusal: an HTTP-like `code`, its own `err_code`, and words for people."""

    code: int = 0
    err_code: int = 0
    description: str = ""


class Refusal(EventLogError):
    """The JetStream API refused a request."""

    def __init__(self, subject: str, error: ApiError) -> None:
        super().__init__(f"{subject} refused: {error.description} ({error.err_code})")
        self.code, self.err_code, self.description = error.code, error.err_code, error.description


class _ApiAnswer(msgspec.Struct):
    error: ApiError | None = None


class StoredMessage(msgspec.Struct):
    """A message as the leader of its stream returns it."""

    subject: str
    seq: int
    time: str = ""
    hdrs: bytes = b""
    data: bytes = b""

    @property
    def record(self) -> Record:
        """The record that a reader of the stream gets."""
        return Record(self.seq, nanoseconds(self.time), self.subject, self.data, self.hdrs)


class _MessageAnswer(msgspec.Struct):
    message: StoredMessage | None = None
    error: ApiError | None = None


_answers = msgspec.json.Decoder(_ApiAnswer)
_messages = msgspec.json.Decoder(_MessageAnswer)


async def call(connection: Connection, name: str, body: Any = None, timeout_s: float = 5) -> Any:
    """The answer of `$JS.API.<name>`, decoded.

    Raises: `Refusal` (the server's own code in it), `Unavailable` (also for its code 503), `PermissionDenied`.
    """
    subject = f"{connection.address.api}.{name}"
    answer = await _ask(connection, subject, msgspec.json.encode(body) if body is not None else b"", timeout_s)
    check(subject, answer)
    return msgspec.json.decode(answer)


async def _ask(connection: Connection, subject: str, body: bytes, timeout_s: float) -> bytes:
    """Repeats the request until it is answered: during an election nobody answers. All requests are repeatable."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    while True:
        try:
            return (await connection.ask(subject, body, timeout_s=min(TRY_S, max(0.01, deadline - loop.time()))))[1]
        except Unavailable:
            if loop.time() >= deadline - SHORTEST_TRY_S or connection.is_closed:
                raise
        await asyncio.sleep(random.uniform(0.02, SHORTEST_TRY_S))  # noqa: S311


def check(subject: str, answer: bytes) -> None:
    """Raises the error in the answer, if any."""
    error = _answers.decode(answer).error
    if error is None:
        return
    if error.err_code in NOT_ENABLED:
        raise Misconfigured(f"{error.description}: JetStream is needed, for this account too")
    if error.err_code == NO_MAJORITY:
        raise Unavailable(
            f"most servers of the cluster are away or have just come up, so nothing is stored: start those that "
            f"are down ({subject}: {error.description})"
        )
    if error.code == 503 or error.err_code == TOO_MANY_CONSUMERS:
        raise Unavailable(f"{subject}: {error.description} ({error.err_code})")
    raise Refusal(subject, error)


async def next_message(connection: Connection, stream: str, after: int, pattern: str) -> StoredMessage | None:
    """The first message after a sequence that matches; read from the stream's leader, so never stale."""
    return await _message(connection, stream, {"seq": after + 1, "next_by_subj": pattern})


async def last_message(connection: Connection, stream: str, pattern: str) -> StoredMessage | None:
    """The last message that matches, read from the stream's leader."""
    return await _message(connection, stream, {"last_by_subj": pattern})


async def message_at(connection: Connection, stream: str, seq: int) -> StoredMessage | None:
    """The message at a sequence, read from the stream's leader."""
    return await _message(connection, stream, {"seq": seq})


async def last_of_subject(connection: Connection, stream: str, subject: str) -> StoredMessage | None:
    """The last message of one subject, from any server that has the stream: on a cluster it may lag.

    The subject is part of the request, so that the server can hold a user to it.
    """
    request = f"{connection.address.api}.DIRECT.GET.{stream}.{subject}"
    headers, body = await connection.ask(request)
    record = Record(0, 0, subject, body, headers)
    seq = record.header("Nats-Sequence")
    return StoredMessage(subject, int(seq), record.header("Nats-Time-Stamp"), headers, body) if seq else None


async def _message(connection: Connection, stream: str, which: dict[str, Any]) -> StoredMessage | None:
    subject = f"{connection.address.api}.STREAM.MSG.GET.{stream}"
    raw = await _ask(connection, subject, msgspec.json.encode(which), 5)
    answer = _messages.decode(raw)
    if answer.error is not None and answer.error.err_code != NO_MESSAGE:
        check(subject, raw)
    return answer.message
