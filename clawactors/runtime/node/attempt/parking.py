"""Parking: the code only waits, so it stays in memory without a slot until something wakes it.

1. The attempt parks when its wait is in the log; a wake is a schedule with the next number, which the attempt adopts.
2. What the code calls while it is parked asks the log for a wake, and so for a slot, first.
3. A parked run that has to go is unwound: its waits raise `TaskSuspended`, and the log says that it is not parked now.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from clawactors.kernel.errors import Refused
from clawactors.runtime.node.answers import is_answering
from clawactors.runtime.node.attempt.phase import GENTLE, Phase, StopReason
from clawactors.runtime.node.attempt.running import RunningPhase
from clawactors.runtime.node.attempt.stopping import StoppingPhase
from clawactors.runtime.node.code import GRACE_S, Code, TaskSuspended
from clawactors.runtime.node.codetasks import in_run
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.events import DurableWait

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["ParkedPhase", "Parking"]


class ParkedPhase(Phase):
    """The code rests in memory; `unwind` ends its waits."""

    code: Code

    def __init__(self, code: Code, unwind: Callable[[], None]) -> None:
        self.code, self._unwind = code, unwind

    def stop(self, reason: StopReason) -> Phase:
        """Unwinds the code, whatever the reason."""
        self._unwind()
        self.code.expect_end(GRACE_S)
        return StoppingPhase(reason, self.code)


class Parking:
    """Whether one attempt is at work or parked. `on_park` and `on_wake` tell its node."""

    def __init__(self, attempt: "Attempt") -> None:
        self._attempt, self._loop = attempt, asyncio.get_running_loop()
        self.is_at_work = True
        self._under_way: asyncio.Task[None] | None = None
        self._asked = False
        self._waiting: list[asyncio.Future[None]] = []
        self.left: tuple[tuple[DurableWait, int], ...] = ()
        """What the code waited for when it was told to leave its node."""

    @property
    def ends_in_place(self) -> bool:
        """True while nothing but the attempt itself ends its waits."""
        return self.is_at_work and self._under_way is None

    async def at_work(self, wait: str = "") -> None:
        """Returns at once while the attempt is at work, else once it has been woken, or is to end.

        `wait` names what only the code itself may do. Raises: `Refused` where something else does, and in another
        event loop.
        """
        if is_answering.get():
            raise Refused("a function of task.answer only reads: let the code itself do what changes the task")
        if wait and self._attempt.recovers is not None:
            raise Refused(f"recover of a skill takes steps, returns or raises; {wait} is for the code after it")
        if asyncio.get_running_loop() is not self._loop:
            raise Refused(
                "a task belongs to the event loop of its node, and this is another one: there use "
                "asyncio.run_coroutine_threadsafe(task.step(…), loop), or write the skill as a sync function"
            )
        while not self.ends_in_place and not self._attempt.is_stopping:
            if self._under_way is not None:
                await asyncio.wait((self._under_way,))
            elif not self._asked:
                self._asked = True
                self._start(self._ask())
            else:
                waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._waiting.append(waiting)
                await waiting

    def on_idle(self) -> None:
        """The code does nothing but wait."""
        attempt = self._attempt
        phase = attempt.phase
        if phase.reason in GENTLE:
            attempt.code_was_told = True
        if phase.reason in ("pause", "continued"):
            attempt.waits.suspend()
        elif phase.reason in ("drain", "unpark"):
            self.left = attempt.waits.listed()
            attempt.waits.suspend()
        elif isinstance(phase, RunningPhase) and self.is_at_work and self._under_way is None and attempt.on_park:
            self._under_way = self._start(self._park())

    def _start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        with in_run(None):
            return asyncio.get_running_loop().create_task(work)

    async def _park(self) -> None:
        attempt = self._attempt
        try:
            attempt.journal.close_window()
            attempt.journal.gathers = False
            limited = attempt.skill is not None and attempt.skill.offer.concurrency is not None
            await attempt.record(c.Park(attempt.fence, attempt.waits.listed(), limited, self._progress))
        except (TaskSuspended, asyncio.CancelledError):
            return  # it is to end, and told so
        except Refused as refusal:
            if not attempt.is_stopping:
                attempt.waits.fail(refusal)
            return
        except Exception as error:
            attempt.fail(error)
            return
        finally:
            self._under_way = None
        phase = attempt.phase
        if not attempt.journal.is_parked(attempt.fence):
            attempt.apply_state()
            attempt.waits.go_on()
            attempt.waits.check_idle()  # what came may be over already, and the check after it fell into this one
        elif isinstance(phase, RunningPhase):
            self.is_at_work, self._asked = False, False
            attempt.waits.rest()
            attempt.expiry.pause()
            attempt.phase = ParkedPhase(phase.code, self._unwind)
            if attempt.on_park is not None:
                attempt.on_park(attempt.id)
        else:  # told to stop meanwhile
            attempt.waits.suspend()

    @property
    def _progress(self) -> float | None:
        """What the code has reported."""
        attempt = self._attempt
        return attempt.values.progress if "values" in attempt.__dict__ else None

    async def _ask(self) -> None:
        """Asks for a wake; where the skill has a limit, the leader gives it."""
        attempt = self._attempt
        try:
            await attempt.record(c.Wake(attempt.fence))
        except (TaskSuspended, Refused):
            return  # it is to end, or was woken meanwhile
        except Exception as error:
            attempt.fail(error)
            return
        if attempt.journal.state.life.status == "scheduled" and attempt.on_wake is not None:
            attempt.on_wake(attempt.id)

    def wake(self, at_ns: int) -> None:
        """It has its slot again: adopts the attempt that the log has, and goes on in place."""
        attempt = self._attempt
        phase, life = attempt.phase, attempt.journal.state.life
        if not isinstance(phase, ParkedPhase):
            return
        attempt.fence = attempt.journal.state.fence
        attempt.phase = RunningPhase(phase.code)
        self.is_at_work, self._asked = True, False
        try:
            attempt.note(c.StartTask(attempt.fence))
        except Refused:
            return  # it is to end, and told so
        if "patches" in attempt.__dict__:
            attempt.patches.wake()
        attempt.expiry.resume()
        attempt.open_window(gathers=not life.interruptions)
        attempt.apply_state()
        self.release()
        attempt.waits.wake(at_ns)

    def _unwind(self) -> None:
        self._attempt.code_was_told = True
        self._attempt.waits.suspend()

    def release(self) -> None:
        """Lets those go on that wait for the attempt to be at work: they see for themselves what is wanted."""
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()
