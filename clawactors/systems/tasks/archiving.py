"""A task whose history has moved to the archive: what its tombstone says is all that is known of it in the log.

1. The state after a tombstone follows from the tombstone alone, so it is the same for a reader that saw the history and
   for one that came after it was purged.
2. The id stays taken. To submit the same again is still a repeat: the tombstone has a digest of what was asked for.
"""

import hashlib
from typing import Any, Final

import msgspec

from clawactors.eventlog.errors import FromTheFuture, Malformed
from clawactors.kernel.errors import Exists, Refused
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.continuing import params_digest
from clawactors.systems.tasks.spec import Spec
from clawactors.systems.tasks.submission import as_stored
from clawactors.systems.tasks.task import FINAL, Task, TaskStatus

__all__ = ["again", "archive", "file_of", "may_move", "moved"]

_UNASKED: Final = ("type", "not_before_ns", "erased")
"""How a request came, a time that follows from when it came, and what became of it: a repeat may have others."""
_PLAIN: Final = Spec(skill="")

_TAG: Final = b'"task.archived"'
_canonical: Final = msgspec.json.Encoder(order="deterministic").encode


def archive(command: c.ArchiveTask, task: Task, spec: Spec) -> tuple[e.TaskEvent, ...]:
    """The tombstone of a task that has ended, none where it has one. Raises: `Refused`."""
    life = task.life
    if life.status not in FINAL:
        raise Refused(f"the task is {life.status}; only an ended task can be archived")
    tombstone = e.TaskArchived()
    if command.file:
        tombstone = e.TaskArchived(
            file=command.file,
            first=command.first,
            ended="" if life.status == "archived" else life.status,
            skill=spec.skill,
            user=spec.user,
            submitted_ns=life.submitted_ns,
            completed_ns=life.completed_ns,
            digest=_digest(spec, life.submitted_params or params_digest(spec.params)),
        )
    return (tombstone,) if may_move(life, tombstone) else ()


def may_move(life: TaskStatus, event: e.TaskArchived) -> bool:
    """A task that has ended moves once; where a person had deleted it, its history is moved later."""
    return life.archived is None and (event.file != "" or life.status != "archived")


def moved(event: e.TaskArchived, at_ns: int) -> Task:
    """The state after that tombstone, whatever it was before."""
    life = TaskStatus(
        status="archived",
        submitted_ns=event.submitted_ns,
        completed_ns=event.completed_ns,
        updated_ns=at_ns,
        archived=event,
    )
    return Task(e.Submitted(skill=event.skill, user=event.user), life)


def again(tombstone: e.TaskArchived, wished: Spec) -> tuple[e.TaskEvent, ...]:
    """None for a repeat of what the task that has moved was submitted with. Raises: `Exists`, `Refused`."""
    stored = as_stored(wished)
    if _digest(stored, params_digest(stored.params)) != tombstone.digest:
        raise Exists("was archived, and had been submitted with something else; choose another id")
    return ()


def _digest(spec: Spec, params: str) -> str:
    """Of what differs from the defaults: a field that a later release adds changes no digest."""
    names = (name for name in Spec.__struct_fields__ if name not in _UNASKED)
    asked: dict[str, Any] = {
        name: getattr(spec, name) for name in names if getattr(spec, name) != getattr(_PLAIN, name)
    }
    return hashlib.blake2b(_canonical(asked | {"params": params}), digest_size=12).hexdigest()


def file_of(body: bytes) -> str:
    """The file that a commit's body says the history has moved to, '' for any other body."""
    if _TAG not in body:
        return ""
    try:
        tombstones = [each for each in e.CODEC.decode(body) if isinstance(each, e.TaskArchived)]
    except (Malformed, FromTheFuture):
        return ""
    return tombstones[-1].file if tombstones else ""
