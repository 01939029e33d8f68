"""One attempt of one task: runs the skill's code and records what it does.

1. The result of a step is recorded before the code goes on, except in the first 20 ms of an attempt: what happens in
   them goes into one commit, so that a short task costs one append here.
2. A suspect, a task whose last attempt ended with the loss of its node, is recorded as running before its code runs.
3. A refusal means that another attempt has taken over: the code is stopped and nothing more is recorded.
4. Only the code is ever cancelled, never its recording: once it has ended, its outcome goes into the log.
"""

import asyncio
import contextlib
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Executor
from functools import cached_property
from typing import Any, Final, NoReturn

from clawactors.eventlog import Record
from clawactors.kernel.errors import Refused
from clawactors.runtime.context import ActorContext
from clawactors.runtime.memory import Memories
from clawactors.runtime.node.attempt.assigned import AssignedPhase, Assignment, start
from clawactors.runtime.node.attempt.ended import EndedPhase, log_failure, note_failure, note_result
from clawactors.runtime.node.attempt.journal import AttemptJournal
from clawactors.runtime.node.attempt.phase import Phase, StopReason
from clawactors.runtime.node.attempt.running import RunningPhase, run_code
from clawactors.runtime.node.attempt.stopping import StoppingPhase
from clawactors.runtime.node.attempt.undoing import undo_first
from clawactors.runtime.node.attempt.values import AttemptValues
from clawactors.runtime.node.code import Code, Stopped
from clawactors.runtime.node.heartbeat import TaskHeartbeat
from clawactors.runtime.node.memories import TaskMemories
from clawactors.runtime.node.predecessors import Predecessors
from clawactors.runtime.node.retry import retry_while_unavailable
from clawactors.runtime.node.signals import TaskSignals
from clawactors.runtime.node.steps import Steps
from clawactors.runtime.node.supplies import Supplies
from clawactors.systems.skills import Skill
from clawactors.systems.tasks import commands as c

__all__ = ["Attempt"]

_RETRY_WRITE_S: Final = 0.2


class Attempt:
    """The state machine of one attempt; `run` is its life, `phase` where it is."""

    def __init__(
        self,
        context: ActorContext,
        assignment: Assignment,
        skill: Skill | None,
        threads: Executor,
        supplies: Supplies,
        heartbeat: TaskHeartbeat | None = None,
        memories: Memories | None = None,
    ) -> None:
        self.context, self.assignment, self.skill, self.threads = context, assignment, skill, threads
        self.supplies = supplies
        self.heartbeat = heartbeat or TaskHeartbeat(context.clock)
        self.id, self.fence, self.clock = assignment.id, assignment.fence, context.clock
        self.journal = AttemptJournal(context, assignment)
        self.phase: Phase = AssignedPhase()
        self.code_was_told = False  # that it should end: what it returns because its node stops is no result
        self.on_cleared: Callable[[], None] | None = None
        """Called once a suspect has recorded a step: it got further than the attempts before it."""
        self._loop, self._memories = asyncio.get_running_loop(), memories
        self.background: asyncio.Task[None] | None = None  # a write beside the code

    # Parts are made on first use: most attempts need few. They hold proxies: in reference cycles each attempt would
    # have to wait for the garbage collector.

    @cached_property
    def values(self) -> AttemptValues:
        """Its results, payloads, secrets and output."""
        return AttemptValues(weakref.proxy(self), self._loop)

    @cached_property
    def steps(self) -> Steps:
        """The steps that its code takes."""
        return Steps(weakref.proxy(self))

    @cached_property
    def signals(self) -> TaskSignals:
        """The signals that its code takes."""
        return TaskSignals(weakref.proxy(self))

    @cached_property
    def predecessors(self) -> Predecessors:
        """What the tasks that this one came after have returned."""
        return Predecessors(weakref.proxy(self))

    @cached_property
    def memories(self) -> TaskMemories:
        """What its code remembers and recalls."""
        return TaskMemories(weakref.proxy(self), self._memories)

    # Its life

    async def run(self) -> None:
        """Runs the code and records its end; returns when the record is durable or another attempt has taken over."""
        try:
            await start(self)
            try:
                result = await run_code(self)
                if self.assignment.is_resumed:
                    await self.steps.close()
            except Exception as error:
                log_failure(self, error)
                raise
            finally:
                if "values" in self.__dict__:
                    await self.values.close_output()  # the output is stored before the end is
            await note_result(self, result)
        except asyncio.CancelledError as error:
            if (own := asyncio.current_task()) is not None and own.cancelling():
                raise  # the node itself goes down
            note_failure(self, error)
        except BaseException as error:
            note_failure(self, error)
        finally:
            self.journal.close_window()
            ended = self.phase = EndedPhase(self.phase)
        await ended.record(self, undo_first)

    def begin(self, code: Code) -> None:
        """The code has begun."""
        before = self.phase
        self.phase = RunningPhase(code)
        if before.reason is not None:  # stopped by what the code did up to its first wait
            self.stop(before.reason)

    def stop(self, reason: StopReason) -> None:
        """Ends the code: at its next step for a gentle reason, else at once where it awaits."""
        self.phase = self.phase.stop(reason)

    def fail(self, error: BaseException) -> None:
        """Ends the code for what went wrong around it; nothing happens where it ends anyway."""
        self.phase = self.phase.fail(error)

    def cancel_code(self) -> None:
        """Cancels the code without waiting for its next step."""
        if self.phase.code is not None:
            self.code_was_told = True
            self.phase.code.cancel()

    def leave_code(self) -> None:
        """Stops waiting for the code to end."""
        if self.phase.code is not None:
            self.phase.code.leave()

    @property
    def is_stopping(self) -> bool:
        """True once the code should end."""
        return self.phase.is_stopping

    @property
    def has_ended(self) -> bool:
        """True once the code is done or left behind."""
        return isinstance(self.phase, EndedPhase)

    def check(self) -> None:
        """Raises `Stopped` where the code must not go on."""
        if self.phase.is_stopping:
            raise Stopped

    @property
    def is_current(self) -> bool:
        """True while the log has this very attempt running."""
        state = self.journal.state
        return state.life.status == "running" and state.fence == self.fence

    # What others append to the task

    async def observe(self, record: Record) -> None:
        """Takes in a commit that another process appended."""
        with contextlib.suppress(Refused):
            if not self.journal.observe(record):
                await self.retry_while_unavailable(self.journal.catch_up)
        self.apply_state()
        if "signals" in self.__dict__:
            self.signals.notify()

    def apply_state(self) -> None:
        """Stops the code when the state of the task requires it."""
        journal = self.journal
        life = journal.state.life
        open_here = life.status in ("scheduled", "running", "paused") and journal.state.fence == self.fence
        if not open_here or journal.frozen:
            self.stop("superseded")
        elif life.status == "paused":
            self.stop("pause")
        elif life.cancel_requested or (life.undo is not None and not journal.compensates):
            self.stop("cancel")

    # Recording

    def note(self, command: c.TaskCommand, payload: Any = None) -> None:
        """Decides it now, to be written later; `payload` is what makes it large. Raises: `Refused`."""
        try:
            self.journal.note(command, payload)
        except Refused:
            self.apply_state()
            raise

    async def write(self) -> None:
        """Returns when all that was noted is durable. Raises: `Stopped` when another attempt has taken over."""
        try:
            await self.retry_while_unavailable(self.journal.flush)
            self.journal.flushed()
        except Refused:
            self.apply_state()
            self.check()
            raise

    async def persist(self) -> None:
        """What was noted is durable when it returns, except while the journal gathers."""
        if not self.journal.gathers:
            await self.write()
            if self.on_cleared is not None:
                self.on_cleared()
                self.on_cleared = None

    async def record(self, command: c.TaskCommand) -> None:
        """Recorded when it returns; the version decides, so it may have come to nothing."""
        self.note(command)
        await self.write()

    async def suspend(self, command: c.Wait | c.Block) -> NoReturn:
        """Ends this attempt for now: the command is recorded, the code unwinds, the slot is free."""
        await self.record(command)
        self.unwind()

    async def block(self, reason: str) -> NoReturn:
        """Ends this attempt until a person has decided."""
        await self.suspend(c.Block(reason, self.fence))

    def unwind(self) -> NoReturn:
        """Ends the code of this attempt, which is over."""
        if not self.has_ended:
            self.phase = StoppingPhase("superseded", self.phase.code, self.phase.error)
        raise Stopped

    def retry_while_unavailable[T](self, call: Callable[[], Awaitable[T]]) -> Coroutine[Any, Any, T]:
        """Tries until the log answers: an outage stops no task, its record just waits."""
        return retry_while_unavailable(call, self._pause_s, f"task {self.id}")

    def _pause_s(self) -> float:
        return _RETRY_WRITE_S * (0.5 + self.clock.roll())
