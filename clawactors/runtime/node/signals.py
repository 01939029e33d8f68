"""The signals that a task's code takes.

1. The n-th take of a name returns the n-th signal of that name in the log, on every resume the same; where branches
   wait for one name, `turns` says whose turn it is.
2. A signal that arrives before the wait for it is recorded is found; one that arrives later ends that wait.
3. The end of a wait is decided once, and so is that it timed out: then it took no signal, on every resume the same.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from clawactors.kernel.errors import Refused
from clawactors.runtime.node.arrivals import arrives
from clawactors.runtime.node.attempt.journal import load_task
from clawactors.runtime.node.codetasks import outside_run
from clawactors.runtime.node.runs import SignalsHad
from clawactors.runtime.node.sleep import SLEEP, seconds_of, until_of, written
from clawactors.runtime.node.turns import SignalTurn, SignalTurns
from clawactors.systems.tasks import Journal
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.journal import EMPTY, SIGNAL, Entry
from clawactors.systems.tasks.payload import is_reference

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["TaskSignals"]

_NAME_MAX: Final = 256


class TaskSignals:
    """The signals that one attempt has taken, by name."""

    def __init__(self, attempt: "Attempt") -> None:
        self._attempt = attempt
        self._turns: dict[str, SignalTurns] = {}
        self._timeouts: dict[str, int] = {}
        self.had = SignalsHad()
        """What the next run does not get."""
        self._earlier: Journal | None = None
        self.listeners: list[Callable[[], None]] = []
        """Called when something was appended to the task."""

    def journal_is_complete(self) -> None:
        """The journal was read from the first entry of the task."""
        self._earlier = EMPTY

    @outside_run
    async def take(self, name: object, timeout: str | float | None = None) -> Any:  # noqa: ASYNC109 # no scope lasts as long
        """See `TaskContext.signal`."""
        attempt = self._attempt
        await attempt.parking.at_work("task.signal")
        attempt.check()
        if not isinstance(name, str) or not 0 < len(name) <= _NAME_MAX or not name.isprintable():
            raise Refused(f"a signal is named by 1 to {_NAME_MAX} printable characters, not {repr(name)[:40]}")
        limit = None if timeout is None else self._limit(name, timeout)
        attempt.journal.used.add(SIGNAL + name)
        if limit is None or not limit.has_expired:
            turns, signal = self._turns_of(name), None
            turn = turns.enter(attempt.tasks.current().path)
            try:
                signal = await self._signal_of(turn, name, limit)
                if signal is not None:
                    number, taken = turns.take(turn)
                    attempt.journal.used.add(taken)
                    if turns.are_shared and not turn.is_recorded:
                        await attempt.record(c.CompleteStep(attempt.fence, taken, number))
                    return await self._whole(signal.result, name, number)
            finally:
                if signal is None and turns.leave(turn):
                    self.notify()
                    attempt.waits.notify()
        raise TimeoutError(f"no signal {name!r} came within {timeout}")

    def _turns_of(self, name: str) -> SignalTurns:
        if (turns := self._turns.get(name)) is None:
            entries = self._attempt.journal.entries if self._attempt.assignment.is_resumed else ()
            turns = self._turns[name] = SignalTurns(name, entries)
        return turns

    async def _signal_of(self, turn: SignalTurn, name: str, limit: "_SignalTimeout | None") -> Entry | None:
        """The signal whose turn it is, once it is there; None when it is recorded that the wait timed out."""
        key, earlier = SIGNAL + name, await self._before_the_run()
        before = earlier.count(key)
        if (entry := earlier.nth(key, turn.number)) is not None:
            return entry
        if not await self._is_there(name, lambda: turn.number - before, limit):
            return None
        entry = self._attempt.journal.entries.nth(key, turn.number - before)
        if entry is None:
            self._attempt.unwind()
        return entry

    async def _whole(self, payload: Any, name: str, number: int) -> Any:
        self.had.add(name, number)
        return (
            await self._attempt.values.load_payload(payload, f"the signal {name!r}")
            if is_reference(payload)
            else payload
        )

    async def _is_there(self, name: str, taken: Callable[[], int], limit: "_SignalTimeout | None") -> bool:
        """True once the signal may be there; False when it is recorded that the wait timed out."""
        attempt = self._attempt
        if await arrives(attempt, name, limit.until_ns if limit else 0, taken):
            return True
        if limit is not None:
            await attempt.record(limit.expire())
            attempt.check()
        return False

    def _limit(self, name: str, timeout: str | float) -> "_SignalTimeout":
        path = self._attempt.tasks.current().path
        counted = f"{path}/{name}" if path else name
        count = self._timeouts[counted] = self._timeouts.get(counted, 0) + 1
        return _SignalTimeout(self._attempt, f"{SLEEP}{counted}#{count}", seconds_of(timeout))

    def notify(self) -> None:
        """Something was appended to the task: a signal may be there."""
        for listener in self.listeners:
            listener()

    async def _before_the_run(self) -> Journal:
        """The journal as it was when the task was scheduled: a first attempt begins without having read it."""
        if self._earlier is None:
            await self._attempt.retry_while_unavailable(self._read)
        return self._earlier or EMPTY

    async def _read(self) -> None:
        attempt = self._attempt
        known = await load_task(attempt.context, attempt.id, at_least=attempt.assignment.version)
        # What came since then came in this attempt, or in a later one.
        self._earlier = Journal(
            entry for entry in known.state.journal if entry.attempt < attempt.assignment.event.attempt
        )


class _SignalTimeout:
    """The timeout of one wait, recorded as two steps: until when it lasts, and that it timed out."""

    def __init__(self, attempt: "Attempt", step: str, seconds: float) -> None:
        self._attempt, self._step, self._seconds = attempt, step, seconds
        attempt.journal.used.update((step, f"{step}:over"))
        self._until_ns = 0

    @property
    def has_expired(self) -> bool:
        """True when it is recorded that the wait timed out."""
        return self._attempt.journal.entries.completed(f"{self._step}:over")

    @property
    def until_ns(self) -> int:
        """The end of the wait, ns since 1970; recorded on first use."""
        if not self._until_ns:
            attempt = self._attempt
            entry = attempt.journal.entries.last(self._step)
            record = entry.result if entry else written(attempt.context.time.now_ns() + int(self._seconds * 1e9))
            if entry is None:
                attempt.journal.note(c.CompleteStep(attempt.fence, self._step, record, 0.0, attempt.values.progress))
            self._until_ns = until_of(record)
        return self._until_ns

    def expire(self) -> c.CompleteStep:
        """The command that records that the wait timed out."""
        return c.CompleteStep(self._attempt.fence, f"{self._step}:over", None, 0.0, self._attempt.values.progress)
