"""The states that a control process decides on: its views, with all that it has folded and not written yet."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from clawactors.eventlog import Follower, Unavailable
from clawactors.kernel.fold import Snapshot
from clawactors.kernel.kind import Kind
from clawactors.runtime.snapshots import Known
from clawactors.systems.tasks.events import Spec, TaskError

__all__ = ["EndedState", "FoldedSnapshots", "States"]


class EndedState(Protocol):
    """How a task ended."""

    @property
    def status(self) -> str:
        """completed, failed, cancelled, dead or archived."""
        ...

    @property
    def version(self) -> int:
        """Sequence of the commit that ended it, or of a later one."""
        ...

    @property
    def result(self) -> Any:
        """What it returned, or a reference to it."""
        ...

    @property
    def error(self) -> TaskError | None:
        """Why it has no result."""
        ...

    @property
    def erased(self) -> bool:
        """What it returned was erased with all data of its user."""
        ...


class States(Protocol):
    """States of single aggregates, as of what was folded last."""

    def get(self, kind: str, id: str, *, brief: bool = False) -> tuple[Snapshot[Any], Mapping[str, int]]:
        """The aggregate, in the brief form of its kind or whole, and the command ids that it answers, by version."""
        ...

    def ended(self, ids: Sequence[str]) -> Mapping[str, "EndedState"]:
        """The tasks among them that have ended."""
        ...

    def specs_of(self, ids: Iterable[str]) -> Mapping[str, Spec]:
        """What was asked for, with its parameters; no entry where there is no such task."""
        ...


class FoldedSnapshots:
    """`folded` is called with each position that the fold has reached; callers that need a later one wait for it."""

    def __init__(self, states: Callable[[], States]) -> None:
        self._states = states
        self.position = 0
        self.taken = 0
        """Sequence of the last record that the fold has begun with."""
        self._follower: Follower | None = None
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._catching_up: asyncio.Task[None] | None = None

    def begin(self, follower: Follower, position: int) -> None:
        """From now on the fold goes on from there."""
        self._follower, self.position = follower, position

    def folded(self, position: int) -> None:
        """Everything up to that sequence is in the states."""
        self.position = position
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for seq, future in waiting:
                if seq > position:
                    self._waiting.append((seq, future))
                elif not future.done():
                    future.set_result(None)

    @property
    def states(self) -> States:
        """The states as of `position`."""
        return self._states()

    async def load(self, kind: Kind[Any, Any, Any], id: str, *, at_least: int = 0, brief: bool = False) -> Known:
        """The aggregate, once the fold is so far. Raises: `Unavailable`."""
        if at_least < 0:
            await self.fresh()
        elif at_least > self.position:
            await self._reached(at_least)
        snapshot, answered = self.states.get(kind.name, id, brief=brief)
        return Known(snapshot, answered)

    async def fresh(self) -> None:
        """Returns when the states hold all that was in the log at the call; callers of one turn share the question.

        Raises: `Unavailable`.
        """
        # One that is under way was asked before this call, so what came since may be missing in its answer.
        if self._catching_up is None:
            self._catching_up = asyncio.ensure_future(self._catch_up())
        await asyncio.shield(self._catching_up)

    async def _catch_up(self) -> None:
        await asyncio.sleep(0)
        self._catching_up = None  # later callers need a later answer
        if self._follower is None:
            raise Unavailable("the log is not followed yet")
        await self._follower.caught_up()
        # What comes after the last record is of kinds that nobody folds here: it never arrives.
        await self._reached(self.taken)

    async def _reached(self, seq: int) -> None:
        if seq > self.position:
            future = asyncio.get_running_loop().create_future()
            self._waiting.append((seq, future))
            await future
