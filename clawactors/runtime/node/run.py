"""One attempt of one task: the task actor. It runs the skill's code and keeps the journal.

1. What a step returned is on record before the code goes on, but for the first 20 ms of an attempt: what happens in
   them rides in one commit, so that a short task costs one append here.
2. A suspect, a task whose last run took its node with it, is on record as running before its code runs.
3. A refusal means that another attempt has taken over: the code is stopped and nothing more is recorded.
4. Only the code is ever cancelled, never its recording: once it has ended, its outcome goes into the log.
"""

import asyncio
import contextlib
import logging
import threading
import weakref
from collections.abc import Buffer, Callable
from concurrent.futures import Executor
from functools import cached_property
from typing import Any, Final, Literal, NoReturn

import msgspec

from clawactors.eventlog import Corrupt, Misconfigured, PermissionDenied, Record, TooLarge, Unavailable
from clawactors.kernel.errors import Refused
from clawactors.kernel.fold import Snapshot
from clawactors.runtime.actor import Actor, ActorContext
from clawactors.runtime.memory import Memories
from clawactors.runtime.node.capture import speaker
from clawactors.runtime.node.code import Code, Stopped
from clawactors.runtime.node.context import SyncTaskContext, TaskContext
from clawactors.runtime.node.failure import classify
from clawactors.runtime.node.isolation import run_isolated
from clawactors.runtime.node.memories import TaskMemories
from clawactors.runtime.node.metrics import NodeMetrics
from clawactors.runtime.node.output import TaskOutput
from clawactors.runtime.node.predecessors import Predecessors
from clawactors.runtime.node.results import encoded_and_decoded, is_large
from clawactors.runtime.node.signals import Signals
from clawactors.runtime.node.steps import Steps
from clawactors.runtime.node.supplies import Supplies
from clawactors.systems.skills import Skill
from clawactors.systems.tasks import Task
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.tasks.payload import INLINE_MAX_BYTES, PAYLOAD_MAX_BYTES, is_reference, shown_size
from clawactors.systems.tasks.retry import Verdict, after_failure
from clawactors.systems.tasks.task import assigned

__all__ = ["Assignment", "Stop", "TaskRun"]

WINDOW_S: Final = 0.02
_RETRY_WRITE_S: Final = 0.2

type Stop = Literal["", "pause", "drain", "cancel", "lost", "superseded"]
_STRENGTH: Final[dict[Stop, int]] = {"": 0, "pause": 1, "drain": 1, "cancel": 2, "lost": 3, "superseded": 4}
"""A stronger reason replaces a weaker one."""
_GENTLE: Final = ("", "pause", "drain")
"""These leave the code to reach its next step."""

_log = logging.getLogger(__name__)
_making = threading.Lock()


class Assignment(msgspec.Struct, frozen=True, gc=False):
    """What `task.scheduled` brought: enough to run the task without reading anything.

    `unsure`: something has come since, or nobody guarded the append, so the task's own log has to be asked first.
    """

    id: str
    version: int
    event: e.Scheduled
    at_ns: int
    unsure: bool = False

    @property
    def fence(self) -> e.Fence:
        """The run that this assignment is for."""
        return e.Fence(self.event.node, self.event.incarnation, self.event.attempt)

    @property
    def known(self) -> Snapshot[Task]:
        """The task as far as the node knows it by now."""
        return Snapshot(assigned(self.event, self.at_ns), self.version)


class TaskRun:
    """The actor of one attempt; `run` is its life."""

    def __init__(
        self,
        context: ActorContext,
        assignment: Assignment,
        skill: Skill | None,
        threads: Executor,
        supplies: Supplies,
        pulse: NodeMetrics | None = None,
        memories: Memories | None = None,
    ) -> None:
        self.context, self.assignment, self.skill, self.threads = context, assignment, skill, threads
        self.supplies = supplies
        self.pulse = pulse or NodeMetrics(context.clock)
        self.id, self.fence, self.clock = assignment.id, assignment.fence, context.clock
        self.actor: Actor[c.TaskCommand, Task, e.TaskEvent] = Actor(context, TASKS, self.id, assignment.known)
        self._loop = asyncio.get_running_loop()
        self._stop: Stop = ""
        self.eager = False
        self._noted_bytes = 0
        self._memories = memories
        self.progress: float | None = None  # what the code last reported, 0..1
        self._output: TaskOutput | None = None
        self._code: Code | None = None
        self._verdict: BaseException | None = None
        self.on_cleared: Callable[[], None] | None = None
        self.over = False
        self._window: asyncio.TimerHandle | None = None
        self._background: set[asyncio.Task[None]] = set()

    # Its parts are made when they are asked for: most runs need few. In circles with them, each run would have to wait
    # for the garbage collector.

    @cached_property
    def steps(self) -> Steps:
        """The steps that its code takes."""
        return Steps(weakref.proxy(self))

    @cached_property
    def signals(self) -> Signals:
        """The signals that its code takes."""
        return Signals(weakref.proxy(self))

    @cached_property
    def predecessors(self) -> Predecessors:
        """What the tasks that this one came after have returned."""
        return Predecessors(weakref.proxy(self))

    @cached_property
    def memories(self) -> TaskMemories:
        """What its code remembers and recalls."""
        return TaskMemories(weakref.proxy(self), self._memories)

    @property
    def goes_on(self) -> bool:
        """True while the log has this very run going."""
        state = self.actor.state
        return state.life.status == "running" and state.fence == self.fence

    @property
    def stopping(self) -> bool:
        """True once the code should end."""
        return self.over or self._stop != "" or self._verdict is not None

    async def run(self) -> None:
        """Runs the code and records its end; returns when the record is durable or another attempt has taken over."""
        try:
            await self._start()
            try:
                result = await self._call_skill()
                if self._is_resumed:
                    await self.steps.close()
            finally:
                if self._output is not None:
                    await self._output.aclose()  # what it said is there before its end is
            record = (await self.kept(result, "the skill"))[1]
            if self._stop in ("", "drain") and self._verdict is None:
                self.actor.note(c.Complete(self.fence, record))
            else:
                self._failed(Stopped())
        except asyncio.CancelledError as error:
            if (own := asyncio.current_task()) is not None and own.cancelling():
                raise  # the node itself goes down
            self._failed(error)
        except BaseException as error:
            self._failed(error)
        finally:
            self.over, self._code = True, None
            if self._window is not None:
                self._window.cancel()
                self._window = None
        if self._stop not in ("superseded", "pause"):
            await self._finish()

    @property
    def _is_resumed(self) -> bool:
        """Whether there may be completed steps."""
        event = self.assignment.event
        return event.attempt > 1 or event.steps > 0 or self.assignment.unsure

    async def _start(self) -> None:
        event = self.assignment.event
        if self._is_resumed:
            self.actor = Actor(self.context, TASKS, self.id)
            await self.retry_while_unavailable(self._read)
            self.signals.are_all_known()
            self._look()
            self.check()
        self.note(c.StartTask(self.fence))
        if event.interruptions:
            await self.write()
            self.eager = True

    async def _read(self) -> None:
        await self.actor.catch_up()
        if self.actor.version < self.assignment.version:
            raise Unavailable("what was read is older than the assignment")

    def _close_window(self) -> None:
        self.eager, self._window = True, None
        task = asyncio.ensure_future(self._write_beside())
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _write_beside(self) -> None:
        """Writes while the code goes on; an error ends the code, for what it believes to be recorded is not."""
        try:
            await self.write()
        except Stopped:
            pass
        except Exception as error:
            self._give_up(error)

    def _give_up(self, verdict: BaseException) -> None:
        if self._code is not None and not self._code.ended and not self.stopping:
            self._verdict = verdict
            self._code.cancel()

    def _expire(self, timeout_s: float) -> None:
        self._give_up(TimeoutError(f"the attempt took longer than {timeout_s:g} s"))
        if self._code is not None and self.skill is not None and self.skill.in_thread:
            self._code.leave()  # a thread can't be ended, and its time is over

    async def _call_skill(self) -> Any:
        skill, event = self.skill, self.assignment.event
        if skill is None:
            raise Refused(f"this node has no skill {event.skill!r}")
        params = event.params
        if is_reference(params):
            params = await self.whole(params, "its parameters")
        arguments = skill.arguments(params)
        loop = asyncio.get_running_loop()
        speaker.set(self.speak)
        if skill.isolate:
            code = Code.begin(run_isolated(self, skill, params))
        elif skill.is_async:
            code = Code.begin(skill.function(TaskContext(self), **arguments))
        else:
            handle = SyncTaskContext(self, loop)
            code = Code.begin_in_thread(self.threads, lambda: skill.function(handle, **arguments))
        self._code = code
        if not (code.ended or self.eager):
            self._window = loop.call_later(WINDOW_S, self._close_window)
        if self._stop not in _GENTLE:
            code.cancel()
        timeout_s = event.timeout_s or skill.timeout_s
        if timeout_s is None or code.ended:
            return await code.outcome()
        expiry = loop.call_later(timeout_s, self._expire, timeout_s)
        try:
            return await code.outcome()
        finally:
            expiry.cancel()

    # Values

    async def kept(self, result: Any, whose: str) -> tuple[Any, Any]:
        """What code gets back of a result, and what goes on record: the same, or a reference where it is large."""
        encoded, kept = encoded_and_decoded(result, whose)
        if self.skill is not None and self.skill.secrets:
            self.supplies.secrets.check(encoded, self.skill.secrets, whose)
        if is_large(encoded, kept):
            return kept, await self.retry_while_unavailable(lambda: self.supplies.payloads.keep(encoded, whose))
        return kept, kept

    async def whole(self, value: Any, what: str) -> Any:
        """What a reference stands for; without it the task can't go on, and a person has to look."""
        try:
            return await self.retry_while_unavailable(lambda: self.supplies.payloads.whole(value))
        except (Corrupt, Refused) as error:
            await self.block(f"{what} can't be had: {error}")

    async def store(self, body: Buffer) -> dict[str, Any]:
        """See `TaskContext.store`."""
        self.check()
        size_bytes = memoryview(body).nbytes
        if size_bytes > PAYLOAD_MAX_BYTES:
            raise Refused(
                f"{shown_size(size_bytes)} are more than the {shown_size(PAYLOAD_MAX_BYTES)} that can be stored"
            )
        return {
            "blob": await self.retry_while_unavailable(lambda: self.supplies.payloads.blobs.put(body)),
            "bytes": size_bytes,
        }

    def speak(self) -> TaskOutput:
        """Where its code says what it says on the way. May be called in any thread."""
        with _making:
            if self._output is None:
                self._output = TaskOutput(self.supplies, self.id, self.fence, self._loop)
            return self._output

    def secret(self, name: str) -> str:
        """See `TaskContext.secret`."""
        if self.skill is None or name not in self.skill.secrets:
            whose = self.skill.name if self.skill else "the skill"
            raise Refused(f"skill {whose!r} asks for no secret {name!r}: name it in @skill(…, secrets=[…])")
        value = self.supplies.secrets.value(name)
        if value is None:
            raise Refused(f"node {self.fence.node} holds no secret {name!r}")
        return value

    def report(self, share: float) -> None:
        """Keeps the progress, 0..1, for the next record; a sign of life."""
        self.progress = min(1.0, max(0.0, float(share)))
        self.pulse.beat()

    async def suspend(self, command: c.Wait | c.Block) -> NoReturn:
        """Ends this attempt for now: the command is on record, the code unwinds, the slot is free."""
        await self.record(command)
        self.unwind()

    async def record(self, command: c.TaskCommand) -> None:
        """On record when it returns; the version decides, so it may have come to nothing."""
        self.note(command)
        await self.write()

    def unwind(self) -> NoReturn:
        """Ends the code of this attempt, which is over."""
        self._stop = "superseded"
        raise Stopped

    async def block(self, reason: str) -> NoReturn:
        """Ends this attempt until a person has looked."""
        await self.suspend(c.Block(reason, self.fence))

    # Recording

    def note(self, command: c.TaskCommand, payload: Any = None) -> None:
        """Decides it now, to be written later; `payload` is what makes it large. Raises `Refused`."""
        try:
            self.actor.note(command)
        except Refused:
            self._look()
            raise
        if payload is not None and (not self.eager or type(command) is c.FailStep):
            self._noted_bytes += len(msgspec.json.encode(payload))
            self.eager = self.eager or self._noted_bytes > INLINE_MAX_BYTES

    async def write(self) -> None:
        """Returns when all that was noted is durable. Raises `Stopped` when another attempt has taken over."""
        try:
            await self.retry_while_unavailable(self.actor.flush)
            self._noted_bytes = 0
        except Refused:
            self._look()
            if not self.stopping:
                raise
            raise Stopped from None

    async def go_on_record(self) -> None:
        """What was noted is durable when it returns, but for the first moment of an attempt, which gathers."""
        if self.eager:
            await self.write()
            if self.on_cleared is not None:  # it got further than the runs that took their nodes with them
                self.on_cleared()
                self.on_cleared = None

    async def relieve(self) -> None:
        """Writes what was noted where it has become much."""
        if self._noted_bytes > INLINE_MAX_BYTES:
            await self.write()

    async def retry_while_unavailable(self, call: Callable[[], Any]) -> Any:
        """Tries until the log is there: an outage stops no task, its record just waits."""
        while True:
            try:
                return await call()
            except Unavailable:
                pass
            except PermissionDenied:
                raise  # then nothing that this node runs can be recorded
            except Misconfigured as error:
                _log.error("task %s: %s", self.id, error)
            await asyncio.sleep(_RETRY_WRITE_S * (0.5 + self.clock.roll()))

    def _failed(self, error: BaseException) -> None:
        """Notes how the attempt failed, unless something else is to be recorded than that."""
        if self._stop:
            return
        state, event = self.actor.ahead, self.assignment.event
        if state.life.status != "running" or state.fence != self.fence:
            if isinstance(error, asyncio.CancelledError):
                return  # it was giving way, and has noted that
            if not isinstance(error, Refused | Stopped):
                raise error
            self._stop = "superseded"
            return
        failure, strategy = classify(self._verdict or error, self.skill.errors if self.skill else ())
        failure = e.TaskError(failure.kind, self.supplies.secrets.hide(failure.message))
        verdict = Verdict("failed")
        if self.skill is not None:
            verdict = after_failure(
                self.skill.retry,
                strategy,
                state.life.failures,
                event.max_retries,
                self.context.time.now_ns(),
                self.clock.roll(),
            )
        then = (verdict.then, verdict.retry_at_ns, verdict.elsewhere, verdict.max_retries)
        self.actor.note(c.Fail(self.fence, failure, *then))

    def _note_stop(self) -> None:
        """Notes why the code was stopped; it may be refused where the code was just giving way, and that is noted."""
        with contextlib.suppress(Refused):
            if self._stop == "cancel":
                self.actor.note(c.ConfirmCancel(self.fence))
            elif self._stop in ("drain", "lost"):
                reason = "stops" if self._stop == "drain" else "was believed dead"
                self.actor.note(c.Interrupt(self.fence, f"node {self.fence.node} {reason}", counted=False))

    async def _finish(self) -> None:
        if self._stop:
            self._note_stop()
        try:
            await self.retry_while_unavailable(self.actor.flush)
        except Refused:
            pass  # another attempt has taken over, or the task has ended: its record stands
        except TooLarge as error:
            self._failed(ValueError(f"what this attempt would record is too large: {error}"))
            await self.retry_while_unavailable(self.actor.flush)

    # What comes from outside

    async def observe(self, record: Record) -> None:
        """Takes in a commit that somebody else appended to this task."""
        try:
            if not self.actor.observe(record):
                await self.retry_while_unavailable(self.actor.catch_up)
        except Refused:
            pass
        self._look()
        self.signals.look()

    def _look(self) -> None:
        """Stops the code when the state says so."""
        life = self.actor.state.life
        open_here = life.status in ("scheduled", "running", "paused") and self.actor.state.fence == self.fence
        if not open_here or self.actor.frozen:
            self.stop("superseded")
        elif life.status == "paused":
            self.stop("pause")
        elif life.cancel_requested:
            self.stop("cancel")

    def stop(self, why: Stop) -> None:
        """Ends the code: at once where it awaits, at its next step where it does not."""
        if self.over or _STRENGTH[why] <= _STRENGTH[self._stop]:
            return
        self._stop = why
        if why not in _GENTLE:
            self.stop_now()

    def stop_now(self) -> None:
        """Does not wait for the next step any longer."""
        if self._code is not None:
            self._code.cancel()

    def leave(self) -> None:
        """Does not wait for the code to end any longer."""
        if self._code is not None:
            self._code.leave()

    def check(self) -> None:
        """Raises `Stopped` where the code must not go on."""
        if self.stopping:
            raise Stopped
