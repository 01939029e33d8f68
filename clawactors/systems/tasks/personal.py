"""What of a task is personal: whatever its user, its code or a person has put in words. Pure.

1. `bare(event)` is the event without it: erased, a task keeps its ids, times, states, nodes, names of steps and classes
   of errors, and nothing else.
2. The fold of bare events is a task of the same status at every moment.
"""

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.spec import Spec, TaskError

__all__ = ["bare", "bare_spec"]


def bare_spec[S: Spec](spec: S) -> S:
    """What was asked for, without what is personal."""
    if spec.params or spec.name or spec.description or spec.metadata or spec.tags:
        return replace(spec, params={}, name="", description="", metadata={}, tags=())
    return spec


def _bare_error(event: Any) -> Any:
    return event if event.error is None else replace(event, error=TaskError(event.error.kind, ""))


def _without(*names: str) -> Callable[[Any], Any]:
    """Makes bare by the default values of these members."""

    def bare(event: Any) -> Any:
        defaults = dict(zip(reversed(event.__struct_fields__), reversed(event.__struct_defaults__), strict=False))
        less = {name: "" if isinstance(getattr(event, name), str) else _default(defaults[name]) for name in names}
        return replace(event, **less)

    return bare


def _default(value: Any) -> Any:
    return value.factory() if hasattr(value, "factory") else value


def _bare_forked(event: e.Forked) -> e.Forked:
    return e.Forked(tuple(replace(step, result=None) for step in event.steps))


def _bare_step(event: e.StepCompleted) -> e.StepCompleted:
    undo = None if event.undo is None else replace(event.undo, call=None)
    return replace(event, result=None, undo=undo)


_BARE: Final[dict[type, Callable[[Any], Any]]] = {
    e.Submitted: bare_spec,
    e.Edited: bare_spec,
    e.Scheduled: _without("params"),
    e.Continued: _without("params"),
    e.StepCompleted: _bare_step,
    e.StepFailed: _without("error"),
    e.StepUndoFailed: _without("error"),
    e.Completed: _without("result"),
    e.AttemptFailed: _bare_error,
    e.Expired: _bare_error,
    e.Compensating: _bare_error,
    e.Blocked: _without("reason"),
    e.Signalled: _without("payload"),
    e.Forked: _bare_forked,
    e.TaskArchived: _without("digest"),
    e.ApprovalAsked: _without("question"),
    e.ApprovalAnswered: _without("comment"),
}


def bare(event: e.TaskEvent) -> e.TaskEvent:
    """The event without what is personal; the same object where nothing is."""
    make = _BARE.get(type(event))
    if make is None:
        return event
    made: e.TaskEvent = make(event)
    return made
