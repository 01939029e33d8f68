"""One attempt of one task: the task actor. It runs the skill's code and keeps the journal.

1. What a step returned is on record before the code goes on, but for the first 20 ms of an attempt: what happens in
   them rides in one commit, so that a short task costs one append here.
2. A suspect, a task whose last run took its node with it, is on record as running before its code runs.
3. A refusal means that another attempt has taken over: the code is stopped and nothing more is recorded.
"""

import asyncio
import inspect
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, Final, Literal

import msgspec

from clawactors.errors import Refused
from clawactors.fold import Folded
from clawactors.runtime.actor import Actor, Desk
from clawactors.runtime.node.failure import classify
from clawactors.runtime.node.handle import SyncTaskHandle, TaskHandle
from clawactors.skills import Skill
from clawactors.tasks import TASK, Task
from clawactors.tasks import commands as c
from clawactors.tasks import events as e
from clawactors.tasks.retry import after_failure
from clawactors.tasks.task import assigned
from eventlog import Record, TooLarge, Unavailable

__all__ = ["Assignment", "TaskRun"]

WINDOW_S: Final = 0.02
RESULT_MAX_BYTES: Final = 256 * 1024
_RETRY_WRITE_S: Final = 0.2

type Stop = Literal["", "cancel", "pause", "superseded", "drain"]


class Assignment(msgspec.Struct, frozen=True):
    """What `task.scheduled` brought: enough to run the task without reading anything."""

    id: str
    version: int
    event: e.Scheduled
    at_ns: int

    @property
    def fence(self) -> e.Fence:
        """The run that this assignment is for."""
        return e.Fence(self.event.node, self.event.incarnation, self.event.attempt)

    @property
    def known(self) -> Folded[Task]:
        """The task as far as the node knows it by now."""
        return Folded(assigned(self.event, self.at_ns), self.version)


class Stopped(BaseException):
    """Unwinds the code of a task that must not go on. No `Exception`, so that code does not swallow it by habit."""


class TaskRun:
    """The actor of one attempt; `run` is its life."""

    def __init__(self, desk: Desk, assignment: Assignment, skill: Skill | None, threads: Executor) -> None:
        self.desk, self.assignment, self.skill, self.threads = desk, assignment, skill, threads
        self.id, self.fence, self.clock = assignment.id, assignment.fence, desk.clock
        self.actor: Actor[c.TaskCommand, Task, e.TaskEvent] = Actor(desk, TASK, e.CODEC, self.id, assignment.known)
        self._stop: Stop = ""
        self._eager = False
        self._noted_bytes = 0
        self._used: set[str] = set()
        self._progress: float | None = None
        self._code: asyncio.Task[Any] | None = None
        self._window: asyncio.TimerHandle | None = None
        self._background: set[asyncio.Task[None]] = set()

    @property
    def stopping(self) -> bool:
        """True once the code should end."""
        return self._stop != ""

    async def run(self) -> None:
        """Runs the code and records its end; returns when the record is durable or another attempt has taken over."""
        self._code = asyncio.current_task()
        try:
            await self._start()
            result = await self._call_skill()
            self.actor.note(c.Complete(self.fence, _as_json(result, "the skill")))
        except (Stopped, asyncio.CancelledError) as error:
            if self._code is not None and self._code.cancelling():
                if not self.stopping:
                    raise  # the node itself goes down
                self._code.uncancel()
            elif not self.stopping:  # the code's own doing
                self._failed(error)
        except Refused as refusal:
            self._failed(refusal)
        except BaseException as error:
            self._failed(error)
        if self._window is not None:
            self._window.cancel()
        if self._stop not in ("superseded", "pause"):
            await self._finish()

    async def _start(self) -> None:
        event = self.assignment.event
        if event.attempt > 1:  # an earlier attempt may have left completed steps
            self.actor = Actor(self.desk, TASK, e.CODEC, self.id)
            await self._patiently(self.actor.catch_up)
            self._look()
        self._note(c.Start(self.fence))
        if event.interruptions:
            await self._write()
            self._eager = True
        else:
            self._window = asyncio.get_running_loop().call_later(WINDOW_S, self._close_window)

    def _close_window(self) -> None:
        self._eager = True
        self._in_background(self._write())

    def _in_background(self, coroutine: Any) -> None:
        task = asyncio.ensure_future(self._quietly(coroutine))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _quietly(self, coroutine: Any) -> None:
        try:
            await coroutine
        except Stopped:
            self._cancel_code()

    async def _call_skill(self) -> Any:
        skill = self.skill
        if skill is None:
            raise Refused(f"this node has no skill {self.assignment.event.skill!r}")
        arguments = skill.arguments(self.assignment.event.params)
        timeout_s = self.assignment.event.timeout_s or skill.timeout_s
        if skill.is_async:
            code = skill.function(TaskHandle(self), **arguments)
        else:
            loop = asyncio.get_running_loop()
            handle = SyncTaskHandle(self, loop)
            code = loop.run_in_executor(self.threads, lambda: _guarded(skill.function, handle, **arguments))
        if timeout_s is None:
            return await code
        try:
            async with asyncio.timeout(timeout_s):
                return await code
        except TimeoutError as error:
            raise TimeoutError(f"the attempt took longer than {timeout_s:g} s") from error

    # Steps

    async def step(self, name: str, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """See `TaskHandle.step`."""
        done, result = await self.begin_step(name)
        if done:
            return result
        started_s = self.clock.monotonic_s()
        try:
            if inspect.iscoroutinefunction(function):
                result = await function(*args, **kwargs)
            else:
                loop = asyncio.get_running_loop()
                result = await loop.run_in_executor(self.threads, lambda: _guarded(function, *args, **kwargs))
                if inspect.isawaitable(result):
                    result = await result
        except Exception as error:
            await self.fail_step(name, error, self.clock.monotonic_s() - started_s)
            raise
        return await self.end_step(name, result, self.clock.monotonic_s() - started_s)

    async def begin_step(self, name: str) -> tuple[bool, Any]:
        """`(True, result)` when the step is on record already."""
        self._check()
        if name in self._used:
            await self._block(f"the code uses the step name {name!r} twice; step names are unique within a task")
        self._used.add(name)
        entry = self.actor.ahead.journal.last(name)
        if entry is not None and entry.status == "completed":
            return True, entry.result
        return False, None

    async def end_step(self, name: str, result: Any, took_s: float) -> Any:
        """Records the result and returns what the record will give back on a resume."""
        kept = _as_json(result, f"step {name!r}")
        self._note(c.CompleteStep(self.fence, name, kept, round(took_s, 6), self._progress), kept)
        if self._eager:
            await self._write()
        return kept

    async def fail_step(self, name: str, error: Exception, took_s: float) -> None:
        """Notes that the step raised; the record goes out with the attempt's failure or the next step."""
        self._used.discard(name)  # code may catch the error and try the step again
        if not self.stopping:
            self._note(c.FailStep(self.fence, name, classify(error).message, round(took_s, 6)))

    def report(self, share: float) -> None:
        """Keeps the progress, 0..1, for the next record."""
        self._progress = min(1.0, max(0.0, share))

    @property
    def progress(self) -> float | None:
        """What the code last reported, 0..1."""
        return self._progress

    async def _block(self, reason: str) -> None:
        self._note(c.Block(reason, self.fence))
        await self._write()
        self._stop = "superseded"
        raise Stopped

    # Recording

    def _note(self, command: c.TaskCommand, payload: Any = None) -> None:
        try:
            self.actor.note(command)
        except Refused:
            self._look()
            raise
        if payload is not None and not self._eager:
            self._noted_bytes += len(msgspec.json.encode(payload))
            self._eager = self._noted_bytes > RESULT_MAX_BYTES

    async def _write(self) -> None:
        """Returns when all that was noted is durable. Raises `Stopped` when another attempt has taken over."""
        try:
            await self._patiently(self.actor.flush)
        except Refused:
            self._look()
            if not self.stopping:
                raise
            raise Stopped from None

    async def _patiently(self, call: Callable[[], Any]) -> None:
        """Tries until the log is there: an outage stops no task, its record just waits."""
        while True:
            try:
                await call()
                return
            except Unavailable:
                await asyncio.sleep(_RETRY_WRITE_S * (0.5 + self.clock.roll()))

    def _failed(self, error: BaseException) -> None:
        event, skill = self.assignment.event, self.skill
        if self.stopping or (skill is None and not isinstance(error, Refused)):
            return
        failure = classify(error)
        state = self.actor.ahead
        if state.life.status != "running" or state.fence != self.fence:
            self._stop = "superseded"
            return
        retry = skill.retry if skill else None
        if retry is None:
            outcome: e.Outcome = "failed"
            at_ns = 0
        else:
            outcome, at_ns = after_failure(
                retry, failure, state.life.failures, event.max_retries, self.clock.now_ns(), self.clock.roll()
            )
        self.actor.note(c.Fail(self.fence, failure, outcome, at_ns))

    async def _finish(self) -> None:
        try:
            if self._stop == "cancel":
                self.actor.note(c.ConfirmCancel(self.fence))
            elif self._stop == "drain":
                self.actor.note(c.Interrupt(self.fence, f"node {self.fence.node} stops", counted=False))
            await self._patiently(self.actor.flush)
        except (Refused, Stopped):
            pass  # another attempt has taken over, or the task has ended: its record stands
        except TooLarge as error:
            self.actor.forget()
            self._failed(ValueError(f"what this attempt would record is too large: {error}"))
            await self._patiently(self.actor.flush)

    # What comes from outside

    async def observe(self, record: Record) -> None:
        """Takes in a commit that somebody else appended to this task."""
        try:
            if not self.actor.observe(record):
                await self._patiently(self.actor.catch_up)
        except Refused:
            pass
        self._look()

    def _look(self) -> None:
        """Stops the code when the state says so."""
        life = self.actor.state.life
        if self.actor.state.fence != self.fence or life.status not in ("scheduled", "running", "paused"):
            self.stop("superseded")
        elif life.status == "paused":
            self.stop("pause")
        elif life.cancel_requested:
            self.stop("cancel")

    def stop(self, why: Stop) -> None:
        """Ends the code: at once where it awaits, at its next step where it does not."""
        if not self.stopping and (self._code is None or not self._code.done()):
            self._stop = why
            if why not in ("pause", "drain"):
                self._cancel_code()

    def stop_now(self) -> None:
        """Does not wait for the next step any longer."""
        self._cancel_code()

    def _cancel_code(self) -> None:
        if self._code is not None and self._code is not asyncio.current_task():
            self._code.cancel()

    def _check(self) -> None:
        if self.stopping:
            raise Stopped


def _guarded(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Calls in a thread; StopIteration can't cross a future, so it is made an error that says so."""
    try:
        return function(*args, **kwargs)
    except StopIteration as error:
        raise RuntimeError("the code raised StopIteration") from error


def _as_json(value: Any, whose: str) -> Any:
    """The value as JSON gives it back."""
    if value is None:
        return value
    try:
        encoded = msgspec.json.encode(value)
        decoded = msgspec.json.decode(encoded)
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError, UnicodeError) as error:
        raise Refused(f"{whose} returned what JSON can't hold: {error}") from None
    if len(encoded) > RESULT_MAX_BYTES:
        raise Refused(f"{whose} returned {len(encoded)} bytes; results may have {RESULT_MAX_BYTES}")
    return decoded
