"""Running: the code of the skill is under way, in the event loop, in a thread or in a process of its own."""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, override

from clawactors.kernel.errors import Refused
from clawactors.runtime.node.attempt.phase import GENTLE, Phase, StopReason, end_code
from clawactors.runtime.node.attempt.stopping import StoppingPhase
from clawactors.runtime.node.capture import capture_again
from clawactors.runtime.node.code import Code, TaskSuspended
from clawactors.runtime.node.context import TaskContext
from clawactors.runtime.node.isolation import run_isolated
from clawactors.runtime.node.recovery import begin_recovery, recover_async, recover_sync
from clawactors.runtime.node.signs import HeartbeatWatch
from clawactors.runtime.node.spawned import current_output
from clawactors.runtime.node.synccontext import SyncTaskContext
from clawactors.runtime.node.threads import ThreadBridge
from clawactors.systems.skills.callables import call_sync
from clawactors.systems.tasks.payload import is_reference

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt
    from clawactors.systems.skills import Skill

__all__ = ["Expiry", "RunningPhase", "run_code", "write_beside"]


_writing: Final[set[asyncio.Future[None]]] = set()
"""What is written beside code: one set for all, since a set of its own is a fiftieth of what a parked run takes."""


class Expiry:
    """The timeout of an attempt: it stands still while the attempt is parked."""

    def __init__(self) -> None:
        self._left_s = 0.0
        self._call: Callable[[], None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, left_s: float, call: Callable[[], None]) -> None:
        """Calls back after that time at work."""
        self._left_s, self._call = left_s, call
        self.resume()

    def pause(self) -> None:
        """Stands still."""
        if self._timer is not None:
            self._left_s = self._timer.when() - asyncio.get_running_loop().time()
            self._timer.cancel()
            self._timer = None

    def resume(self) -> None:
        """Goes on."""
        if self._call is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(max(0.0, self._left_s), self._call)


class RunningPhase(Phase):
    """The code goes on until it has ended or is told to stop."""

    code: Code

    def __init__(self, code: Code) -> None:
        self.code = code

    @override
    def stop(self, reason: StopReason) -> Phase:
        if reason not in GENTLE:
            end_code(self.code, reason)
        return StoppingPhase(reason, self.code)

    @override
    def fail(self, error: BaseException) -> Phase:
        if self.code.ended:
            return self
        self.code.cancel()
        return StoppingPhase("failed", self.code, error)


async def run_code(attempt: "Attempt") -> Any:
    """What the code returns. Raises: what it raises; `TaskSuspended` where it must not begin; `Refused`."""
    skill, event = attempt.skill, attempt.assignment.event
    if skill is None:
        raise Refused(f"this node has no skill {event.skill!r}")
    params = event.params
    if is_reference(params):
        params = await attempt.values.load_payload(params, "its parameters")
    attempt.params = params
    attempt.check()
    current_output.set(attempt.values)
    capture_again()
    code = _begin(attempt, skill, params)
    attempt.begin(code)
    if not code.ended:
        attempt.open_window(gathers=attempt.journal.gathers)
    timeout_s = event.timeout_s or attempt.supplies.timeout_of(skill)
    if code.ended or (timeout_s is None and skill.heartbeat_s is None):
        return await code.outcome()
    with contextlib.ExitStack() as limits:
        fail = partial(_fail, attempt, code, skill)
        if timeout_s is not None:
            error = TimeoutError(f"the attempt took longer than {timeout_s:g} s")
            attempt.expiry.begin(timeout_s, partial(fail, error))
            limits.callback(attempt.expiry.pause)
        if skill.heartbeat_s is not None:
            limits.callback(HeartbeatWatch(attempt, skill.heartbeat_s, fail).stop)
        return await code.outcome()


def _begin(attempt: "Attempt", skill: "Skill", params: dict[str, Any]) -> Code:
    context, arguments, lost = TaskContext(attempt), skill.arguments(params), begin_recovery(attempt)
    if skill.isolate:
        return Code.begin(
            run_isolated(attempt, context, skill, params), attempt.tasks, skill.cancel_grace_s, is_async=False
        )
    if skill.is_async:
        code = partial(skill.coroutine, context, arguments)
        work = code() if lost is None else recover_async(attempt, context, lost, code)
        return Code.begin(work, attempt.tasks, skill.cancel_grace_s)
    attempt.tasks.outside_loop += 1
    bridge = ThreadBridge(context, attempt, asyncio.get_running_loop())

    def call() -> Any:
        bridge.enter()
        handle = SyncTaskContext(bridge)
        if lost is not None and skill.recover is not None:
            recover_sync(handle, bridge, skill.recover, lost)
        return call_sync(skill.function, handle, arguments)

    return Code.begin_in_thread(attempt.threads, call, skill.cancel_grace_s)


def _fail(attempt: "Attempt", code: Code, skill: "Skill", error: TimeoutError) -> None:
    attempt.fail(error)
    if skill.in_thread:
        code.leave()  # a thread can't be ended, and its time is over


def write_beside(attempt: "Attempt") -> None:
    """Writes while the code goes on; an error ends the code, since what it believes to be recorded is not."""

    async def write() -> None:
        try:
            await attempt.write()
        except (TaskSuspended, asyncio.CancelledError):
            pass
        except Exception as error:
            attempt.fail(error)

    writing = asyncio.ensure_future(write())
    _writing.add(writing)
    writing.add_done_callback(_writing.discard)
