"""Under load, appends leave as atomic batches; a lone append leaves at once. Each ends with its version or an error.

1. At most one append of an aggregate is on its way; the next one waits until it ends. So no batch holds two.
2. A refusal 10071 is a lost race only if the leader shows another commit right after the expected version: if the
   guard held, our own commit is the first one there.
3. After any other failure (busy, timeout, disconnect) the append is sent again under the same guard, for `timeout_s`.
   An append that the connection did not take is not in doubt: it waits until the connection is back.
4. One loser costs the rest of its batch one more round trip, many losers a logarithm of their number.
"""

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from typing import Final

from clawactors.eventlog.errors import EventLogError, NoSpace, PermissionDenied, TooLarge, Unavailable
from clawactors.eventlog.jetstream.log.backlog import Backlog
from clawactors.eventlog.jetstream.log.flights import Ack, Flight, Flights
from clawactors.eventlog.jetstream.log.room import AskHealth, RoomWatch
from clawactors.eventlog.jetstream.log.settlement import Settlement
from clawactors.eventlog.jetstream.log.verdict import Witness
from clawactors.eventlog.jetstream.wire.connection import Connection
from clawactors.eventlog.jetstream.wire.frames import Append
from clawactors.eventlog.record import Draft

__all__ = ["Publisher"]

# A single append costs the server one sync (350 us here), a batch about 3.5 ms and 17 us an append: they meet at 12.
SINGLES: Final = 12
SECOND_BATCH: Final = 128
BATCHES: Final = 2
BATCH_APPENDS: Final = 1000
BATCH_BYTES: Final = 8 << 20
ANSWER_S: Final = 2.0
SWEEP_S: Final = 0.25
RECALL_S: Final = 0.05
LOOK_S: Final = 1.0
"""A server that has not answered for so long is asked how it is."""
SHORTEST_WAIT_S: Final = 0.005
LONGEST_WAIT_S: Final = 0.25


class Publisher:
    """Sends all appends of a process to one stream. `lagging`: a new leader may not know its tail at once."""

    def __init__(
        self,
        connection: Connection,
        stream: str,
        witness: Witness,
        timeout_s: float,
        lagging: bool = False,
        answer_s: float = ANSWER_S,
    ) -> None:
        self._connection, self._timeout_s = connection, timeout_s
        self._loop = asyncio.get_running_loop()
        self._backlog = Backlog()
        self._flights = Flights(connection, answer_s, self._on_answer)
        self._settlement = Settlement(
            connection, stream, witness, self._backlog, self._again, self._plan_pump, lagging, timeout_s
        )
        self._room = RoomWatch(self._on_full)
        self._groups: deque[Flight] = deque()
        self._pump_planned = self._sweep_planned = False
        connection.on_lost.append(self._on_lost)
        connection.on_back.append(self._pump)
        connection.on_denied.append(self._on_denied)

    async def append(self, draft: Draft, expected: int) -> int:
        """The new version. Raises: as `EventLog.append`."""
        while not self._backlog.has_room:
            await self._backlog.room()
        version = self._accept(draft, expected)
        self._plan_pump()  # not now: other appends of this turn of the loop join it
        return await version

    async def append_many(self, drafts: Sequence[tuple[Draft, int]]) -> list[int | EventLogError]:
        """The new version of each, or its error."""
        waiting: list[asyncio.Future[int] | EventLogError] = []
        try:
            for draft, expected in drafts:
                while not self._backlog.has_room:
                    self._pump()
                    await self._backlog.room()
                try:
                    waiting.append(self._accept(draft, expected))
                except EventLogError as error:
                    waiting.append(error)
            self._pump()
            outcomes: list[int | EventLogError] = []
            for each in waiting:
                try:
                    outcomes.append(each if isinstance(each, EventLogError) else await each)
                except EventLogError as error:
                    outcomes.append(error)
        except BaseException:
            for each in waiting:
                if isinstance(each, asyncio.Future):
                    each.cancel()
            raise
        return outcomes

    def _accept(self, draft: Draft, expected: int) -> asyncio.Future[int]:
        """The future of its version or error."""
        if self._connection.is_closed:
            raise Unavailable("the connection is closed")
        append = Append(draft, expected, self._loop.create_future(), self._loop.time() + self._timeout_s)
        if append.size_bytes > self._connection.max_payload:
            raise TooLarge(append.size_bytes, self._connection.max_payload)
        self._backlog.accept(append)
        if not self._sweep_planned:
            self._sweep_planned = True
            self._loop.call_later(SWEEP_S, self._sweep)
        return append.version

    @property
    def trouble(self) -> str:
        """Why the server could not store anything lately, '' once it can again."""
        return self._settlement.trouble

    def watch_room(self, health: AskHealth) -> None:
        """From now on a server that does not answer is asked whether it is full."""
        self._room.health = health

    # Sending

    def _plan_pump(self) -> None:
        if not self._pump_planned:
            self._pump_planned = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        """Sends what may leave now: first the groups to send again, then few appends singly or many as a batch."""
        self._pump_planned = False
        while self._groups and self._connection.online:
            group = self._groups[0]
            group.appends = [append for append in group.appends if self._backlog.is_open(append)]
            if len(group.appends) > 1 and self._flights.batches >= BATCHES:
                return
            self._groups.popleft()
            if group.appends and not self._send(group):
                return
        while (waiting := len(self._backlog.queue)) and self._connection.online:
            if self._flights.batches == 0 and self._flights.singles + waiting <= SINGLES:
                for append in self._backlog.take(SINGLES, BATCH_BYTES):
                    self._send(Flight([append]))
                return
            if self._flights.batches >= BATCHES or waiting < (SECOND_BATCH if self._flights.batches else SINGLES):
                return
            taken = self._backlog.take(BATCH_APPENDS, BATCH_BYTES)
            if taken and not self._send(Flight(taken)):
                return

    def _send(self, flight: Flight) -> bool:
        """Sends it; False if the connection does not take it: then it waits for the connection."""
        if self._flights.send(flight):
            return True
        self._groups.append(flight)
        return False

    def _again(
        self, appends: Sequence[Append], *, suspect: bool, at_once: bool = False, reason: str = "no stream answers"
    ) -> None:
        """Sends the appends that are still open again, as a separate group, until their deadline."""
        now = self._loop.time()
        for append in appends:
            if append.version.done() or append.deadline <= now:
                self._backlog.finish(append, self._too_late(append, reason))
        group = Flight([append for append in appends if self._backlog.is_open(append)], suspect)
        if at_once:
            self._regroup(group)
        elif group.appends:
            tries = group.appends[0].tries
            for append in group.appends:
                append.tries += 1
            delay_s = min(LONGEST_WAIT_S, SHORTEST_WAIT_S * 2**tries) * random.uniform(0.5, 1)  # noqa: S311
            self._loop.call_later(delay_s, self._regroup, group)

    def _regroup(self, group: Flight) -> None:
        self._groups.append(group)
        self._plan_pump()

    def _on_answer(self, flight: Flight, ack: Ack | None) -> None:
        self._settlement.settle(flight, ack)
        if ack is not None:
            self._pump()

    def _too_late(self, append: Append, reason: str) -> Unavailable:
        return Unavailable(f"{append.trouble or reason}; gave up after {self._timeout_s:g} s, {_doubt(append)}")

    # Time, connection, permissions

    def _sweep(self) -> None:
        """One timer for all overdue answers and all deadlines."""
        now = self._loop.time()
        trouble = self._settlement.trouble
        if self._connection.online and any(now - flight.sent_at > LOOK_S for flight in self._flights.all()):
            self._room.ask()
        for flight in self._flights.overdue():
            self._connection.missed()
            self._recall(flight, trouble or f"no answer within {self._flights.patience_s:.1f} s", alone=1)
        reason = (trouble or "no answer") if self._connection.online else "no connection"
        if self._backlog.expire(now, lambda append: self._too_late(append, reason)):
            for group in self._groups:
                group.appends = [append for append in group.appends if self._backlog.is_open(append)]
        self._sweep_planned = bool(self._backlog)
        if self._sweep_planned:
            self._loop.call_later(SWEEP_S, self._sweep)
        self._plan_pump()

    def _on_full(self, reason: str) -> None:
        """Callers that have waited are told now: it may take hours until there is room."""
        self._settlement.trouble = reason
        latest_s = self._loop.time() - LOOK_S + self._timeout_s
        self._backlog.expire(latest_s, lambda append: NoSpace(f"{reason}; {_doubt(append)}"))

    def _recall(self, flight: Flight, reason: str, alone: int = 0) -> None:
        """Sends all again, the first `alone` separately: a full store tells a single append why, but not a batch."""
        if self._flights.land(flight):
            for group in (flight.appends[:alone], flight.appends[alone:]):
                self._again(group, suspect=True, at_once=True, reason=reason)

    def _on_lost(self) -> None:
        """All flights are in doubt: they are sent again under the same guard."""
        self._settlement.trouble = ""  # a server that was restarted may be well
        for flight in self._flights.all():
            self._recall(flight, "the connection was lost")
        if self._connection.is_closed:
            self._backlog.finish_all(Unavailable("the connection is closed"))

    def _on_denied(self, denied: PermissionDenied) -> None:
        """The server drops a forbidden message: its append fails now, the rest of its batch is sent without it."""
        parts = denied.subject.split(".")
        append = self._backlog.current(f"{parts[1]}/{parts[2]}") if len(parts) > 2 else None
        if append is None or append.subject != denied.subject.encode():
            return
        for flight in self._flights.of(append):
            if not flight.recalled:
                # One round for all refusals of a batch: each of its messages may be refused.
                flight.recalled = True
                self._loop.call_later(RECALL_S, self._recall, flight, "a part of its batch was forbidden")
        self._settlement.fail([append], PermissionDenied(denied.subject))


def _doubt(append: Append) -> str:
    return "the append may or may not be stored" if append.was_sent else "the append was not sent"
