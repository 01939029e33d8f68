"""How a client changes tasks: decided here, appended like everything else.

1. What comes for a task while a change of it is being written leaves together afterwards, in the order of the calls:
   ten thousand signals are a few commits.
2. Each call is refused for what it asks itself, never for what leaves with it.
"""

import asyncio
from collections import deque
from typing import Final, NamedTuple

from clawactors.eventlog import EventLogError
from clawactors.kernel.errors import NotFound, Refused
from clawactors.kernel.fold import Snapshot
from clawactors.runtime.actor import ActorContext
from clawactors.runtime.payloads import Payloads
from clawactors.runtime.taskactor import TaskActor, actor_of
from clawactors.systems.tasks import Task
from clawactors.systems.tasks import commands as c

__all__ = ["Changes"]

_TOGETHER: Final = 2000


class _Ask(NamedTuple):
    command: c.TaskCommand
    answer: asyncio.Future[Snapshot[Task]]


class Changes:
    """Takes commands for tasks."""

    def __init__(self, context: ActorContext, payloads: Payloads) -> None:
        self._context, self._payloads = context, payloads
        self._asked: dict[str, deque[_Ask]] = {}
        self._making: set[asyncio.Task[None]] = set()

    async def make(self, id: str, command: c.TaskCommand) -> Snapshot[Task]:
        """The task after the command. Raises: `NotFound`, `Refused`; what the log raises."""
        ask = _Ask(command, asyncio.get_running_loop().create_future())
        if (asked := self._asked.get(id)) is not None:
            asked.append(ask)
        else:
            self._asked[id] = deque((ask,))
            making = asyncio.create_task(self._make(id))
            self._making.add(making)
            making.add_done_callback(self._making.discard)
        return await ask.answer

    async def _make(self, id: str) -> None:
        """Carries out what is asked of one task until nothing more is."""
        asked, actor = self._asked[id], actor_of(self._context, id)
        is_read = False
        while asked:
            asks = [asked.popleft() for _ in range(min(len(asked), _TOGETHER))]
            try:
                if is_new := not is_read:
                    await actor.catch_up()
                    is_read = True
                await self._write(actor, asks, is_fresh=is_new)
            except Exception as error:  # it is the callers' own; those after them begin anew
                actor, is_read = actor_of(self._context, id), False
                for ask in asks:
                    _end(ask, error)
        del self._asked[id]

    async def _write(self, actor: TaskActor, asks: list[_Ask], *, is_fresh: bool) -> None:
        """All of them in one commit, but for those that are refused on a fresh state."""
        if not actor.state.exists:
            raise NotFound(f"there is no task {actor.id!r}")
        asks = [kept for ask in asks if (kept := await self._stored(ask)) is not None]
        while asks:
            noted: list[_Ask] = []
            refused: list[tuple[_Ask, Refused]] = []
            for ask in asks:
                try:
                    actor.note(ask.command)
                except Refused as refusal:
                    refused.append((ask, refusal))
                else:
                    noted.append(ask)
            try:
                await actor.flush()
            except Refused:
                is_fresh = True
                continue  # others were first, and something of it is illegal now: each is decided again
            for ask in noted:
                _end(ask, Snapshot(actor.state, actor.version))
            if is_fresh:
                for ask, reason in refused:
                    _end(ask, reason)
                return
            if asks := [ask for ask, _ in refused]:
                await actor.catch_up()  # a refusal is a read: never believe it on a stale state
                is_fresh = True

    async def _stored(self, ask: _Ask) -> _Ask | None:
        """What is asked, with what is large of it put away; None where that can't be, which its caller is told."""
        try:
            return ask._replace(command=await self._payloads.stored(ask.command))
        except (Refused, EventLogError) as error:
            _end(ask, error)
            return None

    async def look(self, id: str) -> Task:
        """The task as the log has it. Raises: `NotFound`, `Refused`."""
        actor = actor_of(self._context, id)
        await actor.catch_up()
        if not actor.state.exists:
            raise NotFound(f"there is no task {id!r}")
        return actor.state


def _end(ask: _Ask, outcome: Snapshot[Task] | Exception) -> None:
    if ask.answer.done():
        return
    if isinstance(outcome, Exception):
        ask.answer.set_exception(outcome)
    else:
        ask.answer.set_result(outcome)
