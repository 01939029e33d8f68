"""The kind of triggers."""

from typing import Final

from msgspec.structs import replace

from clawactors.kernel.kind import Kind
from clawactors.systems.tasks.personal import bare_spec
from clawactors.systems.triggers import commands as c
from clawactors.systems.triggers import events as e
from clawactors.systems.triggers.decider import TRIGGER, Trigger
from clawactors.systems.triggers.external import COMMANDS, command_of

__all__ = ["TRIGGERS"]


def _owner(state: Trigger) -> str:
    return state.plan.task.user if state.plan is not None and state.plan.task is not None else ""


def _bare(event: e.TriggerEvent) -> e.TriggerEvent:
    return (
        replace(event, task=bare_spec(event.task))
        if isinstance(event, e.TriggerAdded) and event.task is not None
        else event
    )


TRIGGERS: Final[Kind[c.TriggerCommand, Trigger, e.TriggerEvent]] = Kind(
    name="trigger",
    decider=TRIGGER,
    codec=e.CODEC,
    command_decoder=COMMANDS,
    command_of=command_of,
    owner=_owner,
    bare=_bare,
)
