"""Tasks come into being: one, or thousands in one call that is idempotent as a whole."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from clawactors.eventlog import Draft, EventLogError, TooLarge, WrongVersion
from clawactors.kernel.errors import Refused
from clawactors.runtime.actor import Actor, ActorContext
from clawactors.runtime.client.predecessors import in_order
from clawactors.runtime.client.repeats import firsts_of, is_repeat
from clawactors.systems.tasks import TASK
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.tasks.submission import checked_id, delayed

if TYPE_CHECKING:
    from clawactors.runtime.client.client import Client

__all__ = ["Batch", "Rejected", "TaskRequest", "submit", "submit_many"]

_SAMPLE: Final = 32
"""Tasks of a batch that are looked for first: they tell whether it comes again."""


class TaskRequest(msgspec.Struct, frozen=True):
    """One task of a batch: its id and what is asked for; with `delay_s` it starts so long after it was asked for."""

    id: str
    spec: e.Spec
    delay_s: float | None = None


class Rejected(msgspec.Struct, frozen=True):
    """A task of a batch that was refused, by its place in the batch."""

    index: int
    id: str
    message: str


class Batch(msgspec.Struct, frozen=True):
    """What became of a batch."""

    submitted: int
    existing: int
    refused: tuple[Rejected, ...] = ()


async def submit(context: ActorContext, id: str, spec: e.Spec, *, delayed: bool = False) -> bool:
    """True when the task is new. Raises: `Refused`."""
    if spec.after:
        _, reasons = await in_order(context.log, {id: spec}, {id} if delayed else (), {})
        if reasons:
            raise Refused(reasons[id])
    return await _make(context, id, spec, delayed=delayed)


async def submit_many(client: "Client", wishes: Sequence[TaskRequest]) -> Batch:
    """See `Client.submit_many`."""
    context = client.context
    refused: list[Rejected] = []
    late = {wish.id for wish in wishes if wish.delay_s is not None}
    todo = await _accepted(client, wishes, late, refused)
    if any(spec.after for _, spec in todo.values()):
        specs = {id: spec for id, (_, spec) in todo.items()}
        unfit = {rejected.id: "it is refused" for rejected in refused}
        order, reasons = await in_order(context.log, specs, late, unfit)
        refused += [Rejected(todo[id][0], id, reason) for id, reason in reasons.items()]
        todo = {id: todo[id] for id in order}
    known = await firsts_of(context.log, list(todo)[:: max(1, len(todo) // _SAMPLE)])
    if any(known.values()):  # a batch that comes again: to be refused by the log costs far more than to be found
        known = await firsts_of(context.log, list(todo))
    fresh = await _make_fresh(context, {id: todo[id] for id in todo if known.get(id) is None})
    submitted = sum(fresh.values())
    taken = [id for id in todo if not fresh.get(id)]
    known |= await firsts_of(context.log, [id for id in taken if known.get(id) is None])
    for id in taken:
        index, spec = todo[id]
        try:
            if not is_repeat(known[id], c.Submit(spec, id in late)):  # then the usual way tells
                submitted += await _make(context, id, spec, delayed=id in late)
        except (Refused, TooLarge) as refusal:
            refused.append(Rejected(index, id, str(refusal)))
    existing = len(wishes) - submitted - len(refused)
    return Batch(submitted, existing, tuple(sorted(refused, key=lambda rejected: rejected.index)))


async def _accepted(
    client: "Client", wishes: Sequence[TaskRequest], late: set[str], refused: list[Rejected]
) -> dict[str, tuple[int, e.Spec]]:
    """By id, the place and the content of each wish that is well put, once; the others go to `refused`."""
    todo: dict[str, tuple[int, e.Spec]] = {}
    fits = await client.skills.checker({wish.spec.skill for wish in wishes})
    now_ns = await client.now_ns() if late else 0
    for index, wish in enumerate(wishes):
        try:
            checked_id(wish.id)
            spec = wish.spec if wish.delay_s is None else delayed(wish.spec, wish.delay_s, now_ns)
            await fits(spec)
            spec = await client.payloads.offload_payload(spec)
            if (earlier := todo.get(wish.id)) is not None:
                if earlier[1] != spec:
                    raise Refused("the id comes twice in the batch, with another content")
                continue
        except Refused as refusal:
            refused.append(Rejected(index, wish.id, str(refusal)))
            continue
        todo[wish.id] = (index, spec)
    return todo


async def _make(context: ActorContext, id: str, spec: e.Spec, *, delayed: bool) -> bool:
    return await Actor(context, TASKS, id).handle(c.Submit(spec, delayed))


async def _make_fresh(context: ActorContext, todo: Mapping[str, tuple[int, e.Spec]]) -> dict[str, bool]:
    """True for each task that is made; False where the id is taken or the task too large: `_make` tells."""
    drafts = [
        Draft(
            kind="task",
            id=id,
            body=e.CODEC.encode(TASK.decide(c.Submit(spec), TASK.initial)),
            commit=context.names.commit(),
            by=context.by,
        )
        for id, (_, spec) in todo.items()
    ]
    made: dict[str, bool] = {}
    for id, outcome in zip(todo, await context.log.append_many([(draft, 0) for draft in drafts]), strict=True):
        if isinstance(outcome, EventLogError) and not isinstance(outcome, WrongVersion | TooLarge):
            raise outcome
        made[id] = isinstance(outcome, int)
    return made
