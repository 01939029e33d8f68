"""Undo in workflows: a task for each completed step that says how it is undone, the last one first.

1. A step with an undo is recorded twice, before its child is made and after the child has completed. The first record
   names the child, so once both are undone, a retry of the workflow makes a new one.
2. When the workflow fails, its code runs the tasks and waits for each. Otherwise, as after `claw cancel --undo`, they
   are submitted so that each comes after the one before; nobody waits for them, and they outlive the workflow.
3. Both ways make the same tasks, with ids that follow from the step: none runs twice.
"""

import secrets
from typing import TYPE_CHECKING, Any, Final

from clawactors.kernel.errors import Refused
from clawactors.runtime.node.attempt.journal import load_task
from clawactors.runtime.node.attempt.undoing import undone_attempt
from clawactors.runtime.node.children import TaskChildren
from clawactors.runtime.node.step import Step
from clawactors.systems.tasks import FINAL
from clawactors.systems.tasks.children import child_id
from clawactors.systems.tasks.retry import Retry

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["BEGAN", "DONE", "LEFT", "began", "done"]

LEFT: Final = "leave"
"""What becomes of the tasks when the workflow ends."""
BEGAN, DONE = ":began", ":done"
"""What the names of the two records end with."""


async def _token(step: str) -> str:
    return secrets.token_hex(6)


async def _forget(token: str, step: str) -> None:
    """Nothing is left to undo; but the record is undone, so the next attempt makes another child."""


async def _completed(step: str, token: str, skill: str, params: dict[str, Any], options: dict[str, Any]) -> str:
    return f"undo {step} {token}"


async def _undo(key: str, step: str, token: str, skill: str, params: dict[str, Any], options: dict[str, Any]) -> None:
    """Submits the task that undoes the step, if the workflow did not run it before. Raises: `Refused` if it failed."""
    attempt = undone_attempt.get()
    id = child_id(attempt.id, key)
    known = await attempt.retry_while_unavailable(lambda: load_task(attempt.context, id, at_least=-1, brief=True))
    life = known.state.life
    if known.state.exists:
        if life.status in FINAL and life.status != "completed":
            why = f": {life.error.kind}: {life.error.message}" if life.error else ""
            raise Refused(f"task {id} that undoes it is {life.status}{why}")
        return
    children = TaskChildren(attempt)
    wanted = {"name": key.rpartition(" ")[0], "on_parent_cancel": LEFT, **options}
    if before := _before(attempt, key):
        wanted |= {"after": [child_id(attempt.id, before)], "on_dead": "run"}
    spec = await children.spec_of(skill, params, wanted)
    await attempt.retry_while_unavailable(lambda: children.submitter().submit(id, spec))


def _before(attempt: "Attempt", key: str) -> str:
    """The key of the task that undoes the step which completed next after this one, if that was undone already."""
    journal, keys = attempt.journal.entries, dict[str, str]()
    for entry in journal:  # one that was undone has its result in the entry before
        if entry.name.endswith(DONE) and entry.status == "completed":
            keys[entry.name] = entry.result
    later = list(keys)[list(keys.values()).index(key) + 1 :]
    undone = (name for name in later if (last := journal.last(name)) is not None and last.status == "compensated")
    return next((keys[name] for name in undone), "")


began: Final = Step(_token, undo=_forget)
"""Recorded before the child of a step with an undo is made; its result is a part of the child's key."""
undo: Final = Step(_undo, retry=Retry(max_retries=10), timeout="1h")
done: Final = Step(_completed, undo=undo)
"""Recorded after the child has completed; its result is the key of the task that undoes it."""
