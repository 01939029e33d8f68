"""Answers which pending tasks are next, why in this order, and what holds each back."""

from clawactors.kernel.errors import InvalidQuery
from clawactors.kernel.time import iso
from clawactors.runtime.queue import MOST_QUEUED, QueuedTask, QueueQuestion, QueueReply
from clawactors.systems.placement import Placement
from clawactors.systems.placement.order import TrackedTask
from clawactors.systems.placement.preview import QueuePlace, preview

__all__ = ["next_tasks"]


def next_tasks(placement: Placement, question: QueueQuestion, now_ns: int, trouble: str) -> QueueReply:
    """The answer. `trouble` is why nothing can be appended, '' where it can. Raises: `InvalidQuery`."""
    if not 1 <= question.limit <= MOST_QUEUED:
        raise InvalidQuery(f"--limit is 1 to {MOST_QUEUED}, not {question.limit}")
    tasks = placement.state.tasks
    places = preview(tasks.queues, now_ns, question.limit, question.skill)
    reasons: dict[object, tuple[str, ...]] = {}
    rows: list[QueuedTask] = []
    for number, each in enumerate(places, 1):
        if each.shape not in reasons:  # the same for all of a shape
            reasons[each.shape] = tuple(placement.why(each.id, now_ns))
        held = tasks.by_id[each.id]
        if (spec := held.task.spec) is not None:
            rows.append(
                QueuedTask(
                    id=each.id,
                    place=number,
                    skill=spec.skill,
                    user=spec.user,
                    priority=spec.priority,
                    deadline_ns=spec.deadline_ns,
                    waited_s=round(max(0, now_ns - held.since_ns) / 1e9, 3),
                    because=_because(placement, each, held),
                    held_back=reasons[each.shape],
                )
            )
    pending = sum(len(queue) for shape, queue in tasks.pending.items() if question.skill in ("", shape.skill))
    return QueueReply(order=tasks.queues.policy.order, pending=pending, tasks=tuple(rows), trouble=trouble)


def _because(placement: Placement, place: QueuePlace, held: TrackedTask) -> str:
    policy, spec = placement.state.tasks.queues.policy, held.task.spec
    turn = f"turn of user {spec.user or '(none)'}: " if policy.fair and spec is not None else ""
    if place.aged:
        return f"{turn}it has waited for more than {policy.patience_ns / 1e9:g} s"
    since = f"pending since {(iso(held.since_ns) or '')[:19]}Z"
    match policy.order:
        case "priority":
            return f"{turn}priority {spec.priority if spec else 0}, {since}"
        case "deadline" if spec is not None and spec.deadline_ns:
            return f"{turn}its deadline is {(iso(spec.deadline_ns) or '')[:19]}Z"
        case "deadline":
            return f"{turn}no deadline, priority {spec.priority if spec else 0}, {since}"
        case _:
            return f"{turn}{since}"
