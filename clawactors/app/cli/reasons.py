"""Why a task is in its state, in sentences; pure, from what its log says."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, assert_never

from clawactors.app.cli.past import Past
from clawactors.app.cli.screen import when
from clawactors.kernel.time import iso
from clawactors.systems.tasks import TaskStatus
from clawactors.systems.tasks import events as e

__all__ = ["not_completed", "reasons_of", "waiting_for"]

_SHOWN: Final = 10


def waiting_for(life: TaskStatus) -> dict[str, Any]:
    """What a waiting task waits for, as data; empty for any other."""
    if life.status != "waiting":
        return {}
    facts = {"for": life.waiting_for, "until": iso(life.until_ns), "name": life.waiting_name}
    return {name: value for name, value in facts.items() if value}


def reasons_of(past: Past) -> list[str]:
    """The sentences; none for a pending task, whose reasons placement knows."""
    life = past.folded.state.life
    if past.folded.frozen:
        return [f"it needs a newer release: {past.folded.frozen}"]
    asked = [f"its end was asked for by {_who(past, e.CancelRequested)}"] if life.cancel_requested else []
    match life.status:
        case "pending":
            return asked
        case "waiting":
            return [_waiting(past, life), *asked]
        case "scheduled":
            since = f"since {when(iso(life.scheduled_ns))}"
            return [
                f"node {life.node} has it {since} (attempt {life.attempt}) and starts it in its next free slot",
                *asked,
            ]
        case "running":
            return [f"node {life.node} runs it, attempt {life.attempt}; {_newest_step(past)}", *asked]
        case "paused":
            return [f"{_who(past, e.Paused)} paused it: claw resume {past.id} lets it go on as {life.resumes_to}"]
        case "blocked" if life.blocked_by_others:
            return [
                f"{life.blocked_reason}: when that one goes on and completes, so does this",
                f"claw retry {past.id} lets it go once more, without waiting for that",
            ]
        case "blocked":
            return [f"it needs a person: {life.blocked_reason}", f"claw retry {past.id} lets it go once more"]
        case "completed":
            return [f"it ended well at {when(iso(life.completed_ns))}, attempt {life.attempt}"]
        case "cancelled":
            return [f"{_who(past, e.CancelRequested)} cancelled it"]
        case "failed" | "dead":
            return [_failed(past, life), f"claw retry {past.id}{_deadline_too(past, life)} lets it go once more"]
        case "archived":
            return ["it ended, and its history was moved to the archive"]
        case _:
            assert_never(life.status)


def _waiting(past: Past, life: TaskStatus) -> str:
    until = f" at {when(iso(life.until_ns))}" if life.until_ns else ""
    match life.waiting_for:
        case "retry":
            error = f" after {life.error.kind}: {life.error.message}" if life.error else ""
            return f"retry {life.failures} of {past.folded.state.max_retries} comes{until}{error}"
        case "timer":
            return f"it goes on{until}"
        case "dependency":
            after = past.folded.state.spec.after if past.folded.state.spec else ()
            return f"it comes after {_some(after)}"
        case "signal":
            gives_up = f" and gives up{until}" if until else ""
            return f"it waits for the signal {life.waiting_name!r}{gives_up}"
        case "fork":
            return "the steps that it begins with are still being copied; where that stopped, control finishes it"
        case None:
            return "it waits"
        case _:
            assert_never(life.waiting_for)


def not_completed(statuses: Mapping[str, str]) -> str:
    """Which of the predecessors have not completed, and what they are."""
    left = [f"{id} is {status}" for id, status in statuses.items() if status != "completed"]
    return f"of them {_some(left)}" if left else "all of them have completed, so it is about to go on"


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _newest_step(past: Past) -> str:
    steps = past.folded.state.journal.steps()
    if not steps:
        return "no step is on record yet"
    newest = max(steps, key=lambda step: step.at_ns)
    return f"its newest step {newest.name!r} is {newest.status} since {when(iso(newest.at_ns))}"


def _failed(past: Past, life: TaskStatus) -> str:
    if life.error is None:
        return f"it is {life.status}"
    said = f"{life.error.kind}: {life.error.message}"
    if past.last(e.Interrupted, e.AttemptFailed) is None:
        return f"it ended before its code could run, {said}"
    if life.error.kind == "interrupted":
        return f"{life.interruptions} runs in a row were interrupted with no new step: {life.error.message}"
    tries = f"attempt {life.attempt} failed"
    if life.status == "failed":
        return f"{tries} with an error that is not retried, {said}"
    limit = past.folded.state.max_retries
    used_up = (
        f"its {limit} retries are used up" if limit > 1 else "its retry is used up" if limit else "it has no retries"
    )
    return f"{tries} and {used_up}, {said}"


def _deadline_too(past: Past, life: TaskStatus) -> str:
    spec = past.folded.state.spec
    return " --deadline T" if spec and 0 < spec.deadline_ns <= life.completed_ns else ""


def _who(past: Past, kind: type) -> str:
    found = past.last(kind)
    if found is None:
        return "somebody"
    event, commit = found
    return event.by or commit.record.by or "somebody"
