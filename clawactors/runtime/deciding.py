"""From a call and a state to events, and from events to the draft of a commit."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from clawactors.eventlog import Draft, Unavailable
from clawactors.kernel.errors import Changed, Exists, Refused
from clawactors.kernel.kind import Kind
from clawactors.runtime.call import Answer, Call
from clawactors.runtime.context import ActorContext
from clawactors.runtime.repeats import answer_names, check_same, repeat_of
from clawactors.runtime.snapshots import Known
from clawactors.systems.owners import owner_id

__all__ = ["DecidedBatch", "QueuedCall", "decide", "decide_all", "draft_of", "draft_of_all", "end"]


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
    if call.version >= 0 and (known.snapshot.version != call.version or state is not known.snapshot.state):
        raise Changed(f"{kind.name} {call.id} has changed since version {call.version}: read it again, and decide anew")
    events: tuple[Any, ...] = ()
    for command in call.commands:
        try:
            made = kind.decider.decide(command, state)
        except Exists as other:  # a decider knows the state, not its id
            raise Exists(f"{kind.name} {call.id} {other}") from None
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
    if len(calls) == 1:  # nearly all, so it takes no loops
        commit, by, answers = calls[0].commit, calls[0].principal, answer_names(calls[0])
    else:
        commit = next((call.commit for call in calls if call.commit), "")
        principals = {call.principal for call in calls}
        by = principals.pop() if len(principals) == 1 else ""
        answers = tuple(name for call in calls for name in answer_names(call))
    owner = kind.owner(after)
    parts = kind.codec.encode_apart(events, kind.bare) if owner else ()
    return Draft(
        kind=kind.name,
        id=id,
        body=b"".join(parts) if parts else kind.codec.encode(events),
        commit=commit or context.names.commit(),
        to="" if context.node else kind.route(before) or kind.route(after),
        writer=context.node,
        by=by or context.by,
        answers=answers,
        owner=owner_id(owner) if owner else "",
        parts=parts if len(parts) > 1 else (),
    )


class QueuedCall(msgspec.Struct, gc=False):
    """A call in the queue."""

    call: Call
    answer: asyncio.Future[Answer]


class DecidedBatch(msgspec.Struct, gc=False):
    """What a batch leads to on one version: calls that change nothing, refusals, and from the first change on `parts`.

    What is said after a change, a refusal too, is true only once the change is written.
    """

    state: Any
    parts: list[tuple[QueuedCall, tuple[Any, ...] | Refused]] = msgspec.field(default_factory=list)
    quiet: list[tuple[QueuedCall, Answer]] = msgspec.field(default_factory=list)
    refused: list[tuple[QueuedCall, Refused]] = msgspec.field(default_factory=list)


def decide_all(kind: Kind[Any, Any, Any], batch: Sequence[QueuedCall], known: Known, now_ns: int) -> DecidedBatch:
    """Decides calls to one aggregate one after the other; `Unavailable` is told at once."""
    decided = DecidedBatch(known.snapshot.state)
    taken: dict[str, str] = {}
    for each in batch:
        call = each.call
        events: tuple[Any, ...] = ()
        try:
            if (repeat := repeat_of(call, known)) is not None:
                decided.quiet.append((each, repeat))
                continue
            if call.command_id in taken:
                check_same(call, taken[call.command_id])
            else:
                decided.state, events = decide(kind, call, known, decided.state, now_ns)
        except Refused as refusal:
            (decided.parts or decided.refused).append((each, refusal))
            continue
        except Unavailable as error:
            end(each, error)
            continue
        if events or decided.parts:
            decided.parts.append((each, events))
            if call.command_id:
                taken.setdefault(call.command_id, call.content)
        else:
            decided.quiet.append((each, Answer(known.snapshot.version, known.snapshot.state)))
    return decided


def draft_of_all(
    context: ActorContext, kind: Kind[Any, Any, Any], id: str, known: Known, decided: DecidedBatch
) -> Draft:
    """The one commit of what the calls led to."""
    calls: list[Call] = []
    events: tuple[Any, ...] = ()
    for each, own in decided.parts:
        if isinstance(own, tuple) and own:
            calls.append(each.call)
            events += own
    return draft_of(context, kind, id, known.snapshot.state, decided.state, events, calls)


def end(each: QueuedCall, outcome: Answer | Exception) -> None:
    """Gives a call its answer. Order: idempotent."""
    if each.answer.done():
        return
    if isinstance(outcome, Exception):
        each.answer.set_exception(outcome)
    else:
        each.answer.set_result(outcome)
