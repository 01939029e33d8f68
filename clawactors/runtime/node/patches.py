"""Changes of the code of running tasks: which of them a run has.

1. A run that comes to a change has it, unless it went past that place before: then it has recorded steps or waits that
   the code has not come to yet.
2. The answer is given once a run. That it is yes is on record before anything that the code does next.
3. Where it could not be recorded, nothing behind that place is on record, so a resume may answer anew.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from clawactors.kernel.errors import Refused
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.children import CHILDREN, ends_in
from clawactors.systems.tasks.journal import PATCHED, RECOVERY, SIGNAL

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["WAY_OUT", "TaskPatches"]

WAY_OUT: Final = "or guard the change with task.patched"
"""Said where a task is blocked because its code was changed."""

_NAME_MAX: Final = 128


class TaskPatches:
    """The changes that the code of one attempt has asked for."""

    def __init__(self, attempt: "Attempt") -> None:
        self._attempt = attempt
        self._known: dict[str, bool] = {}
        self._unwritten: list[str] = []

    def has(self, id: object) -> bool:
        """See `TaskContext.patched`."""
        attempt = self._attempt
        attempt.check()
        if not isinstance(id, str) or not 0 < len(id) <= _NAME_MAX or not id.isprintable():
            raise Refused(f"a change is named by 1 to {_NAME_MAX} printable characters, not {repr(id)[:40]}")
        if (known := self._known.get(id)) is None:
            mark = PATCHED + id
            is_marked = attempt.journal.entries.completed(mark)
            known = self._known[id] = is_marked or not self._is_past()
            if known and not is_marked:
                self._note(mark)
        return known

    def wake(self) -> None:
        """The attempt is at work again: what was answered while it was parked can be noted."""
        unwritten, self._unwritten = self._unwritten, []
        for mark in unwritten:
            self._note(mark)

    def _note(self, mark: str) -> None:
        attempt = self._attempt
        try:
            attempt.journal.note(c.CompleteStep(attempt.fence, mark))
        except Refused:  # it is parked, and another branch of its code goes on
            self._unwritten.append(mark)

    def _is_past(self) -> bool:
        """True where an earlier attempt of this run has recorded what the code has not come to yet."""
        attempt = self._attempt
        if not attempt.assignment.is_resumed:
            return False
        used = attempt.journal.used
        return any(name not in used for name in self._earlier())

    def _earlier(self) -> Iterator[str]:
        """What earlier attempts of this run have recorded, and what they have waited for since."""
        attempt = self._attempt
        first = attempt.assignment.event.attempt
        for entry in attempt.journal.entries:
            if entry.attempt >= first:
                break
            if entry.name == SIGNAL + CHILDREN:
                yield from (end.id for end in ends_in(entry.result))
            elif entry.status != "signalled" and not entry.name.startswith((PATCHED, RECOVERY)):
                yield entry.name
        yield from attempt.earlier_waits
