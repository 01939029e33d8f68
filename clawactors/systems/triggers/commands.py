"""What can be asked of a trigger."""

import msgspec

from clawactors.systems.triggers.events import Place, TriggerFailure, TriggerPlan

__all__ = [
    "AddTrigger",
    "AdvanceTrigger",
    "DropDeliveries",
    "MuteTrigger",
    "PauseTrigger",
    "RedriveTrigger",
    "RemoveTrigger",
    "ResumeTrigger",
    "StopTrigger",
    "TriggerCommand",
]


class _TriggerCommand(msgspec.Struct, frozen=True):
    pass


class AddTrigger(_TriggerCommand, frozen=True):
    """Make it."""

    plan: TriggerPlan
    by: str = ""


class PauseTrigger(_TriggerCommand, frozen=True):
    """Hold it."""

    by: str = ""


class ResumeTrigger(_TriggerCommand, frozen=True):
    """Let it go on, paused or stopped."""

    by: str = ""


class RedriveTrigger(_TriggerCommand, frozen=True):
    """Deliver again what failed; `deliveries` are some of them, as `<seq>-<index>`, and none are all."""

    by: str = ""
    deliveries: tuple[str, ...] = ()


class DropDeliveries(_TriggerCommand, frozen=True):
    """Keep these failures no longer, `<seq>-<index>` each."""

    by: str = ""
    deliveries: tuple[str, ...] = ()


class MuteTrigger(_TriggerCommand, frozen=True):
    """Tell nothing until then, 0 for no longer; only of one that notifies."""

    until_ns: int
    by: str = ""


class RemoveTrigger(_TriggerCommand, frozen=True):
    """End it."""

    by: str = ""


class AdvanceTrigger(_TriggerCommand, frozen=True, kw_only=True):
    """The leader has worked off the log from `after`, the position in the record, up to `position`."""

    after: int
    position: int
    fired: int = 0
    failures: tuple[TriggerFailure, ...] = ()
    redone: tuple[Place, ...] = ()


class StopTrigger(_TriggerCommand, frozen=True):
    """The cluster stops it, for that reason."""

    reason: str


type TriggerCommand = (
    AddTrigger
    | PauseTrigger
    | ResumeTrigger
    | RedriveTrigger
    | MuteTrigger
    | DropDeliveries
    | RemoveTrigger
    | AdvanceTrigger
    | StopTrigger
)
"""What `decide` takes."""
