"""The state machine of a trigger.

1. Its position only rises. An `AdvanceTrigger` from another position than the one on record is quiet: a second leader
   may have worked off the same events, which the ids of what they make allow, but they count once.
2. The newest `KEPT` failures are kept, and all are counted; the history of the trigger has every one.
3. Paused or stopped, it keeps its position: nothing is lost. A repeated command is quiet, a contradicting one refused.
"""

from typing import Final, Literal, assert_never

import msgspec
from msgspec.structs import replace

from clawactors.kernel.decider import Decider
from clawactors.kernel.errors import Exists, Refused
from clawactors.systems.triggers import commands as c
from clawactors.systems.triggers import events as e

__all__ = ["KEPT", "NAME_MAX", "TRIGGER", "Trigger", "decide", "delivery_id", "evolve"]

NAME_MAX: Final = 80
"""Leaves room for the event in the ids of its tasks."""
KEPT: Final = 200
"""Failures that can be shown and delivered again."""

type TriggerState = Literal["absent", "active", "paused", "stopped", "removed"]


class Trigger(msgspec.Struct, frozen=True, omit_defaults=True):
    """One trigger. `position` is 0 until the first is on record: it begins behind the commit that added it.

    `again` are the places that are to be delivered again; `reason` says why it is stopped.
    `last_ns` is when something last followed.
    """

    status: TriggerState = "absent"
    plan: e.TriggerPlan | None = None
    position: int = 0
    fired: int = 0
    failed: int = 0
    failures: tuple[e.TriggerFailure, ...] = ()
    again: tuple[e.Place, ...] = ()
    reason: str = ""
    muted_until_ns: int = 0
    last_ns: int = 0
    added_ns: int = 0
    updated_ns: int = 0

    @property
    def exists(self) -> bool:
        """True while it is there, at work or not."""
        return self.status in ("active", "paused", "stopped")


def delivery_id(name: str, place: e.Place) -> str:
    """The id of what the trigger makes of that event: the same for every process that does, however often."""
    return f"{name}-{place.seq}-{place.index}"


def decide(command: c.TriggerCommand, trigger: Trigger) -> tuple[e.TriggerEvent, ...]:
    """The events that the command leads to in this state, none for a repeat. Raises `Refused`."""
    if isinstance(command, c.AddTrigger):
        return _add(command, trigger)
    if not trigger.exists:
        raise Refused("there is no such trigger")
    match command:
        case c.PauseTrigger():
            return (e.TriggerPaused(command.by),) if trigger.status == "active" else ()
        case c.ResumeTrigger():
            return () if trigger.status == "active" else (e.TriggerResumed(command.by),)
        case c.RedriveTrigger():
            places = _failed(trigger, command.deliveries or None)
            return (e.TriggerRedriven(places, command.by),) if places else ()
        case c.MuteTrigger(until_ns=until_ns):
            if trigger.plan is None or trigger.plan.notify is None:
                raise Refused("only what notifies can be muted; pause a trigger")
            return (e.TriggerMuted(until_ns, command.by),) if until_ns != trigger.muted_until_ns else ()
        case c.DropDeliveries():
            places = _failed(trigger, command.deliveries)
            return (e.TriggerDropped(places, command.by),) if places else ()
        case c.RemoveTrigger():
            return (e.TriggerRemoved(command.by),)
        case c.StopTrigger():
            return (e.TriggerStopped(command.reason),) if trigger.status == "active" else ()
        case c.AdvanceTrigger():
            return _advanced(command, trigger)
        case _:
            assert_never(command)


def _failed(trigger: Trigger, deliveries: tuple[str, ...] | None) -> tuple[e.Place, ...]:
    """The places of these failures, None for all."""
    places = (failure.place for failure in trigger.failures)
    return tuple(place for place in places if deliveries is None or f"{place.seq}-{place.index}" in deliveries)


def _add(command: c.AddTrigger, trigger: Trigger) -> tuple[e.TriggerEvent, ...]:
    if trigger.exists:
        if trigger.plan == command.plan:
            return ()
        raise Exists("exists with a different plan; remove it first or choose another name")
    fields = {name: getattr(command.plan, name) for name in e.TriggerPlan.__struct_fields__}
    return (e.TriggerAdded(**fields, by=command.by),)


def _advanced(command: c.AdvanceTrigger, trigger: Trigger) -> tuple[e.TriggerEvent, ...]:
    if command.after != trigger.position or command.position < trigger.position:
        return ()
    open_again = {*trigger.again}
    redone = tuple(place for place in command.redone if place in open_again)
    if command.position == trigger.position and not (redone or command.fired or command.failures):
        return ()
    return (
        e.TriggerAdvanced(position=command.position, fired=command.fired, failures=command.failures, redone=redone),
    )


def evolve(trigger: Trigger, event: e.TriggerEvent, at_ns: int) -> Trigger:
    """The state after the event; the same object where the event is illegal in this state."""
    match event:
        case e.TriggerAdded() if not trigger.exists:
            plan = e.TriggerPlan(**{name: getattr(event, name) for name in e.TriggerPlan.__struct_fields__})
            return Trigger("active", plan, added_ns=at_ns, updated_ns=at_ns)
        case e.TriggerPaused() if trigger.status == "active":
            return replace(trigger, status="paused", updated_ns=at_ns)
        case e.TriggerResumed() if trigger.status in ("paused", "stopped"):
            return replace(trigger, status="active", reason="", updated_ns=at_ns)
        case e.TriggerStopped() if trigger.status == "active":
            return replace(trigger, status="stopped", reason=event.reason, updated_ns=at_ns)
        case e.TriggerAdvanced() if trigger.exists and event.position >= trigger.position:
            return _worked(trigger, event, at_ns)
        case e.TriggerRedriven() if trigger.exists:
            left = tuple(failure for failure in trigger.failures if failure.place not in {*event.places})
            again = tuple(dict.fromkeys((*trigger.again, *event.places)))
            return replace(trigger, failures=left, again=again, updated_ns=at_ns)
        case e.TriggerMuted() if trigger.exists:
            return replace(trigger, muted_until_ns=event.until_ns, updated_ns=at_ns)
        case e.TriggerDropped() if trigger.exists:
            left = tuple(failure for failure in trigger.failures if failure.place not in {*event.places})
            return replace(trigger, failures=left, updated_ns=at_ns)
        case e.TriggerRemoved() if trigger.exists:
            return replace(trigger, status="removed", again=(), failures=(), updated_ns=at_ns)
        case (
            e.TriggerAdded()
            | e.TriggerPaused()
            | e.TriggerResumed()
            | e.TriggerStopped()
            | e.TriggerAdvanced()
            | e.TriggerRedriven()
            | e.TriggerMuted()
            | e.TriggerDropped()
            | e.TriggerRemoved()
        ):
            return trigger
        case _:
            assert_never(event)


def _worked(trigger: Trigger, event: e.TriggerAdvanced, at_ns: int) -> Trigger:
    redone = {*event.redone}
    kept = {failure.place: failure for failure in (*trigger.failures, *event.failures)}
    return replace(
        trigger,
        position=event.position,
        fired=trigger.fired + event.fired,
        failed=trigger.failed + len(event.failures),
        failures=tuple(kept.values())[-KEPT:],
        again=tuple(place for place in trigger.again if place not in redone),
        last_ns=at_ns if event.fired or event.failures else trigger.last_ns,
        updated_ns=at_ns,
    )


def _is_final(trigger: Trigger) -> bool:
    return trigger.status == "removed"


TRIGGER: Decider[c.TriggerCommand, Trigger, e.TriggerEvent] = Decider("trigger", Trigger(), decide, evolve, _is_final)
