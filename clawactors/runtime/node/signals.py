"""The signals that a task's code takes.

1. The n-th take of a name returns the n-th signal of that name in the log, on every resume the same.
2. A signal that arrives before the wait for it is recorded is found; one that arrives later ends that wait.
3. The end of a wait is decided once, and so is that it timed out: then it took no signal, on every resume the same.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from clawactors.kernel.errors import Refused
from clawactors.runtime.node.arrivals import arrives
from clawactors.runtime.node.attempt.journal import load_task
from clawactors.runtime.node.codetasks import outside_run
from clawactors.runtime.node.runs import SignalsHad
from clawactors.runtime.node.sleep import SLEEP, seconds_of, until_of, written
from clawactors.systems.tasks import Journal
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.journal import EMPTY, SIGNAL
from clawactors.systems.tasks.payload import is_reference

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["TaskSignals"]

_NAME_MAX: Final = 256


class TaskSignals:
    """The signals that one attempt has taken, by name."""

    def __init__(self, attempt: "Attempt") -> None:
        self._attempt = attempt
        self._taken: dict[str, int] = {}
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
        key, number = SIGNAL + name, self._taken.get(name, 0)
        attempt.journal.used.add(key)
        if limit is None or not limit.has_expired:
            self._taken[name] = number + 1
            earlier = await self._before_the_run()
            if (entry := earlier.nth(key, number)) is not None:
                return await self._whole(entry.result, name, number)
            try:
                is_there = await self._is_there(name, number - earlier.count(key), limit)
            except asyncio.CancelledError:
                self._give_back(name, number)
                raise
            if is_there:
                entry = attempt.journal.entries.nth(key, number - earlier.count(key))
                if entry is None:
                    attempt.unwind()
                return await self._whole(entry.result, name, number)
            self._give_back(name, number)
        raise TimeoutError(f"no signal {name!r} came within {timeout}")

    def _give_back(self, name: str, number: int) -> None:
        """That take has come to nothing: the next one gets the signal."""
        if self._taken[name] == number + 1:
            self._taken[name] = number

    async def _whole(self, payload: Any, name: str, number: int) -> Any:
        self.had.add(name, number)
        return (
            await self._attempt.values.load_payload(payload, f"the signal {name!r}")
            if is_reference(payload)
            else payload
        )

    async def _is_there(self, name: str, number: int, limit: "_SignalTimeout | None") -> bool:
        """True once the signal may be there; False when it is recorded that the wait timed out."""
        attempt = self._attempt
        if await arrives(attempt, name, number, limit.until_ns if limit else 0):
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
