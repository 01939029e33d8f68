"""What attempts append to their tasks: all appends of a node to tasks go through this module.

1. A command is decided when it is noted; `flush` appends what was noted, in order.
2. While the journal gathers, nothing has to be written: what happens in the first 20 ms goes into one commit.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from clawactors.eventlog import Record, Unavailable
from clawactors.kernel.errors import Refused
from clawactors.kernel.fold import Snapshot
from clawactors.runtime.actor import Actor
from clawactors.runtime.context import ActorContext
from clawactors.runtime.node.attempt.assigned import Assignment
from clawactors.systems.tasks import Journal, Task
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.tasks.payload import INLINE_MAX_BYTES

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["WINDOW_S", "AttemptJournal", "interrupt", "load_task", "return_assignment", "submitted"]

WINDOW_S: Final = 0.02
_TURNS: Final = 6
"""So many turns of the loop take code that was woken to its end, or to where it is known that it only waits."""


class AttemptJournal:
    """The task's log in the hands of one attempt."""

    def __init__(self, context: ActorContext, assignment: Assignment) -> None:
        self._context, self._assignment = context, assignment
        self._actor: Actor[c.TaskCommand, Task, e.TaskEvent] = Actor(context, TASKS, assignment.id, assignment.known)
        self.gathers = True
        """True in the first moment of the attempt."""
        self.compensates = False
        """True once the code itself has its steps undone."""
        self.used: set[str] = set()
        """What of the record the code has come to: names of steps and sleeps, signals, ids of children."""
        self._noted_bytes = 0
        self._window: asyncio.Handle | None = None

    @property
    def state(self) -> Task:
        """The task as this node last saw it in the log."""
        return self._actor.state

    @property
    def ahead(self) -> Task:
        """The task with what was noted, though not all of it may be written."""
        return self._actor.ahead

    @property
    def entries(self) -> Journal:
        """The steps, sleeps and signals of the task, with what was noted."""
        return self._actor.ahead.journal

    @property
    def version(self) -> int:
        """Sequence of the last commit that `state` includes."""
        return self._actor.version

    @property
    def frozen(self) -> str:
        """Why this release can't go on with the task, '' where it can."""
        return self._actor.frozen

    def is_parked(self, fence: e.Fence) -> bool:
        """True while the log has the run of this attempt parked here, or woken and not started again."""
        life = self.state.life
        return (
            life.parked
            and (life.node, life.incarnation) == (fence.node, fence.incarnation)
            and life.attempt >= fence.attempt
        )

    @property
    def is_written(self) -> bool:
        """True while each step that was noted is on record."""
        return len(self.entries) <= len(self.state.journal)

    @property
    def is_much(self) -> bool:
        """True when what was noted fills a commit."""
        return self._noted_bytes > INLINE_MAX_BYTES

    # Reading

    async def load(self) -> None:
        """Asks for the whole task, with all that is in the log now. Raises: `Unavailable`, also where it is too old."""
        known = await load_task(self._context, self._assignment.id, at_least=-1)
        if known.version < self._assignment.version:
            raise Unavailable("what was told is older than the assignment")
        self._actor = Actor(self._context, TASKS, self._assignment.id, known)

    def observe(self, record: Record) -> bool:
        """Takes in a commit; False when some before it are missing: `catch_up` then. Raises: `Refused`."""
        return self._actor.observe(record)

    def catch_up(self) -> Awaitable[None]:
        """Reads what others appended. Raises: `Refused` where what was noted is illegal now."""
        return self._actor.catch_up()

    # Writing

    def note(self, command: c.TaskCommand, payload: Any = None) -> None:
        """Decides it now, to be written later; `payload` is what makes it large. Raises: `Refused`."""
        self._actor.note(command)
        if payload is not None and (self.gathers or type(command) is c.FailStep):
            self._noted_bytes += len(msgspec.json.encode(payload))
            self.gathers = self.gathers and not self.is_much

    def flush(self) -> Awaitable[bool]:
        """Returns when all that was noted is durable. Raises: as `Actor.flush`."""
        return self._actor.flush()

    def flushed(self) -> None:
        """What was noted is written: the next commit has room again."""
        self._noted_bytes = 0

    def open_window(self, on_close: Callable[[], None]) -> None:
        """Gathers for `WINDOW_S`, where it still does, and until what is under way then has run; then calls back."""
        if self.gathers:
            self._window = asyncio.get_running_loop().call_later(WINDOW_S, self._close, on_close, _TURNS)

    def _close(self, on_close: Callable[[], None], turns: int) -> None:
        if turns:  # where thousands begin, a turn of the loop takes longer than the window
            self._window = asyncio.get_running_loop().call_soon(self._close, on_close, turns - 1)
        else:
            self.gathers, self._window = False, None
            on_close()

    def close_window(self) -> None:
        """Cancels the callback."""
        if self._window is not None:
            self._window.cancel()
            self._window = None


async def load_task(context: ActorContext, id: str, *, at_least: int, brief: bool = False) -> Snapshot[Task]:
    """A task with all commits up to `at_least`, -1 for all in the log; `brief`: without its journal.

    Raises: `Unavailable`.
    """
    return (await context.dispatcher.snapshots.load(TASKS, id, at_least=at_least, brief=brief)).snapshot


async def submitted(attempt: "Attempt") -> e.Spec | None:
    """What was asked for: an assignment does not say all of it. Raises: `Unavailable`."""
    given = attempt.assignment
    if given.is_resumed:
        return attempt.journal.state.spec
    return (await load_task(attempt.context, attempt.id, at_least=given.version, brief=True)).state.spec


async def interrupt(context: ActorContext, id: str, fence: e.Fence, reason: str) -> None:
    """Records that the attempt is over though its code is not done. Raises: what the log raises."""
    actor = Actor(context, TASKS, id, await load_task(context, id, at_least=-1))
    with contextlib.suppress(Refused):
        await actor.handle(c.Interrupt(fence, reason))


async def return_assignment(context: ActorContext, assignment: Assignment, reason: str) -> None:
    """Gives back a task that has not begun. Raises: what the log raises."""
    unsure = assignment.unsure or assignment.event.wakes
    known = await load_task(context, assignment.id, at_least=-1) if unsure else assignment.known
    actor = Actor(context, TASKS, assignment.id, known)
    with contextlib.suppress(Refused):  # the task went elsewhere meanwhile
        await actor.handle(c.Return(assignment.fence, reason))
