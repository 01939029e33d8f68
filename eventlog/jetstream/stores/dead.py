"""Dead letters: copies of records that no reader can use, under `claw.dead.<kind>`.

A record that several readers copy is stored once, within the hour for which the stream remembers ids.
"""

import msgspec

from clawactors.eventlog.dead import DeadLetter
from clawactors.eventlog.errors import Unavailable
from clawactors.eventlog.jetstream.wire.api import ApiError, Refusal, call, message_at
from clawactors.eventlog.jetstream.wire.connection import Connection
from clawactors.eventlog.record import ROOT, Record, is_id

__all__ = ["JetStreamDeadLetters"]

_STREAM = "CLAW_DEAD"
_ROOM_BYTES = 1024


class _LetterAnswer(msgspec.Struct):
    error: ApiError | None = None


class JetStreamDeadLetters:
    """Copies records to `CLAW_DEAD`; `identity` names the log that they are from."""

    def __init__(self, connection: Connection, identity: str) -> None:
        self._connection, self._identity = connection, identity

    async def copy(self, record: Record, reason: str) -> None:
        """Stores the record with its origin and the reason. Raises: `Unavailable`. Order: idempotent."""
        parts = record.subject.split(".")
        kind = parts[1] if len(parts) > 2 and parts[0] == ROOT and is_id(parts[1]) else "unknown"
        headers = (
            "NATS/1.0\r\n"
            f"Nats-Msg-Id: {self._identity}/{record.seq}\r\n"
            f"Claw-Subject: {_one_line(record.subject)}\r\n"
            f"Claw-Seq: {record.seq}\r\n"
            f"Claw-Reason: {_one_line(reason)}\r\n\r\n"
        ).encode()
        body = record.body[: self._connection.max_payload - len(headers) - _ROOM_BYTES]
        _, answer = await self._connection.ask(f"{ROOT}.dead.{kind}", body, headers)
        error = msgspec.json.decode(answer, type=_LetterAnswer).error
        if error is not None:
            raise Unavailable(f"a dead letter was refused: {error.description}")

    async def bounds(self) -> tuple[int, int]:
        """The first and the last sequence; the last is less where it is empty. Raises: `Unavailable`."""
        state = (await call(self._connection, f"STREAM.INFO.{_STREAM}"))["state"]
        return state["first_seq"], state["last_seq"] if state["messages"] else state["first_seq"] - 1

    async def at(self, seq: int) -> DeadLetter | None:
        """The letter at that sequence, None where there is none. Raises: `Unavailable`."""
        if (found := await message_at(self._connection, _STREAM, seq)) is None:
            return None
        record = found.record
        of_seq = record.header("Claw-Seq") or ""
        return DeadLetter(
            seq,
            record.at_ns,
            record.header("Claw-Subject") or record.subject,
            int(of_seq) if of_seq.isdecimal() else 0,
            record.header("Claw-Reason") or "no reason",
            record.body,
        )

    async def drop(self, seq: int) -> bool:
        """Removes it; False where there was none. Raises: `Unavailable`."""
        try:
            await call(self._connection, f"STREAM.MSG.DELETE.{_STREAM}", {"seq": seq, "no_erase": False})
        except Refusal:
            return False
        return True


def _one_line(text: str) -> str:
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())[:500]
