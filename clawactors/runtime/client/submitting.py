"""New tasks: one, or thousands in one call that is idempotent as a whole.

Predecessors may stand anywhere in a batch: they are sent first, or in the same request. What is in a cycle is refused
with the cycle.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from clawactors.eventlog import TooLarge
from clawactors.kernel.errors import Refused
from clawactors.kernel.fold import Snapshot
from clawactors.kernel.transfer import decode_state
from clawactors.runtime.asking import Outcome
from clawactors.runtime.client.rows import TaskRow, task_row
from clawactors.runtime.client.sender import TOGETHER, TOGETHER_MAX_BYTES
from clawactors.systems.tasks import Task
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.dependencies import arranged
from clawactors.systems.tasks.external import request_of
from clawactors.systems.tasks.submission import checked_id, delayed

if TYPE_CHECKING:
    from clawactors.runtime.client.client import ClusterClient

__all__ = ["Batch", "Rejected", "Submission", "TaskRequest", "submit", "submit_many", "submit_one"]


class TaskRequest(msgspec.Struct, frozen=True):
    """One task of a batch: its id and spec; with `delay_s` it starts that long after the request."""

    id: str
    spec: e.Spec
    delay_s: float | None = None


class Rejected(msgspec.Struct, frozen=True):
    """A task of a batch that was refused, by its place in the batch."""

    index: int
    id: str
    message: str


class Batch(msgspec.Struct, frozen=True):
    """The outcome of a batch."""

    submitted: int
    existing: int
    refused: tuple[Rejected, ...] = ()


class Submission(msgspec.Struct, frozen=True):
    """The task as it is after a submission; `new`: this one made it."""

    row: TaskRow
    new: bool


async def submit_one(client: "ClusterClient", request: TaskRequest) -> Submission:
    """See `ClusterClient.submit_one`."""
    refused: list[Rejected] = []
    todo = await _accepted(client, [request], refused)
    if refused:
        raise Refused(refused[0].message)
    _, spec, is_delayed = todo[request.id]
    asked = request_of(c.Submit(spec, is_delayed), client.process.names.commit())
    outcome = await client.sender.ask("task", request.id, asked, state=True)
    if not (outcome.changed and outcome.has_state):
        return Submission(await client.task(request.id), outcome.changed)
    return Submission(task_row(request.id, Snapshot(decode_state(Task, outcome.state), outcome.version)), new=True)


async def submit(
    client: "ClusterClient", id: str, spec: e.Spec, *, delayed: bool = False, awaits: bool = False
) -> Outcome:
    """Submits one task; `changed` is true if that created it. Raises: `Refused`, `TooLarge`, `Unavailable`."""
    request = request_of(c.Submit(spec, delayed), client.process.names.commit())
    return await client.sender.ask("task", id, request, awaits=awaits)


async def submit_many(client: "ClusterClient", requests: Sequence[TaskRequest]) -> Batch:
    """See `ClusterClient.submit_many`."""
    if wrong := [type(each).__name__ for each in requests if type(each) is not TaskRequest]:
        raise TypeError(f"submit_many() takes TaskRequest(id, spec_of(skill, params)), not {wrong[0]}")
    refused: list[Rejected] = []
    todo = await _accepted(client, requests, refused)
    order = list(todo)
    if depends := any(spec.after for _, spec, _ in todo.values()):
        order, cycles = arranged({id: spec.after for id, (_, spec, _) in todo.items()})
        rejected = {each.id: f"it comes after {each.id}, which is refused" for each in refused}
        refused += _without_predecessors(todo, order, cycles, rejected)
    submitted = 0
    asked = [id for id in order if id in todo]
    # Where some come after others, one request is answered before the next is sent: another leader must not see what
    # comes after before what comes first.
    for group in _requests(todo, asked) if depends else (asked,):
        outcomes = await asyncio.gather(*(_ask(client, id, *todo[id][1:]) for id in group))
        for id, outcome in zip(group, outcomes, strict=True):
            if isinstance(outcome, Outcome):
                submitted += outcome.changed
            else:
                refused.append(Rejected(todo[id][0], id, str(outcome)))
    existing = len(requests) - submitted - len(refused)
    return Batch(submitted, existing, tuple(sorted(refused, key=lambda each: each.index)))


def _requests(todo: Mapping[str, tuple[int, e.Spec, bool]], ids: Sequence[str]) -> Iterator[list[str]]:
    """The ids in groups that travel as one request each."""
    group: list[str] = []
    size = 0
    for id in ids:
        size += len(msgspec.json.encode(todo[id][1])) + len(id)
        if group and (len(group) >= TOGETHER or size > TOGETHER_MAX_BYTES):
            yield group
            group, size = [], 0
        group.append(id)
    if group:
        yield group


async def _ask(client: "ClusterClient", id: str, spec: e.Spec, is_delayed: bool) -> Outcome | Exception:
    try:
        return await submit(client, id, spec, delayed=is_delayed)
    except (Refused, TooLarge) as refusal:
        return refusal


def _without_predecessors(
    todo: dict[str, tuple[int, e.Spec, bool]], order: Sequence[str], cycles: Mapping[str, str], reasons: dict[str, str]
) -> list[Rejected]:
    """Refuses tasks in a cycle and tasks after a refused one."""
    taken_out: list[Rejected] = []
    for id in order:
        index, spec, _ = todo[id]
        reason = cycles.get(id) or next((reasons[each] for each in spec.after if each in reasons), "")
        if reason:
            taken_out.append(Rejected(index, id, reason))
            reasons[id] = f"it comes after {id}, which is refused"
            del todo[id]
    return taken_out


async def _accepted(
    client: "ClusterClient", requests: Sequence[TaskRequest], refused: list[Rejected]
) -> dict[str, tuple[int, e.Spec, bool]]:
    """By id: place, content, and whether it is delayed, of each well-formed request; the others go to `refused`."""
    todo: dict[str, tuple[int, e.Spec, bool]] = {}
    fits = await client.skills.checker({request.spec.skill for request in requests})
    is_any_late = any(request.delay_s is not None for request in requests)
    now_ns = await client.now_ns() if is_any_late else 0
    for index, request in enumerate(requests):
        try:
            checked_id(request.id)
            is_late = request.delay_s is not None
            spec = request.spec if request.delay_s is None else delayed(request.spec, request.delay_s, now_ns)
            if client.user and not spec.user:
                spec = replace(spec, user=client.user)
            await fits(spec)
            spec = await client.payloads.offload_payload(spec)
            if (earlier := todo.get(request.id)) is not None:
                if earlier[1] != spec:
                    raise Refused("the id appears twice in the batch with different content")
                continue
        except Refused as refusal:
            refused.append(Rejected(index, request.id, str(refusal)))
            continue
        todo[request.id] = (index, spec, is_late)
    return todo
