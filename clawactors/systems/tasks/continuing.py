"""The rules of runs: a task that begins anew under its id, with other parameters and an empty journal.

1. What a run has recorded ends with it: steps, waits, failures, open approvals. Signals that it did not take stay.
2. A requested cancel ends the task instead; steps of a run that ended so are never undone later.
3. Submitting the task again with its first parameters still finds it.
"""

import hashlib
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from clawactors.kernel.errors import Refused
from clawactors.systems.tasks import attemptcommands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.journal import RESERVED, SIGNAL, Entry, Journal
from clawactors.systems.tasks.parking import UNDONE
from clawactors.systems.tasks.spec import Spec
from clawactors.systems.tasks.submission import as_stored, difference
from clawactors.systems.tasks.task import Task, TaskStatus
from clawactors.systems.tasks.undoing import undone_first
from clawactors.systems.tasks.waiting import pending, waiting

__all__ = ["IDLE_NS", "continue_run", "continued", "difference_from", "may_continue", "params_digest"]

IDLE_NS: Final = 1_000_000_000
"""A run that left nothing on record is followed by the next one after this time."""

_OWN: Final = SIGNAL + RESERVED
_canonical: Final = msgspec.json.Encoder(order="deterministic").encode


def continue_run(command: c.ContinueRun, task: Task) -> tuple[e.TaskEvent, ...]:
    """The event that ends the run, or the end of the task where somebody asked for a cancel. Raises: `Refused`."""
    life = task.life
    if life.undo is not None:
        raise Refused(UNDONE)
    if life.cancel_requested:
        return (undone_first(task, "cancelled", None, e.Cancelled()),)
    idle = not command.taken and all(_is_users(entry) for entry in task.journal)
    return (e.Continued(run=life.run + 1, params=command.params, taken=command.taken, idle=idle),)


def may_continue(life: TaskStatus, event: e.Continued) -> bool:
    """True where the event begins the next run of a task that is not about to end."""
    return event.run == life.run + 1 and not life.cancel_requested and life.undo is None


def continued(task: Task, spec: Spec, event: e.Continued, at_ns: int) -> Task:
    """The task as its next run finds it."""
    life = task.life
    rests = waiting(life, at_ns, "timer", at_ns + IDLE_NS) if event.idle else pending(life, at_ns)
    afresh = replace(
        rests,
        run=event.run,
        submitted_params=life.submitted_params or params_digest(spec.params),
        wakes=life.attempt,
        failures=0,
        interruptions=0,
        lost=0,
        max_retries=None,
        error=None,
        avoid="",
        progress=0.0,
        steps_completed=0,
        undoable=0,
        undo_on_failure=False,
        approvals=(),
        waited=(),
    )
    return Task(replace(spec, params=event.params), afresh, Journal(_left(task.journal, event.taken)))


def _is_users(entry: Entry) -> bool:
    return entry.status == "signalled" and not entry.name.startswith(_OWN)


def _left(journal: Journal, taken: dict[str, int]) -> list[Entry]:
    """The signals that the code has not had."""
    left: list[Entry] = []
    seen: dict[str, int] = {}
    for entry in filter(_is_users, journal):
        number = seen[entry.name] = seen.get(entry.name, 0) + 1
        if number > taken.get(entry.name.removeprefix(SIGNAL), 0):
            left.append(entry)
    return left


def difference_from(task: Task, wished: Spec) -> str | None:
    """The first field in which that differs from what the task was submitted with, as `difference` finds it."""
    stored = task.spec or Spec(skill="")
    if submitted := task.life.submitted_params:
        if params_digest(as_stored(wished).params) != submitted:
            return "params"
        wished = replace(wished, params=stored.params)
    return difference(stored, wished)


def params_digest(params: dict[str, Any]) -> str:
    """What stands for parameters that are not kept."""
    return hashlib.blake2b(_canonical(params), digest_size=12).hexdigest()
