"""Carries out what placement proposes: each command once, on the version of its task that it was proposed for."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from functools import partial

from msgspec.structs import replace

from clawactors.eventlog import NoSpace, TooLarge, Unavailable, WrongVersion
from clawactors.kernel.errors import Refused
from clawactors.kernel.fold import Snapshot
from clawactors.runtime.call import Answer, Call
from clawactors.runtime.control.background import PAUSE_S, ControlBackground
from clawactors.runtime.control.folded import FoldedSnapshots
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.runtime.seldom import SeldomLogger
from clawactors.systems.placement import Placement, PlannedCommand
from clawactors.systems.tasks import Task
from clawactors.systems.tasks import commands as tc
from clawactors.systems.tasks.kind import TASKS

__all__ = ["PlannedCommandWriter"]

_seldom = SeldomLogger(logging.getLogger(__name__))


class PlannedCommandWriter:
    """`done` is called when a batch is carried out: more may follow from it."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        placement: Placement,
        snapshots: FoldedSnapshots,
        background: ControlBackground,
        done: Callable[[], None],
    ) -> None:
        self._dispatcher, self._placement, self._snapshots = dispatcher, placement, snapshots
        self._background, self._done = background, done

    async def write(self, planned: Sequence[PlannedCommand]) -> None:
        """Returns when each is stored, lost a race, or is proposed again."""
        whole: list[tuple[PlannedCommand, Task]] = []
        again: list[PlannedCommand] = []
        specs = self._snapshots.states.specs_of(each.id for each in planned if _takes_parameters(each))
        for each in planned:
            if not _takes_parameters(each):
                whole.append((each, each.task))
            elif (spec := specs.get(each.id)) is not None:
                whole.append((each, replace(each.task, spec=spec)))
            else:  # a task is never run without its parameters
                again.append(each)
        calls = [
            Call(TASKS, each.id, (each.command,), known=Snapshot(task, each.version), once=True) for each, task in whole
        ]
        outcomes = await self._dispatcher.send_many(calls)
        for (each, _), outcome in zip(whole, outcomes, strict=True):
            match outcome:
                case Answer() | WrongVersion():
                    pass  # the follower brings what was stored, and with it what follows from it
                case TooLarge():
                    self._background.insist(partial(self._block, each, outcome))
                case _:
                    if not isinstance(outcome, Refused):
                        again.append(each)
                    if isinstance(outcome, NoSpace):
                        _seldom.warning("placement: task %s has to wait, and others with it: %s", each.id, outcome)
                    elif not isinstance(outcome, Unavailable):
                        _seldom.error("placement: task %s: %s", each.id, outcome)
        if again:
            await asyncio.sleep(PAUSE_S)
            for each in again:
                if self._placement.is_limited(each):  # its place is free only once it is known not to be stored
                    self._background.insist(partial(self._withdraw, each))
                else:
                    self._placement.withdraw(each)
        self._done()

    async def _withdraw(self, planned: PlannedCommand) -> None:
        await self._snapshots.fresh()
        known, _ = self._snapshots.states.get(TASKS.name, planned.id, brief=True)
        if known.version == planned.version:
            self._placement.withdraw(planned)
        self._done()

    async def _block(self, planned: PlannedCommand, error: TooLarge) -> None:
        """Blocks the task until a person looks: what it needs to be given away fits no commit."""
        command = tc.Block(f"it can't be given to a node: {error}")
        known = Snapshot(planned.task, planned.version)
        with contextlib.suppress(Refused, WrongVersion):
            await self._dispatcher.send(Call(TASKS, planned.id, (command,), known=known, once=True))


def _takes_parameters(planned: PlannedCommand) -> bool:
    """True for a command whose commit brings a node the parameters, which the plans do not hold."""
    return isinstance(planned.command, tc.ScheduleTask)
