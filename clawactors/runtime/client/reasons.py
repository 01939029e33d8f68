"""Why a task is in its state, in sentences: from its state, and for pending tasks from placement.

Only who did something stands in the history alone, and only for that is the history read.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import batched
from typing import Any, Final, assert_never

import msgspec

from clawactors.kernel.fold import Snapshot
from clawactors.kernel.time import iso
from clawactors.runtime.client.history import TaskHistory, read_history
from clawactors.runtime.client.questions import TypedQuestions
from clawactors.runtime.questions import Questions
from clawactors.systems.tasks import FINAL, Task, TaskStatus
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.approvals import APPROVAL
from clawactors.systems.tasks.children import CHILDREN

__all__ = ["Explanation", "explain", "reasons_of", "waiting_for"]

_SHOWN: Final = 5
_TOGETHER: Final = 500


class Explanation(msgspec.Struct, frozen=True):
    """Why a task is in its state; `waiting_for` says as data what it waits for."""

    id: str
    status: str
    reasons: tuple[str, ...]
    waiting_for: dict[str, Any] = {}


class _Placement(msgspec.Struct):
    reasons: tuple[str, ...] = ()
    waiting_for: dict[str, Any] = {}
    trouble: str = ""


class _Statuses[T](msgspec.Struct):
    statuses: dict[str, T]


async def explain(
    asking: Questions, questions: TypedQuestions, snapshot: Callable[[str], Awaitable[Snapshot[Task]]], id: str
) -> Explanation:
    """Reads the task, and asks placement about an open one. Raises: `NotFound`, `Refused`, `Unavailable`."""
    known = await snapshot(id)
    history = await read_history(asking, id) if _somebody_did_it(known) else TaskHistory(id, known, [])
    state = history.known.state
    life = state.life
    reasons, waits = reasons_of(history), waiting_for(life)
    if life.status not in FINAL and not history.known.frozen:
        placement = await questions.answer(_Placement, "why", id=history.id)
        if life.status == "pending":
            reasons += placement.reasons or ["a node is about to get it"]
            waits |= placement.waiting_for
        if placement.trouble:
            reasons.insert(0, f"nothing can be recorded now, of any task: {placement.trouble}")
    if life.waiting_name == CHILDREN and life.status == "waiting":
        counts = (await questions.answer(_Statuses[int], "children", id=history.id, fresh=True)).statuses
        waits |= {"for": "child", "children": counts}
        reasons.insert(0, _open_children(history.id, counts))
    if life.waiting_for == "dependency" and state.spec is not None:
        statuses = await _statuses(questions, state.spec.after)
        waits |= {"after": statuses}
        reasons.append(_not_completed(statuses))
    return Explanation(history.id, life.status, tuple(reasons), waits)


def waiting_for(life: TaskStatus) -> dict[str, Any]:
    """What a waiting task waits for, as data; empty if it does not wait."""
    if life.status != "waiting":
        return {}
    facts = {"for": life.waiting_for, "until": iso(life.until_ns), "name": life.waiting_name}
    return {name: value for name, value in facts.items() if value}


def reasons_of(history: TaskHistory) -> list[str]:
    """The sentences; empty for a pending task, because placement knows its reasons."""
    known, id = history.known, history.id
    life = known.state.life
    if known.frozen:
        return [f"it needs a newer release: {known.frozen}"]
    asked = [f"{_who(history, e.CancelRequested)} has asked to cancel it"] if life.cancel_requested else []
    if life.undo is not None:
        asked.append(f"its done steps are being undone; then it ends as {life.undo.then}")
    match life.status:
        case "pending":
            return asked
        case "waiting":
            return [_waiting(id, known.state, life), *asked]
        case "scheduled":
            at = _when(life.scheduled_ns)
            where = f"scheduled on node {life.node} since {at} (attempt {life.tries})"
            return [f"{where}: it starts in the next free slot", *asked]
        case "running":
            return [f"running on node {life.node}, attempt {life.tries}; {_newest_step(known.state)}", *asked]
        case "paused":
            return [f"{_who(history, e.Paused)} paused it: claw resume {id} resumes it as {life.resumes_to}"]
        case "blocked" if life.blocked_by_others:
            return [
                f"{life.blocked_reason}: when that task completes, this one runs",
                f"claw retry {id} retries it now, without waiting for that",
            ]
        case "blocked":
            return [f"it needs a person: {life.blocked_reason}", f"claw retry {id} retries it"]
        case "completed":
            return [f"completed at {_when(life.completed_ns)}, attempt {life.tries}"]
        case "cancelled":
            return [f"{_who(history, e.CancelRequested)} cancelled it"]
        case "failed" | "dead":
            return [_failed(history.known.state, life), f"claw retry {id}{_deadline_too(known.state, life)} retries it"]
        case "archived":
            return ["it has ended, and its history was moved to the archive"]
        case _:
            assert_never(life.status)


def _waiting(id: str, task: Task, life: TaskStatus) -> str:
    until = f" at {_when(life.until_ns)}" if life.until_ns else ""
    match life.waiting_for:
        case "retry":
            error = f" after {life.error.kind}: {life.error.message}" if life.error else ""
            return f"retry {life.failures} of {task.max_retries} starts{until}{error}"
        case "timer":
            return f"it sleeps and wakes up{until}"
        case "dependency":
            after = task.spec.after if task.spec else ()
            return f"it starts after {after[0] if len(after) == 1 else f'{len(after)} tasks'}"
        case "signal" if life.waiting_name == CHILDREN:
            return "it goes on when one of them has ended"
        case "signal" if life.approvals and life.waiting_name.startswith(APPROVAL):
            return _asks(id, life)
        case "signal":
            times_out = f" and times out{until}" if until else ""
            return f"it waits for the signal {life.waiting_name!r}{times_out}"
        case "fork":
            return "its inherited steps are being copied; control finishes an interrupted copy"
        case None:
            return "it waits"
        case _:
            assert_never(life.waiting_for)


def _open_children(id: str, counts: Mapping[str, int]) -> str:
    left = sum(count for status, count in counts.items() if status not in FINAL)
    return f"it waits for {left} of {sum(counts.values())} children: claw task --tree {id} shows them"


def _asks(id: str, life: TaskStatus) -> str:
    asked = life.approvals[0]
    whose = f"{id} {asked.name}" if len(life.approvals) > 1 else id
    who = f" by {', '.join(asked.by)}" if asked.by else ""
    until = f"; at {_when(asked.until_ns)} the answer is {asked.default!r}" if asked.until_ns else ""
    return f"it waits for an approval{who}: {asked.question!r} (claw approve {whose} or claw deny {whose}){until}"


def _not_completed(statuses: Mapping[str, str]) -> str:
    left = [f"{id} is {status}" for id, status in statuses.items() if status != "completed"]
    return (
        f"{len(left)} of them not completed yet: {_some(left)}"
        if left
        else "all of them have completed, so it is about to start"
    )


async def _statuses(questions: TypedQuestions, ids: Sequence[str]) -> dict[str, str]:
    """The status of each of the tasks."""
    found: dict[str, str] = {}
    for some in batched(dict.fromkeys(ids), _TOGETHER):
        known = (await questions.answer(_Statuses[str], "statuses", ids=some, fresh=True)).statuses
        found |= {id: known.get(id, "not there yet") for id in some}
    return found


def _somebody_did_it(known: Snapshot[Task]) -> bool:
    """Whether a reason names who asked for it."""
    life = known.state.life
    return not known.frozen and (life.cancel_requested or life.status in ("paused", "cancelled"))


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _newest_step(task: Task) -> str:
    steps = task.journal.steps()
    if not steps:
        return "no step is recorded yet"
    newest = max(steps, key=lambda step: step.at_ns)
    return f"its newest step {newest.name!r} is {newest.status} since {_when(newest.at_ns)}"


def _failed(task: Task, life: TaskStatus) -> str:
    if life.error is None:
        return f"it is {life.status}"
    error = f"{life.error.kind}: {life.error.message}"
    if not life.failures and not life.interruptions:
        return f"it ended before its code could run, {error}"
    if life.error.kind == "interrupted":
        return f"{life.interruptions} attempts in a row were interrupted without a new step: {life.error.message}"
    attempt = f"attempt {life.tries} failed"
    if life.status == "failed":
        return f"{attempt} with an error that is not retried, {error}"
    limit = task.max_retries
    used_up = (
        f"its {limit} retries are used up" if limit > 1 else "its retry is used up" if limit else "it has no retries"
    )
    return f"{attempt} and {used_up}, {error}"


def _deadline_too(task: Task, life: TaskStatus) -> str:
    return " --deadline T" if task.spec and 0 < task.spec.deadline_ns <= life.completed_ns else ""


def _who(history: TaskHistory, kind: type) -> str:
    found = history.last(kind)
    if found is None:
        return "somebody"
    event, commit = found
    return event.by or commit.record.by or "somebody"


def _when(at_ns: int) -> str:
    return f"{(iso(at_ns) or '')[:19]}Z"
