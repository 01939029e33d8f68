"""Recording: what an attempt notes and writes to the log of its task.

A refusal means that another attempt has taken over, or that somebody wants something else of the task.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, Final, NoReturn

from clawactors.kernel.errors import Refused
from clawactors.runtime.clock import Clock
from clawactors.runtime.node.attempt.journal import AttemptJournal
from clawactors.runtime.node.attempt.phase import Phase
from clawactors.runtime.node.attempt.stopping import StoppingPhase
from clawactors.runtime.node.code import TaskSuspended
from clawactors.runtime.node.retry import retry_while_unavailable
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e

__all__ = ["RecordingAttempt"]

_RETRY_WRITE_S: Final = 0.2


class RecordingAttempt(ABC):
    """An attempt as far as it records."""

    id: str
    fence: e.Fence
    clock: Clock
    journal: AttemptJournal
    phase: Phase
    crashed_by: str = ""
    """What ended the process of its code, beside its node."""
    on_cleared: Callable[[], None] | None = None
    """Called once a suspect has recorded a step: it got further than the attempts before it."""

    @abstractmethod
    def apply_state(self) -> None:
        """Stops the code when the state of the task requires it."""

    @abstractmethod
    def check(self) -> None:
        """Raises `TaskSuspended` where the code must not go on."""

    @property
    @abstractmethod
    def has_ended(self) -> bool:
        """True once the code is done or left behind."""

    def note(self, command: c.TaskCommand, payload: Any = None) -> None:
        """Decides it now, to be written later; `payload` is what makes it large. Raises: `Refused`."""
        try:
            self.journal.note(command, payload)
        except Refused:
            self.apply_state()
            raise

    def note_recalled(self, ids: Iterable[str]) -> None:
        """Notes that the code was given what repeats these memories; what is known already is quiet."""
        known = frozenset(self.journal.ahead.life.recalled)
        if fresh := tuple(dict.fromkeys(id for id in ids if id not in known)):
            self.note(c.NoteRecalled(self.fence, fresh))

    async def write(self) -> None:
        """Returns when all that was noted is durable. Raises: `TaskSuspended` when another attempt has taken over."""
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

    async def block(self, reason: str) -> NoReturn:
        """Ends this attempt until a person has decided: the code unwinds."""
        await self.record(c.Block(reason, self.fence))
        self.unwind()

    def unwind(self) -> NoReturn:
        """Ends the code of this attempt, which is over."""
        if not self.has_ended:
            self.phase = StoppingPhase("superseded", self.phase.code, self.phase.error)
        raise TaskSuspended

    def retry_while_unavailable[T](self, call: Callable[[], Awaitable[T]]) -> Coroutine[Any, Any, T]:
        """Tries until the log answers: an outage stops no task, its record just waits."""
        return retry_while_unavailable(call, self._pause_s, f"task {self.id}")

    def _pause_s(self) -> float:
        return _RETRY_WRITE_S * (0.5 + self.clock.roll())
