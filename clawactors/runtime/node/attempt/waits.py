"""The durable waits of one attempt: sleeps, signals, and whatever else waits for a time or a signal.

1. While the attempt is at work, a wait ends in place when its time has come or its signal is there; not while it is
   being written that it parks: what comes next is decided by the log.
2. Once the code does nothing but wait, the attempt parks; from then on only what wakes it ends a wait.
3. A wait that the code gives up while it is parked (a timeout of its own) asks for a wake before the code goes on.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from clawactors.runtime.logtime import MOMENT_NS
from clawactors.runtime.node.code import TaskSuspended
from clawactors.runtime.node.codetasks import in_run
from clawactors.systems.tasks.events import DurableWait
from clawactors.systems.tasks.journal import SIGNAL

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["Waits"]

_LOOK_S: Final = 5.0
"""The loop's clock stands still while the machine sleeps, so a long wait looks so often whether it is over."""
_TURNS: Final = 3
"""What just ended may have set off more: that begins within so many turns of the loop."""


def _none() -> int:
    return 0


class _OpenWait:
    __slots__ = ("future", "taken", "wait")

    def __init__(self, wait: DurableWait, taken: Callable[[], int], future: "asyncio.Future[bool]") -> None:
        self.wait, self.taken, self.future = wait, taken, future


class Waits:
    """What the code of one attempt waits for now."""

    def __init__(self, attempt: "Attempt") -> None:
        self._attempt, self._loop = attempt, asyncio.get_running_loop()
        self._open: dict[_OpenWait, None] = {}
        self.shared: dict[str, Callable[[], int]] = {}
        """Signals that a part of the attempt waits for by itself, and how many of them it has taken."""
        self._shown_ns = 0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ns = 0
        self._is_checking = False

    async def until(self, wait: DurableWait, taken: Callable[[], int] = _none) -> bool:
        """True when more than `taken` signals of the name are there, False when the time has come.

        Raises: `TaskSuspended`.
        """
        each = _OpenWait(wait, taken, self._loop.create_future())
        if (came := self._came(each)) is not None:
            return came
        self._open[each] = None
        try:
            self._arm(wait.until_ns)
            self.check_idle()
            return await self.wait_for(each.future)
        finally:
            del self._open[each]
            if not self._open:
                self.rest()

    async def wait_for[T](self, future: "asyncio.Future[T]") -> T:
        """The result of the future, for which the branch that runs now waits. Raises: `asyncio.CancelledError`."""
        attempt = self._attempt
        tasks, branch = attempt.tasks, attempt.tasks.current()
        branch.waits += 1
        tasks.waiting += 1
        try:
            return await future
        except asyncio.CancelledError:
            if not attempt.is_stopping:
                await attempt.parking.at_work()
            raise
        finally:
            branch.waits -= 1
            tasks.waiting -= 1

    def _came(self, each: _OpenWait) -> bool | None:
        wait, attempt = each.wait, self._attempt
        if wait.reason == "signal" and attempt.journal.entries.count(SIGNAL + wait.name) > each.taken():
            return True
        return False if 0 < wait.until_ns <= max(attempt.context.time.now_ns(), self._shown_ns) else None

    def listed(self) -> tuple[tuple[DurableWait, int], ...]:
        """All waits, each with the number of its signals that were taken."""
        shared = ((DurableWait("signal", name=name), taken()) for name, taken in self.shared.items())
        return (*dict.fromkeys((each.wait, each.taken()) for each in self._open), *shared)

    def notify(self) -> None:
        """Ends those that something has come for, where they end in place."""
        if not self._attempt.parking.ends_in_place:
            return
        for each in self._open:
            if not each.future.done() and (came := self._came(each)) is not None:
                each.future.set_result(came)

    def wake(self, at_ns: int) -> None:
        """The attempt is at work again, as a record with this stamp says, which may be ahead."""
        self._shown_ns = max(self._shown_ns, min(at_ns, self._attempt.context.time.now_ns() + MOMENT_NS))
        self.go_on()
        self.check_idle()

    def go_on(self) -> None:
        """They end in place from now on."""
        self.notify()
        left = [each.wait.until_ns for each in self._open if each.wait.until_ns and not each.future.done()]
        if left and self._attempt.parking.ends_in_place:
            self._arm(min(left))

    def fail(self, error: Exception) -> None:
        """Ends all of them with the error: the log takes no wait."""
        for each in self._open:
            if not each.future.done():
                each.future.set_exception(error)

    def suspend(self) -> None:
        """Ends all of them: the code unwinds."""
        self.rest()
        for each in self._open:
            if not each.future.done():
                each.future.set_exception(TaskSuspended())
        if self.shared:
            self._attempt.signals.notify()

    def cancel(self) -> None:
        """Ends all of them with `asyncio.CancelledError`."""
        for each in self._open:
            each.future.cancel()

    def rest(self) -> None:
        """From now on the time of this process ends none."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, until_ns: int) -> None:
        """Looks again at that time, ns since 1970, unless something earlier is due."""
        if not until_ns or (self._timer is not None and self._timer_ns <= until_ns):
            return
        self.rest()
        left_s = max(0.001, (until_ns - self._attempt.context.time.now_ns()) / 1e9)
        with in_run(None):
            self._timer, self._timer_ns = self._loop.call_later(min(left_s, _LOOK_S), self._on_timer), until_ns

    def _on_timer(self) -> None:
        self._timer = None
        self.go_on()

    def check_idle(self) -> None:
        """The code may do nothing but wait now: known in a moment."""
        if (self._open or self.shared) and not self._is_checking:
            self._is_checking = True
            with in_run(None):
                self._loop.call_soon(self._settle, _TURNS)

    def _settle(self, turns: int) -> None:
        try:
            attempt = self._attempt
            is_idle = attempt.tasks.only_waits and not any(each.future.done() for each in self._open)
        except ReferenceError:  # the attempt is over
            return
        if not ((self._open or self.shared) and is_idle):
            self._is_checking = False
            if self._open and not attempt.journal.is_written and not attempt.journal.gathers:
                attempt.write_beside()  # until when it waits is on record, whatever the code does beside
        elif turns:
            self._loop.call_soon(self._settle, turns - 1)
        else:
            self._is_checking = False
            attempt.parking.on_idle()
