"""Commands to triggers as other programs write them."""

from typing import Any, Final, assert_never

import msgspec

from clawactors.kernel.external import ExternalCommand
from clawactors.systems.tasks.events import Count
from clawactors.systems.triggers import commands as c
from clawactors.systems.triggers.events import TriggerPlan
from clawactors.systems.triggers.planning import checked_plan

__all__ = [
    "COMMANDS",
    "AddTriggerRequest",
    "DropDeliveriesRequest",
    "MuteTriggerRequest",
    "PauseTriggerRequest",
    "RedriveTriggerRequest",
    "RemoveTriggerRequest",
    "ResumeTriggerRequest",
    "command_of",
]


class AddTriggerRequest(ExternalCommand, frozen=True, kw_only=True, tag="trigger.add"):
    """Make the trigger."""

    plan: TriggerPlan


class PauseTriggerRequest(ExternalCommand, frozen=True, tag="trigger.pause"):
    """Pause the trigger."""


class ResumeTriggerRequest(ExternalCommand, frozen=True, tag="trigger.resume"):
    """Resume the trigger."""


class RedriveTriggerRequest(ExternalCommand, frozen=True, kw_only=True, tag="trigger.redrive"):
    """Deliver again what failed, all of it or these `deliveries`: `<seq>-<index>`, the end of the id of each."""

    deliveries: tuple[str, ...] = ()


class DropDeliveriesRequest(ExternalCommand, frozen=True, kw_only=True, tag="trigger.drop"):
    """Keep these failed deliveries no longer."""

    deliveries: tuple[str, ...]


class MuteTriggerRequest(ExternalCommand, frozen=True, kw_only=True, tag="trigger.mute"):
    """Tell nothing until then, ns since 1970; 0 for no longer."""

    until_ns: Count


class RemoveTriggerRequest(ExternalCommand, frozen=True, tag="trigger.remove"):
    """Remove the trigger."""


type _Any = (
    AddTriggerRequest
    | PauseTriggerRequest
    | ResumeTriggerRequest
    | RedriveTriggerRequest
    | MuteTriggerRequest
    | DropDeliveriesRequest
    | RemoveTriggerRequest
)

COMMANDS: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(_Any.__value__)
"""What other programs may ask of a trigger."""


def command_of(command: _Any, by: str, at_ns: int) -> c.TriggerCommand:
    """The command that another program asks for, `by` unless it says who asks. Raises: `Refused`."""
    by = command.by or by
    match command:
        case AddTriggerRequest(plan=plan):
            return c.AddTrigger(checked_plan(plan), by)
        case PauseTriggerRequest():
            return c.PauseTrigger(by)
        case ResumeTriggerRequest():
            return c.ResumeTrigger(by)
        case MuteTriggerRequest(until_ns=until_ns):
            return c.MuteTrigger(until_ns, by)
        case RedriveTriggerRequest(deliveries=deliveries):
            return c.RedriveTrigger(by, deliveries)
        case DropDeliveriesRequest(deliveries=deliveries):
            return c.DropDeliveries(by, deliveries)
        case RemoveTriggerRequest():
            return c.RemoveTrigger(by)
        case _:
            assert_never(command)
