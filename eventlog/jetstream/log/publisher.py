"""Appends under load leave as atomic batches, alone they go at once; every one ends with its version or a true error.

1. At most one append of an aggregate is on its way; the next one waits for its end. So no batch holds two of one.
2. A refusal 10071 is a lost race only when the leader shows another commit right after the expected version: where
   the guard held, our own commit is the first one there.
3. Whatever else goes wrong (busy, timeout, disconnect) is sent again under the same guard until `give_up_s` is over.
   What the connection did not take waits, without doubt about it, until the connection is back.
4. One loser costs the rest of its batch one more round, many losers a logarithm of it.
"""

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Final

import msgspec

from clawactors.eventlog.errors import (
    EventLogError,
    Misconfigured,
    PermissionDenied,
    TooLarge,
    Unavailable,
    WrongVersion,
)
from clawactors.eventlog.jetstream.log.backlog import Backlog
from clawactors.eventlog.jetstream.log.verdict import accused, judge_all, named_sequence
from clawactors.eventlog.jetstream.wire.api import ApiError
from clawactors.eventlog.jetstream.wire.connection import Connection
from clawactors.eventlog.jetstream.wire.frames import Append, batch_frames, single_frame
from clawactors.eventlog.record import Draft

__all__ = ["Publisher"]

# A single append costs the server one sync (350 us here), a batch about 3.5 ms and 17 us an append: they meet at 12.
SINGLES: Final = 12
SECOND_BATCH: Final = 128
BATCHES: Final = 2
BATCH_APPENDS: Final = 1000
BATCH_BYTES: Final = 8 << 20
ANSWER_S: Final = 2.0
ANSWER_MAX_S: Final = 10.0
SLOWER: Final = 4
"""An answer may take so many times as long as the last one did: a busy server that is asked again is busier still."""
SWEEP_S: Final = 0.25
RECALL_S: Final = 0.05
SHORTEST_WAIT_S: Final = 0.005
LONGEST_WAIT_S: Final = 0.25

WRONG_LAST_SEQUENCE: Final = 10071
IN_FLIGHT: Final = 10164
TOO_LARGE: Final = 10054
BATCH_DISABLED: Final = 10174
BUSY: Final = frozenset({IN_FLIGHT, 10210, 10176, 10167})


class _Ack(msgspec.Struct):
    seq: int = 0
    count: int = 1
    error: ApiError | None = None


_acks = msgspec.json.Decoder(_Ack)


class _Flight:
    """One message or batch on its way. `suspect`: more of it than one may be refused, or stored already."""

    __slots__ = ("appends", "recalled", "reply", "sent_at", "suspect")

    def __init__(self, appends: list[Append], suspect: bool = False) -> None:
        self.appends, self.suspect = appends, suspect
        self.reply, self.sent_at, self.recalled = "", 0.0, False


class Publisher:
    """The way into one stream for all appends of a process. `lagging`: a new leader may not know its tail at once."""

    def __init__(
        self, connection: Connection, stream: str, give_up_s: float, lagging: bool = False, answer_s: float = ANSWER_S
    ) -> None:
        self._connection, self._stream, self._lagging = connection, stream, lagging
        self._give_up_s, self._answer_s, self._patience_s = give_up_s, answer_s, answer_s
        self._loop = asyncio.get_running_loop()
        self._backlog = Backlog()
        self._groups: deque[_Flight] = deque()
        self._flights: dict[str, _Flight] = {}
        self._singles = self._batches = self._batch_number = 0
        self._batch_prefix = connection.new_inbox().rpartition(".")[2]
        self._pump_planned = self._sweep_planned = False
        self._settling: set[asyncio.Task[None]] = set()
        self._trouble = ""  # what the server last said when it could not store anything, '' once it could again
        connection.on_lost.append(self._on_lost)
        connection.on_back.append(self._pump)
        connection.on_denied.append(self._on_denied)

    async def append(self, draft: Draft, expected: int) -> int:
        """The new version. Raises: as `EventLog.append`."""
        while not self._backlog.has_room:
            await self._backlog.room()
        version = self._accept(draft, expected)
        self._plan_pump()  # not now: others that append in this turn of the loop go along
        return await version

    async def append_many(self, drafts: Sequence[tuple[Draft, int]]) -> list[int | EventLogError]:
        """The new version of each, or why there is none."""
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
        """The future that its version or its error comes with."""
        if self._connection.is_closed:
            raise Unavailable("the connection is closed")
        append = Append(draft, expected, self._loop.create_future(), self._loop.time() + self._give_up_s)
        if append.size_bytes > self._connection.max_payload:
            raise TooLarge(append.size_bytes, self._connection.max_payload)
        self._backlog.accept(append)
        if not self._sweep_planned:
            self._sweep_planned = True
            self._loop.call_later(SWEEP_S, self._sweep)
        return append.version

    # Sending

    def _plan_pump(self) -> None:
        if not self._pump_planned:
            self._pump_planned = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        """Sends what may go now: groups on their second way first, then few appends singly or many as a batch."""
        self._pump_planned = False
        while self._groups and self._connection.online:
            group = self._groups[0]
            group.appends = [append for append in group.appends if self._backlog.is_open(append)]
            if len(group.appends) > 1 and self._batches >= BATCHES:
                return
            self._groups.popleft()
            if group.appends and not self._send(group):
                return
        while (waiting := len(self._backlog.queue)) and self._connection.online:
            if self._batches == 0 and self._singles + waiting <= SINGLES:
                for append in self._backlog.take(SINGLES, BATCH_BYTES):
                    self._send(_Flight([append]))
                return
            if self._batches >= BATCHES or waiting < (SECOND_BATCH if self._batches else SINGLES):
                return
            taken = self._backlog.take(BATCH_APPENDS, BATCH_BYTES)
            if taken and not self._send(_Flight(taken)):
                return

    def _send(self, flight: _Flight) -> bool:
        """Sends it; False, and it waits for the connection, where the connection does not take it."""
        reply = flight.reply = self._connection.expect(partial(self._on_answer, flight))
        flight.sent_at = self._loop.time()
        self._flights[reply] = flight
        if len(flight.appends) == 1:
            self._singles += 1
            frames = single_frame(flight.appends[0], reply)
        else:
            self._batches += 1
            self._batch_number += 1
            frames = batch_frames(flight.appends, f"{self._batch_prefix}-{self._batch_number}", reply)
        if self._connection.write(frames):
            for append in flight.appends:
                append.was_sent = True
            return True
        self._land(flight)
        self._groups.append(flight)
        return False

    def _land(self, flight: _Flight) -> bool:
        """Ends the wait for an answer; False when it had ended before."""
        if self._flights.pop(flight.reply, None) is None:
            return False
        self._connection.forget(flight.reply)
        if len(flight.appends) == 1:
            self._singles -= 1
        else:
            self._batches -= 1
        return True

    def _again(
        self, appends: Sequence[Append], *, suspect: bool, at_once: bool = False, reason: str = "no stream answers"
    ) -> None:
        """Sends what is still open once more, as a group of its own, until its time is over."""
        now = self._loop.time()
        for append in appends:
            if append.version.done() or append.deadline <= now:
                self._backlog.finish(append, self._too_late(append, reason))
        group = _Flight([append for append in appends if self._backlog.is_open(append)], suspect)
        if at_once:
            self._regroup(group)
        elif group.appends:
            tries = group.appends[0].tries
            for append in group.appends:
                append.tries += 1
            delay_s = min(LONGEST_WAIT_S, SHORTEST_WAIT_S * 2**tries) * random.uniform(0.5, 1)  # noqa: S311
            self._loop.call_later(delay_s, self._regroup, group)

    def _halve(self, appends: Sequence[Append], at_once: bool = True) -> None:
        middle = len(appends) // 2
        for half in (appends[:middle], appends[middle:]):
            self._again(half, suspect=True, at_once=at_once, reason="the server refuses it")

    def _regroup(self, group: _Flight) -> None:
        self._groups.append(group)
        self._plan_pump()

    # Answers

    def _on_answer(self, flight: _Flight, _subject: bytes, _reply: bytes, headers: bytes, body: bytes) -> None:
        if not body:
            if headers.startswith(b"NATS/1.0 503"):
                self._land(flight)
                self._again(flight.appends, suspect=flight.suspect)
            return  # else the batch has begun
        try:
            ack = _acks.decode(body)
        except msgspec.MsgspecError:
            return  # no answer of a stream: the time limit decides
        if self._land(flight):
            took_s = self._loop.time() - flight.sent_at
            self._patience_s = max(self._answer_s, min(ANSWER_MAX_S, SLOWER * took_s))
        if ack.error is not None:
            self._on_refusal(flight, ack.error)
        else:
            self._trouble = ""
            for version, append in enumerate(flight.appends, ack.seq - len(flight.appends) + 1):
                self._backlog.finish(append, version)
        self._pump()

    def _on_refusal(self, flight: _Flight, error: ApiError) -> None:
        appends, code = flight.appends, error.err_code
        if code == WRONG_LAST_SEQUENCE:
            task = self._loop.create_task(self._settle(flight, named_sequence(error.description)))
            self._settling.add(task)
            task.add_done_callback(self._settling.discard)
        elif code in BUSY and appends[0].tries < 3:
            self._again(appends, suspect=flight.suspect)
        elif code == BATCH_DISABLED:
            self._fail(appends, Misconfigured(f"the stream {self._stream} lacks allow_atomic"))
        elif len(appends) > 1:
            self._halve(appends, at_once=code not in BUSY)
        elif code in BUSY or error.code >= 500:
            appends[0].trouble = self._trouble = error.description
            self._again(appends, suspect=True, reason=error.description)
        elif code == TOO_LARGE:
            self._fail(appends, TooLarge(appends[0].size_bytes, self._connection.max_payload))
        else:
            self._fail(appends, Misconfigured(f"{self._stream} refused an append: {error.description} ({code})"))

    async def _settle(self, flight: _Flight, named: int) -> None:
        """Finds out who lost, and whether what seems lost was stored by an earlier try."""
        appends = [append for append in flight.appends if self._backlog.is_open(append)]
        try:
            if len(appends) > 1 and not flight.suspect:
                blamed = set(await accused(self._connection, self._stream, appends, named))
                self._again([append for append in appends if append not in blamed], suspect=True, at_once=True)
                appends = [append for append in appends if append in blamed]
            verdicts = await judge_all(self._connection, self._stream, appends, named)
        except Misconfigured as error:
            self._fail(appends, error)
            return
        except EventLogError as error:
            self._again(appends, suspect=True, reason=str(error))
            return
        undecided = []
        for append, verdict in zip(appends, verdicts, strict=True):
            if verdict is None:
                undecided.append(append)
            else:
                self._backlog.finish(append, verdict)
        if len(undecided) < len(appends):
            self._again(undecided, suspect=True, at_once=True)
        elif len(undecided) > 1:
            self._halve(undecided)
        elif undecided and named <= undecided[0].expected and not (self._lagging and undecided[0].tries < 5):
            # The guard was refused and nothing follows: the caller expects a version that the log does not have.
            self._fail(undecided, WrongVersion(undecided[0].aggregate, undecided[0].expected, named))
        else:
            self._again(undecided, suspect=True, reason="its outcome is not known")

    def _fail(self, appends: Sequence[Append], error: Exception) -> None:
        for append in appends:
            self._backlog.finish(append, error)
        self._plan_pump()

    def _too_late(self, append: Append, reason: str) -> Unavailable:
        doubt = "the append may or may not be stored" if append.was_sent else "the append was not sent"
        return Unavailable(f"{append.trouble or reason}; gave up after {self._give_up_s:g} s, {doubt}")

    # Time, connection, permissions

    def _sweep(self) -> None:
        """One timer for all: answers that are overdue, appends whose time is over."""
        now = self._loop.time()
        for flight in list(self._flights.values()):
            if now - flight.sent_at > self._patience_s:
                self._recall(flight, self._trouble or f"no answer within {self._patience_s:.1f} s", alone=1)
        reason = (self._trouble or "no answer") if self._connection.online else "no connection"
        if self._backlog.expire(now, lambda append: self._too_late(append, reason)):
            for group in self._groups:
                group.appends = [append for append in group.appends if self._backlog.is_open(append)]
        self._sweep_planned = bool(self._backlog)
        if self._sweep_planned:
            self._loop.call_later(SWEEP_S, self._sweep)
        self._plan_pump()

    def _recall(self, flight: _Flight, reason: str, alone: int = 0) -> None:
        """Sends all of it again, the first `alone`: a store without room says why to one append, to a batch nothing."""
        if self._land(flight):
            for group in (flight.appends[:alone], flight.appends[alone:]):
                self._again(group, suspect=True, at_once=True, reason=reason)

    def _on_lost(self) -> None:
        """What was on its way is in doubt: it goes out again under the same guard."""
        for flight in list(self._flights.values()):
            self._recall(flight, "the connection was lost")
        if self._connection.is_closed:
            self._backlog.finish_all(Unavailable("the connection is closed"))

    def _on_denied(self, denied: PermissionDenied) -> None:
        """The server drops a forbidden message: its append fails now, the rest of its batch goes without it."""
        parts = denied.subject.split(".")
        append = self._backlog.current(f"{parts[1]}/{parts[2]}") if len(parts) > 2 else None
        if append is None or append.subject != denied.subject.encode():
            return
        for flight in self._flights.values():
            if not flight.recalled and append in flight.appends:
                # One round for all refusals of a batch: each message of it may be answered by one.
                flight.recalled = True
                self._loop.call_later(RECALL_S, self._recall, flight, "a part of its batch was forbidden")
        self._fail([append], PermissionDenied(denied.subject))
