"""The JetStream API as plain requests: JSON in, JSON out, refusals as errors with the server's own code."""

from typing import Any

import msgspec

from eventlog.errors import EventLogError, Misconfigured, Unavailable
from eventlog.jetstream.connection import Connection
from eventlog.record import Record

__all__ = [
    "ApiError",
    "Refusal",
    "StoredMessage",
    "call",
    "check",
    "last_message",
    "message_at",
    "next_message",
]

NO_MESSAGE = 10037


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


class _Answer(msgspec.Struct):
    error: ApiError | None = None


class StoredMessage(msgspec.Struct):
    """A message as the leader of its stream gives it."""

    subject: str
    seq: int
    time: str = ""
    hdrs: bytes = b""
    data: bytes = b""

    @property
    def commit(self) -> str:
        """The name that its appender gave it, '' for messages published by hand."""
        return Record(self.seq, 0, self.subject, self.data, self.hdrs).commit


class _MessageAnswer(msgspec.Struct):
    message: StoredMessage | None = None
    error: ApiError | None = None


_answers = msgspec.json.Decoder(_Answer)
_messages = msgspec.json.Decoder(_MessageAnswer)


async def call(connection: Connection, name: str, body: Any = None, timeout_s: float = 5) -> Any:
    """The answer of `$JS.API.<name>`, decoded.

    Raises: `Refusal` (the server's own code in it), `Unavailable` (also for its code 503), `PermissionDenied`.
    """
    subject = f"{connection.address.api}.{name}"
    raw = msgspec.json.encode(body) if body is not None else b""
    _, answer = await connection.ask(subject, raw, timeout_s=timeout_s)
    check(subject, answer)
    return msgspec.json.decode(answer)


def check(subject: str, answer: bytes) -> None:
    """Raises when the answer is an error."""
    error = _answers.decode(answer).error
    if error is None:
        return
    if error.code == 503:
        raise Unavailable(f"{subject}: {error.description} ({error.err_code})")
    if error.err_code == 10039:
        raise Misconfigured(f"JetStream is not enabled for this account: {error.description}")
    raise Refusal(subject, error)


async def next_message(connection: Connection, stream: str, after: int, pattern: str) -> StoredMessage | None:
    """The first message after a sequence that matches; asked of the stream's leader, so never stale."""
    return await _message(connection, stream, {"seq": after + 1, "next_by_subj": pattern})


async def last_message(connection: Connection, stream: str, pattern: str) -> StoredMessage | None:
    """The last message that matches, asked of the stream's leader."""
    return await _message(connection, stream, {"last_by_subj": pattern})


async def message_at(connection: Connection, stream: str, seq: int) -> StoredMessage | None:
    """The message at a sequence, asked of the stream's leader."""
    return await _message(connection, stream, {"seq": seq})


async def _message(connection: Connection, stream: str, which: dict[str, Any]) -> StoredMessage | None:
    subject = f"{connection.address.api}.STREAM.MSG.GET.{stream}"
    _, raw = await connection.ask(subject, msgspec.json.encode(which))
    answer = _messages.decode(raw)
    if answer.error is not None and answer.error.err_code != NO_MESSAGE:
        check(subject, raw)
    return answer.message
