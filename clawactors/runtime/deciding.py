"""From a call and a state to events, and from events to the draft of a commit."""

from collections.abc import Sequence
from typing import Any

from clawactors.eventlog import Draft, Unavailable
from clawactors.kernel.errors import Refused
from clawactors.kernel.kind import Kind
from clawactors.runtime.call import Call
from clawactors.runtime.context import ActorContext
from clawactors.runtime.snapshots import Known

__all__ = ["decide", "draft_of"]


def decide(kind: Kind[Any, Any, Any], call: Call, known: Known, state: Any, now_ns: int) -> tuple[Any, tuple[Any, ...]]:
    """The state after the call's commands, decided on `state`, and their events.

    Raises: `Refused`; `Unavailable` after the call's deadline.
    """
    if call.decided is not None and known.snapshot is call.known:
        return call.decided
    if 0 < call.deadline_ns <= now_ns:
        raise Unavailable("its deadline passed before it was decided; nothing was written for it")
    if known.snapshot.frozen:
        raise Refused(f"{kind.name} {call.id} needs a newer release: {known.snapshot.frozen}")
    events: tuple[Any, ...] = ()
    for command in call.commands:
        made = kind.decider.decide(command, state)
        for event in made:
            state = kind.decider.evolve(state, event, now_ns)
        events += made
    return state, events


def draft_of(
    context: ActorContext,
    kind: Kind[Any, Any, Any],
    id: str,
    before: Any,
    after: Any,
    events: tuple[Any, ...],
    calls: Sequence[Call],
) -> Draft:
    """The commit of these events, addressed to the node that must hear of it: the one that has it or gets it now."""
    principals = {call.principal for call in calls}
    return Draft(
        kind=kind.name,
        id=id,
        body=kind.codec.encode(events),
        commit=next((call.commit for call in calls if call.commit), "") or context.names.commit(),
        to="" if context.node else kind.route(before) or kind.route(after),
        writer=context.node,
        by=(principals.pop() if len(principals) == 1 else "") or context.by,
        answers=tuple(call.command_id for call in calls if call.command_id),
    )
