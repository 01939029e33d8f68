"""A task as people and scripts read it. The keys are promises (see `docs/interface`): extend freely, drop none."""

from typing import Any

import msgspec

from clawactors.kernel.time import iso
from clawactors.systems.tasks.approvals import APPROVAL
from clawactors.systems.tasks.children import CHILDREN
from clawactors.systems.tasks.events import Spec
from clawactors.systems.tasks.journal import Entry
from clawactors.systems.tasks.task import FINAL, Task, TaskStatus

__all__ = ["row", "steps", "waits_for"]

_NOBODY = Spec(skill="")
_LONGEST_S = 1e9


def row(id: str, version: int, task: Task) -> dict[str, Any]:
    """The row of a task. Times are ISO 8601 with zone or None, `progress` is in percent."""
    spec, life = task.spec or _NOBODY, task.life
    return {
        "id": id,
        "name": spec.name,
        "skill": spec.skill,
        "type": spec.type,
        "status": life.status,
        "priority": spec.priority,
        "user": spec.user,
        "params": spec.params,
        "requires": list(spec.requires),
        "prefers": list(spec.prefers),
        "affinity": spec.affinity,
        "tags": list(spec.tags),
        "description": spec.description,
        "metadata": spec.metadata,
        "after": list(spec.after),
        "timeout_s": spec.timeout_s,
        "deadline": iso(spec.deadline_ns),
        "max_retries": task.max_retries,
        "on_dead": spec.on_dead,
        "not_before": iso(spec.not_before_ns),
        "cancel_requested": life.cancel_requested and life.status not in FINAL,
        "waiting_for": waits_for(life),
        "waiting_until": iso(life.until_ns),
        "node": life.node or None,
        "parked_on": life.node if life.parked else None,
        "attempt": life.tries,
        "run": life.run,
        "progress": round(100 * min(max(life.progress, 0.0), 1.0), 2),
        "steps": steps(task),
        "result": life.result,
        "error": None if life.error is None else msgspec.to_builtins(life.error),
        "submitted_at": iso(life.submitted_ns),
        "scheduled_at": iso(life.scheduled_ns),
        "started_at": iso(life.started_ns),
        "completed_at": iso(life.completed_ns),
        "updated_at": iso(life.updated_ns),
        "fork_of": spec.fork_of or None,
        "forks": list(life.forks),
        "version": version,
        "parent": spec.parent or None,
    } | _sometimes(spec, life)


def _sometimes(spec: Spec, life: TaskStatus) -> dict[str, Any]:
    """What few tasks have, and others leave out."""
    found: dict[str, Any] = {"erased": True} if spec.erased else {}
    if life.status == "blocked":
        found["blocked_reason"] = life.blocked_reason
    return found


def steps(task: Task) -> list[dict[str, Any]]:
    """One row a step, in the order of their first appearance."""
    return [_step(entry, task.life) for entry in task.journal.steps()] if len(task.journal) else []


def _step(entry: Entry, life: TaskStatus) -> dict[str, Any]:
    ended = entry.status != "running"
    goes_on = life.status == "running" and entry.attempt == life.attempt
    took_ns = int(min(max(entry.took_s, 0.0), _LONGEST_S) * 1e9)
    return {
        "name": entry.name,
        "status": entry.status if ended or goes_on else "interrupted",
        "attempt": entry.attempt,
        "result": entry.result,
        "error": entry.error or None,
        "started_at": iso(entry.at_ns - took_ns),
        "completed_at": iso(entry.at_ns) if ended else None,
    }


def waits_for(life: TaskStatus) -> str | None:
    """What the task waits for, as people call it: children and approvals are more than signals."""
    if life.waiting_name == CHILDREN:
        return "child"
    return "approval" if life.waiting_name.startswith(APPROVAL) else life.waiting_for
