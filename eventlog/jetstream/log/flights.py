"""Messages and batches on their way to the stream, each until its answer arrives or is given up."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec

from clawactors.eventlog.jetstream.wire.api import ApiError
from clawactors.eventlog.jetstream.wire.connection import Connection
from clawactors.eventlog.jetstream.wire.frames import Append, batch_frames, single_frame

__all__ = ["Ack", "Flight", "Flights"]

ANSWER_MAX_S: Final = 10.0
SLOWER: Final = 4
"""An answer may take this many times as long as the last one: asking a busy server again makes it busier."""


class Ack(msgspec.Struct):
    """The stream's answer: the sequence of the last message, or an error."""

    seq: int = 0
    error: ApiError | None = None


_acks = msgspec.json.Decoder(Ack)


class Flight:
    """One message or batch on its way. `suspect`: more than one append may be refused, or some are stored already."""

    __slots__ = ("appends", "recalled", "reply", "sent_at", "suspect")

    def __init__(self, appends: list[Append], suspect: bool = False) -> None:
        self.appends, self.suspect = appends, suspect
        self.reply, self.sent_at, self.recalled = "", 0.0, False


class Flights:
    """All flights of one publisher; `on_answer` gets an ack, or None if no stream answers."""

    def __init__(
        self, connection: Connection, answer_s: float, on_answer: Callable[[Flight, Ack | None], None]
    ) -> None:
        self._connection, self._answer_s, self._on_answer = connection, answer_s, on_answer
        self._time = asyncio.get_running_loop().time
        self._flights: dict[str, Flight] = {}
        self._batch_prefix = connection.new_inbox().rpartition(".")[2]
        self._batch_number = 0
        self.patience_s = answer_s
        """A flight without an answer is overdue after this time."""
        self.singles = self.batches = 0

    def send(self, flight: Flight) -> bool:
        """Sends it; False if the connection does not take it: then nothing was sent."""
        reply = flight.reply = self._connection.expect(partial(self._on_message, flight))
        flight.sent_at = self._time()
        self._flights[reply] = flight
        if len(flight.appends) == 1:
            self.singles += 1
            frames = single_frame(flight.appends[0], reply)
        else:
            self.batches += 1
            self._batch_number += 1
            frames = batch_frames(flight.appends, f"{self._batch_prefix}-{self._batch_number}", reply)
        if self._connection.write(frames):
            for append in flight.appends:
                append.was_sent = True
            return True
        self.land(flight)
        return False

    def land(self, flight: Flight) -> bool:
        """Ends the wait for an answer; False when it had ended before."""
        if self._flights.pop(flight.reply, None) is None:
            return False
        self._connection.forget(flight.reply)
        if len(flight.appends) == 1:
            self.singles -= 1
        else:
            self.batches -= 1
        return True

    def all(self) -> list[Flight]:
        """All flights that wait for an answer."""
        return list(self._flights.values())

    def overdue(self) -> list[Flight]:
        """The flights whose answer is late."""
        now = self._time()
        return [flight for flight in self._flights.values() if now - flight.sent_at > self.patience_s]

    def of(self, append: Append) -> list[Flight]:
        """The flights that hold this append."""
        return [flight for flight in self._flights.values() if append in flight.appends]

    def _on_message(self, flight: Flight, _subject: bytes, _reply: bytes, headers: bytes, body: bytes) -> None:
        if not body:
            if headers.startswith(b"NATS/1.0 503"):
                self._connection.missed()
                self.land(flight)
                self._on_answer(flight, None)
            return  # otherwise the batch has begun
        try:
            ack = _acks.decode(body)
        except msgspec.MsgspecError:
            return  # not an answer of a stream: the time limit decides
        self._connection.heard()
        if self.land(flight):
            took_s = self._time() - flight.sent_at
            self.patience_s = max(self._answer_s, min(ANSWER_MAX_S, SLOWER * took_s))
        self._on_answer(flight, ack)
