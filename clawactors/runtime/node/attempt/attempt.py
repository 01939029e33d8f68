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
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from clawactors.eventlog import Record
from clawactors.kernel.errors import Refused
from clawactors.runtime.context import ActorContext
from clawactors.runtime.memory import Memories
from clawactors.runtime.node.attempt.assigned import AssignedPhase, Assignment, start
from clawactors.runtime.node.attempt.ended import EndedPhase, log_failure, note_failure, note_result
from clawactors.runtime.node.attempt.journal import AttemptJournal
from clawactors.runtime.node.attempt.parking import Parking
from clawactors.runtime.node.attempt.parts import AttemptParts
from clawactors.runtime.node.attempt.phase import GENTLE, Phase, StopReason
from clawactors.runtime.node.attempt.running import Expiry, RunningPhase, run_code, write_beside
from clawactors.runtime.node.attempt.structured import end_tasks
from clawactors.runtime.node.attempt.undoing import undo_first
from clawactors.runtime.node.code import Code, TaskSuspended
from clawactors.runtime.node.codetasks import CodeTasks
from clawactors.runtime.node.heartbeat import TaskHeartbeat
from clawactors.runtime.node.supplies import Supplies
from clawactors.systems.skills import Skill
from clawactors.systems.tasks.lost import LostWork

__all__ = ["Attempt"]


class Attempt(AttemptParts):
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
        # Proxies: collecting attempts that are reference cycles took a quarter of a node's time.
        own = weakref.proxy(self)
        self.tasks, self.parking = CodeTasks(own), Parking(own)
        self.expiry = Expiry()
        self.earlier_waits: tuple[str, ...] = ()
        self.params: dict[str, Any] = {}
        self.next_params: dict[str, Any] = {}
        self.recovers: LostWork | None = None
        """What its skill is being asked about, before its code runs."""
        self.undo_limit: asyncio.Timeout | None = None  # of the undo that runs
        self.on_park: Callable[[str], None] | None = None
        """Called with its id when its code rests in memory: the slot is free."""
        self.on_wake: Callable[[str], None] | None = None
        """Called with its id when a parked attempt was woken and waits for a slot."""
        self.on_cancel: Callable[[], None] | None = None
        """Called when code in another process shall clean up."""
        self._loop, self._memories = asyncio.get_running_loop(), memories

    # Its life

    async def run(self) -> None:
        """Runs the code and records its end; returns when the record is durable or another attempt has taken over."""
        try:
            await start(self)
            await note_result(self, await self._result())
        except asyncio.CancelledError as error:
            if (own := asyncio.current_task()) is not None and own.cancelling():
                raise  # the node itself goes down
            note_failure(self, error)
        except BaseException as error:
            note_failure(self, error)
        finally:
            self.journal.close_window()
            self.__dict__.pop("answers", None)  # which refer to it
            ended = self.phase = EndedPhase(self.phase)
        await ended.record(self, undo_first)

    async def _result(self) -> Any:
        """What the code returns, once all that it started has ended. Raises: what it raises."""
        try:
            try:
                result = await run_code(self)
            finally:
                await end_tasks(self)
                if "steps" in self.__dict__:
                    self.steps.running.note_left()
            if self.assignment.is_resumed:
                await self.steps.close()
            return result
        except Exception as error:
            log_failure(self, error)
            raise
        finally:
            if "files" in self.__dict__:
                await self.files.close()
            if "values" in self.__dict__:
                await self.values.close_output()  # the output is stored before the end is

    def begin(self, code: Code) -> None:
        """The code has begun."""
        before = self.phase
        self.phase = RunningPhase(code)
        if before.reason is not None:  # stopped by what the code did up to its first wait
            self.stop(before.reason)

    async def resume(self, assignment: Assignment) -> None:
        """It has a slot for the attempt that woke it: the code goes on in place."""
        if self.journal.version < assignment.version:
            with contextlib.suppress(Refused):
                await self.retry_while_unavailable(self.journal.catch_up)
        self.parking.wake(assignment.at_ns)

    def stop(self, reason: StopReason) -> None:
        """Ends the code: at its next step for a gentle reason, else at once where it awaits."""
        before, self.phase = self.phase, self.phase.stop(reason)
        if self.phase is before:
            return
        self.parking.release()
        if "waits" in self.__dict__ and reason in GENTLE:
            self.waits.check_idle()
        elif reason == "cancel" and self.phase.code is not None and not self.phase.code.is_async:
            self._cancel_call(self.phase.code)

    def _cancel_call(self, code: Code) -> None:
        """Tells code that the loop can't cancel, in its present call or in the next one."""
        if self.on_cancel is not None:
            self.on_cancel()
        if "waits" in self.__dict__ and self.waits.listed():
            code.is_told = True
            self.waits.cancel()

    def on_tasks_changed(self) -> None:
        """One of its asyncio tasks has ended, so that it may only wait now."""
        if "waits" in self.__dict__:
            self.waits.check_idle()

    def open_window(self, *, gathers: bool = True) -> None:
        """What happens in the next moment goes into one commit."""
        self.journal.gathers = gathers
        self.journal.open_window(self.write_beside)
        if not gathers:
            self.write_beside()

    def write_beside(self) -> None:
        """Writes what was noted while the code goes on."""
        write_beside(self)

    def fail(self, error: BaseException) -> None:
        """Ends the code for what went wrong around it; nothing happens where it ends anyway."""
        self.phase = self.phase.fail(error)

    def suspend_code(self) -> None:
        """Unwinds the code where it awaits, without waiting for its next step."""
        if self.phase.code is not None:
            self.code_was_told = True
            self.phase.code.cancel(suspends=True)

    def leave_code(self) -> None:
        """Stops waiting for the code, or for the undo that runs, to end."""
        if self.phase.code is not None:
            self.phase.code.leave()
        if self.undo_limit is not None and not self.undo_limit.expired():
            self.undo_limit.reschedule(self._loop.time())

    @property
    def is_stopping(self) -> bool:
        """True once the code should end."""
        return self.phase.is_stopping

    @property
    def has_ended(self) -> bool:
        """True once the code is done or left behind."""
        return isinstance(self.phase, EndedPhase)

    def check(self) -> None:
        """Raises `TaskSuspended` where the code must not go on, and tells sync code that it is cancelled, once."""
        if self.phase.is_stopping:
            if not self.may_record:
                self.code_was_told = True
                raise TaskSuspended
            code = self.phase.code
            if code is not None and not code.is_async and not code.is_told:
                code.is_told = True
                raise asyncio.CancelledError

    @property
    def may_record(self) -> bool:
        """True while the code goes on, or cleans up after a cancel."""
        phase = self.phase
        return not phase.is_stopping or (phase.reason == "cancel" and phase.code is not None)

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
        if "waits" in self.__dict__:
            self.waits.notify()

    def apply_state(self) -> None:
        """Stops the code when the state of the task requires it."""
        journal = self.journal
        life = journal.state.life
        open_here = journal.is_parked(self.fence) or (
            life.status in ("scheduled", "running", "paused") and journal.state.fence == self.fence
        )
        if not open_here or journal.frozen:
            self.stop("superseded")
        elif life.status == "paused":
            self.stop("pause")
        elif (life.cancel_requested or (life.undo is not None and not journal.compensates)) and (
            self.parking.is_at_work
        ):
            self.stop("cancel")
            if life.cancel_now:
                self.leave_code()
