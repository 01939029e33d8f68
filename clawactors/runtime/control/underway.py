"""What is under way of one owner, and how it is ended: open tasks, and what makes tasks for the owner."""

from collections.abc import Iterator
from typing import Any

import msgspec

from clawactors.kernel.kind import Kind
from clawactors.kernel.roster import Roster
from clawactors.systems.chats.events import EXTRACT
from clawactors.systems.placement.opentasks import OpenTasks
from clawactors.systems.schedules.commands import RemoveSchedule
from clawactors.systems.schedules.kind import SCHEDULES
from clawactors.systems.tasks import commands as tc
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.triggers.commands import RemoveTrigger
from clawactors.systems.triggers.kind import TRIGGERS

__all__ = ["OpenWork", "under_way"]

_BY = "erasure"


class OpenWork(msgspec.Struct, frozen=True):
    """One aggregate of an owner, and the command that ends it. `inner`: nobody has asked for it."""

    kind: Kind[Any, Any, Any]
    id: str
    end: Any
    inner: bool = False


def under_way(
    tasks: OpenTasks, schedules: Roster[Any, Any, Any], triggers: Roster[Any, Any, Any], owner: str
) -> Iterator[OpenWork]:
    """All of the owner of that name."""
    for id, held in list(tasks.by_id.items()):
        if held.task.spec is not None and held.task.spec.user == owner:
            yield OpenWork(TASKS, id, tc.Cancel(_BY), inner=held.task.spec.skill == EXTRACT)
    for kind, roster, end in ((SCHEDULES, schedules, RemoveSchedule(_BY)), (TRIGGERS, triggers, RemoveTrigger(_BY))):
        for name, known in list(roster.items()):
            if known.state.exists and kind.owner(known.state) == owner:
                yield OpenWork(kind, name, end)
