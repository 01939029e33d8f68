"""Children and parents among the open tasks: an index, so that tasks without either cost nothing.

1. A child that ended is remembered until its open parent was told. Every control process folds it, so any may lead.
2. When a parent ends without a result, its open children are to be cancelled, but for those that say otherwise.
3. What ended before this process followed, or while the parent was ended itself, is looked up when the parent waits.
"""

from collections.abc import Callable, Iterable, Sequence

from clawactors.systems.tasks import TaskStatus
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.children import CHILDREN, ChildEnd, end_of, ends_in, made_by
from clawactors.systems.tasks.spec import OnParentCancel

__all__ = ["Families"]


class Families:
    """`run_of` gives the run of an open task, 0 of one that is not open.

    `untold` are ends by parent and child; `doomed` are children that are to be cancelled, each with its parent.

    `unknown` are parents that are not open and whose end is to be looked up; `unchecked` are parents that wait and
    whose children are to be looked up.
    """

    def __init__(self, run_of: Callable[[str], int]) -> None:
        self._run_of = run_of
        self.children: dict[str, dict[str, OnParentCancel]] = {}
        self.untold: dict[str, dict[str, ChildEnd]] = {}
        self.doomed: dict[str, str] = {}
        self.unknown: dict[str, None] = {}
        self.unchecked: dict[str, None] = {}
        self._read: set[str] = set()

    def opened(self, id: str, spec: e.Spec) -> None:
        """A task is there, or goes on."""
        if spec.parent:
            self.children.setdefault(spec.parent, {})[id] = spec.on_parent_cancel
            if not self._run_of(spec.parent):
                self.unknown[spec.parent] = None
        for child in self.children.get(id, ()):
            self.doomed.pop(child, None)

    def was_read(self, id: str) -> None:
        """A task was not followed from its first event on, so ends of its children may have been missed."""
        self._read.add(id)

    def waits(self, id: str) -> None:
        """A task waits for its children."""
        if id in self._read:
            self.unchecked[id] = None

    def ended(self, id: str, spec: e.Spec, version: int, life: TaskStatus) -> None:
        """A task has ended; it is no longer open."""
        self._read.discard(id)
        if self.untold:
            self.untold.pop(id, None)
        if id in self.children and life.status != "completed":
            self.orphan(id)
        if not spec.parent:
            return
        self.doomed.pop(id, None)
        siblings = self.children.get(spec.parent, {})
        siblings.pop(id, None)
        if not siblings:
            self.children.pop(spec.parent, None)
            self.unknown.pop(spec.parent, None)
        parent, run = made_by(spec)
        if self._run_of(parent) == run:
            self.note(parent, (end_of(id, version, life),))

    def orphan(self, parent: str) -> None:
        """The parent has ended without a result."""
        for child, policy in self.children.get(parent, {}).items():
            if policy == "cancel":
                self.doomed[child] = parent

    def note(self, parent: str, ends: Iterable[ChildEnd]) -> None:
        """These are to be told."""
        for end in ends:
            self.untold.setdefault(parent, {})[end.id] = end

    def apply(self, parent: str, events: Sequence[e.TaskEvent]) -> None:
        """Looks for what the parent was told in a commit of it."""
        for event in events:
            if type(event) is e.Signalled and event.name == CHILDREN:
                self.was_told(parent, ends_in(event.payload))

    def was_told(self, parent: str, ends: Iterable[ChildEnd]) -> None:
        """The parent knows these."""
        waiting = self.untold.get(parent)
        if waiting is None:
            return
        for end in ends:
            if end.id in waiting and waiting[end.id].version <= end.version:
                del waiting[end.id]
        if not waiting:
            del self.untold[parent]

    def checked(self, parent: str, ends: Iterable[ChildEnd]) -> None:
        """The children of the parent were looked up: these ends it was not told."""
        self._read.discard(parent)
        self.unchecked.pop(parent, None)
        if self._run_of(parent):
            self.note(parent, ends)
