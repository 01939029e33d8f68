"""What an answer of the stream means for each append of a flight: stored, lost, refused, or to be sent again."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from clawactors.eventlog.errors import EventLogError, Misconfigured, NoSpace, TooLarge, WrongVersion
from clawactors.eventlog.jetstream.log.backlog import Backlog
from clawactors.eventlog.jetstream.log.flights import Ack, Flight
from clawactors.eventlog.jetstream.log.room import NO_ROOM, is_full
from clawactors.eventlog.jetstream.log.verdict import Witness, accused, judge_all, named_sequence
from clawactors.eventlog.jetstream.wire.api import ApiError
from clawactors.eventlog.jetstream.wire.codes import BATCH_DISABLED, BUSY, TOO_LARGE, WRONG_LAST_SEQUENCE
from clawactors.eventlog.jetstream.wire.connection import Connection
from clawactors.eventlog.jetstream.wire.frames import Append

__all__ = ["Resend", "Settlement"]

FULL_S: Final = 1.0


class Resend(Protocol):
    """Sends the appends that are still open again, as a separate group."""

    def __call__(
        self, appends: Sequence[Append], *, suspect: bool, at_once: bool = False, reason: str = "no stream answers"
    ) -> None:
        """Sends them."""
        ...


class Settlement:
    """Settles answers; `changed` is called when an append fails, so that the next one can leave.

    `lagging`: a new leader of the stream may not know its tail at once. `timeout_s`: how long an append is tried.
    """

    def __init__(
        self,
        connection: Connection,
        stream: str,
        witness: Witness,
        backlog: Backlog,
        resend: Resend,
        changed: Callable[[], None],
        lagging: bool,
        timeout_s: float,
    ) -> None:
        self._timeout_s = timeout_s
        self._connection, self._stream, self._backlog = connection, stream, backlog
        self._witness = witness
        self._resend, self._changed, self._lagging = resend, changed, lagging
        self._settling: set[asyncio.Task[None]] = set()
        self.trouble = ""
        """Why the server could not store anything lately, '' once it can again."""

    def settle(self, flight: Flight, ack: Ack | None) -> None:
        """Ends the appends of the flight, or sends them again. `ack` is None if no stream answers."""
        if ack is None:
            self._resend(flight.appends, suspect=flight.suspect)
        elif ack.error is not None:
            self._on_refusal(flight, ack.error)
        else:
            self.trouble = ""
            for version, append in enumerate(flight.appends, ack.seq - len(flight.appends) + 1):
                self._backlog.finish(append, version)

    def fail(self, appends: Sequence[Append], error: Exception) -> None:
        """Ends them with the error."""
        for append in appends:
            self._backlog.finish(append, error)
        self._changed()

    def _on_refusal(self, flight: Flight, error: ApiError) -> None:
        appends, code = flight.appends, error.err_code
        if code == WRONG_LAST_SEQUENCE:
            task = asyncio.get_running_loop().create_task(self._find_losers(flight, named_sequence(error.description)))
            self._settling.add(task)
            task.add_done_callback(self._settling.discard)
        elif code in BUSY and appends[0].tries < 3:
            self._resend(appends, suspect=flight.suspect)
        elif code == BATCH_DISABLED:
            self.fail(appends, Misconfigured(f"the stream {self._stream} lacks allow_atomic"))
        elif len(appends) > 1:
            self._halve(appends, at_once=code not in BUSY)
        elif is_full(error) and self._has_waited(appends[0]):
            self.trouble = error.description
            self.fail(appends, NoSpace(f"{NO_ROOM}: {error.description}"))
        elif code in BUSY or error.code >= 500 or is_full(error):
            appends[0].trouble = self.trouble = error.description
            self._resend(appends, suspect=True, reason=error.description)
        elif code == TOO_LARGE:
            self.fail(appends, TooLarge(appends[0].size_bytes, self._connection.max_payload))
        else:
            self.fail(appends, Misconfigured(f"{self._stream} refused an append: {error.description} ({code})"))

    def _has_waited(self, append: Append) -> bool:
        """Room that somebody makes in time is waited for, but not for long."""
        return asyncio.get_running_loop().time() > append.deadline - self._timeout_s + FULL_S

    async def _find_losers(self, flight: Flight, named: int) -> None:
        """Determines which appends lost, and which were stored by an earlier attempt."""
        appends = [append for append in flight.appends if self._backlog.is_open(append)]
        try:
            if len(appends) > 1 and not flight.suspect:
                blamed = set(await accused(self._witness, appends, named))
                self._resend([append for append in appends if append not in blamed], suspect=True, at_once=True)
                appends = [append for append in appends if append in blamed]
            verdicts = await judge_all(self._witness, appends, named)
        except Misconfigured as error:
            self.fail(appends, error)
            return
        except EventLogError as error:
            self._resend(appends, suspect=True, reason=str(error))
            return
        undecided = []
        for append, verdict in zip(appends, verdicts, strict=True):
            if verdict is None:
                undecided.append(append)
            else:
                self._backlog.finish(append, verdict)
        if len(undecided) < len(appends):
            self._resend(undecided, suspect=True, at_once=True)
        elif len(undecided) > 1:
            self._halve(undecided)
        elif undecided and named <= undecided[0].expected and not (self._lagging and undecided[0].tries < 5):
            # The guard was refused and nothing follows: the caller expects a version that the log does not have.
            self.fail(undecided, WrongVersion(undecided[0].aggregate, undecided[0].expected, named))
        else:
            self._resend(undecided, suspect=True, reason="its outcome is not known")

    def _halve(self, appends: Sequence[Append], at_once: bool = True) -> None:
        middle = len(appends) // 2
        for half in (appends[:middle], appends[middle:]):
            self._resend(half, suspect=True, at_once=at_once, reason="the server refuses it")
