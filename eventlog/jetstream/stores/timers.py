"""Timers on message schedules of the server: they fire by its clock, even if the process that set them is gone.

1. Names are unique: setting a timer again replaces it. A timer in the past fires at once.
2. A timer never fires early. It may fire late, or twice if the server dies at that moment. It stays visible for a
   while.
3. Every watcher sees timers being set and firing in the order of the stream; a cancelled timer leaves no message.
4. The server takes `Nats-Rollup` wherever it takes schedules, so a message can erase timers: a watch ends when it sees
   one, and the next shows what is left.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

import msgspec

from clawactors.eventlog.errors import Corrupt, Misconfigured, Unavailable
from clawactors.eventlog.jetstream.log.follower import PushFollower
from clawactors.eventlog.jetstream.log.source import StreamSource
from clawactors.eventlog.jetstream.wire.api import ApiError, call
from clawactors.eventlog.jetstream.wire.connection import Connection
from clawactors.eventlog.record import ROOT, Record, is_id
from clawactors.eventlog.rfc3339 import rfc3339
from clawactors.eventlog.timers import TimerMark

__all__ = ["JetStreamTimers"]

STREAM: Final = "CLAW_TIMERS"
KEPT: Final = "10m"
"""How long a fired timer stays; a later watcher derives it again from the log, and it fires again."""

_SET, _FIRED = f"{ROOT}.timer", f"{ROOT}.fired"
_TIMEOUT_S: Final = 5.0


class _Body(msgspec.Struct):
    at_ns: int
    version: int


class _TimerAnswer(msgspec.Struct):
    error: ApiError | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Body).decode


class JetStreamTimers:
    """The timers in `CLAW_TIMERS`: set as `claw.timer.<kind>.<id>`, fired as `claw.fired.<kind>.<id>`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def set(self, kind: str, id: str, at_ns: int, version: int) -> None:
        """Sets the timer and replaces one with this name. Raises: `Unavailable`, `Misconfigured`."""
        headers = (
            "NATS/1.0\r\n"
            f"Nats-Schedule: @at {rfc3339(at_ns)}\r\n"
            f"Nats-Schedule-Target: {_FIRED}.{kind}.{id}\r\n"
            f"Nats-Schedule-TTL: {KEPT}\r\n\r\n"
        ).encode()
        body = _encode(_Body(at_ns, version))
        _, answer = await self._connection.ask(f"{_SET}.{kind}.{id}", body, headers, timeout_s=_TIMEOUT_S)
        error = msgspec.json.decode(answer, type=_TimerAnswer).error
        if error is None:
            return
        if error.code < 500:
            raise Misconfigured(f"the timer {kind} {id} was refused: {error.description}")
        raise Unavailable(f"the timer {kind} {id} was not set: {error.description}")

    async def cancel(self, kind: str, id: str, place: int) -> None:
        """Cancels the timer, unless it was set again after that place of the store. Raises: `Unavailable`."""
        await call(
            self._connection, f"STREAM.PURGE.{STREAM}", {"filter": f"{_SET}.{kind}.{id}", "seq": place + 1}, _TIMEOUT_S
        )

    async def watch(self) -> AsyncGenerator[list[TimerMark]]:
        """First all timers that are set or have fired recently, maybe none; then each change.

        Raises: `Unavailable` (the store was recreated, or a message has erased timers: watch again).
        """
        info = await call(self._connection, f"STREAM.INFO.{STREAM}")
        source = StreamSource(self._connection, info)
        follower = await PushFollower(source, (f"{_SET}.>", f"{_FIRED}.>"), 0).open()
        async with aclosing(follower):
            try:
                end = (await source.state())["last_seq"]
                present: list[Record] = []
                while not await follower.covers(end):
                    present += follower.take()
                    follower.raise_error()
                    await follower.change()
                present += follower.take()
                yield _marks(present)
                async for records in follower:
                    yield _marks(records)
                    if any(map(_erases, records)):
                        raise Unavailable("a message with Nats-Rollup has erased timers")
            except Corrupt as error:
                raise Unavailable(f"the timers were lost: {error}") from error


def _marks(records: list[Record]) -> list[TimerMark]:
    return [mark for mark in map(_mark, records) if mark is not None]


def _erases(record: Record) -> bool:
    """Does the message take others with it? One that sets a timer takes only the one of that name, by rule 1."""
    rollup = record.header("Nats-Rollup")
    return rollup == "all" or (
        rollup == "sub" and record.subject.startswith(_SET) and not record.header("Nats-Schedule")
    )


def _mark(record: Record) -> TimerMark | None:
    """The timer of a message; None for a message by hand that is malformed or has a wrong time."""
    parts = record.subject.split(".")
    if len(parts) != 4 or not is_id(parts[3]):
        return None
    try:
        body = _decode(record.body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    fired = parts[1] == "fired"
    if fired and record.at_ns < body.at_ns:
        return None
    return TimerMark(parts[2], parts[3], body.at_ns, body.version, fired, record.seq)
