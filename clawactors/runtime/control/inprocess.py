"""Views of a control process that are kept in memory: for tests, simulations, and a cluster within one process."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from clawactors.eventlog import EventLog
from clawactors.eventlog.decoding import Commit
from clawactors.kernel.fold import Snapshot, fold
from clawactors.kernel.kind import Kinds
from clawactors.runtime.control.ports import Archivable
from clawactors.systems.erasures import Erasure
from clawactors.systems.nodes import Node
from clawactors.systems.placement import PlacementStart
from clawactors.systems.schedules import Schedule
from clawactors.systems.tasks import TASK, Status, Task, TaskStatus
from clawactors.systems.tasks.children import made_by
from clawactors.systems.tasks.events import Spec, TaskError
from clawactors.systems.triggers import Trigger

__all__ = ["InProcessViews"]


class _Ended(msgspec.Struct, frozen=True):
    status: str
    version: int
    result: Any
    error: TaskError | None
    erased: bool


class _Beginning:
    """A `PlacementStart` before the first event."""

    position = 0

    def open_tasks(self) -> Iterable[tuple[str, int, Task]]:
        """None."""
        return ()

    def ended(self) -> Iterable[tuple[str, Status]]:
        """None."""
        return ()

    def nodes(self) -> Iterable[tuple[str, int, Node]]:
        """None."""
        return ()

    def schedules(self) -> Iterable[tuple[str, int, Schedule]]:
        """None."""
        return ()

    def triggers(self) -> Iterable[tuple[str, int, Trigger]]:
        """None."""
        return ()

    def frozen(self) -> Iterable[tuple[str, str]]:
        """None."""
        return ()

    def erasures(self) -> Iterable[tuple[str, int, Erasure]]:
        """None."""
        return ()


class InProcessViews:
    """Holds the state of every aggregate; begins with the first event of the log."""

    def __init__(self, kinds: Kinds, log: EventLog | None = None) -> None:
        self._kinds, self._log = kinds, log
        self._states: dict[tuple[str, str], Snapshot[Any]] = {}
        self._answered: dict[tuple[str, str], dict[str, int]] = {}
        self._first: dict[tuple[str, str], int] = {}
        self._upto = 0

    @property
    def snapshots(self) -> "InProcessViews":
        """The states of single aggregates: this very object."""
        return self

    def snapshot(self) -> PlacementStart:
        """What placement starts from: nothing, for every event is folded."""
        return _Beginning()

    def ended(self, ids: Sequence[str]) -> Mapping[str, _Ended]:
        """The tasks among them that have ended."""
        found: dict[str, _Ended] = {}
        for id in ids:
            known = self._states.get(("task", id))
            if known is not None and TASK.is_final(known.state):
                life = known.state.life
                spec = known.state.spec
                found[id] = _Ended(
                    life.status, known.version, life.result, life.error, spec is not None and spec.erased
                )
        return found

    def get(self, kind: str, id: str, *, brief: bool = False) -> tuple[Snapshot[Any], Mapping[str, int]]:
        """The aggregate, in the brief form of its kind or whole, and the command ids that it answers, by version."""
        known = self._states.get((kind, id)) or Snapshot(self._kinds[kind].decider.initial)
        if brief:
            known = msgspec.structs.replace(known, state=self._kinds[kind].brief(known.state))
        return known, self._answered.get((kind, id), {})

    def specs_of(self, ids: Iterable[str]) -> Mapping[str, Spec]:
        """What was asked for."""
        known = ((id, self._states.get(("task", id))) for id in ids)
        return {id: snapshot.state.spec for id, snapshot in known if snapshot is not None and snapshot.state.spec}

    async def children_of(self, parent: str, run: int) -> Sequence[tuple[str, int, TaskStatus]]:
        """The children of that run of the task."""
        tasks = ((id, known) for (_, id), known in self._states.items() if isinstance(known.state, Task))
        return [
            (id, known.version, known.state.life)
            for id, known in tasks
            if known.state.spec is not None and made_by(known.state.spec) == (parent, run)
        ]

    async def archivable(self, before_ns: int, limit: int, after: int) -> Sequence[Archivable]:
        """Tasks that had ended before that time."""
        ended = [
            Archivable(id, self._first[kind, id], known.version, known.state.spec.parent)
            for (kind, id), known in self._states.items()
            if isinstance(known.state, Task) and known.state.spec and not known.frozen
            and TASK.is_final(known.state) and not known.state.life.archived
            and known.state.life.updated_ns < before_ns and self._first[kind, id] > after
        ]  # fmt: skip
        return sorted(ended, key=lambda each: each.first)[:limit]

    async def compact(self) -> tuple[int, int]:
        """Nothing is on disk."""
        return 0, 0

    async def apply(self, commits: Sequence[Commit], upto: int) -> None:
        """Folds the commits."""
        self._upto = max(self._upto, upto)
        self.fold(commits)

    async def renew(self) -> bool:
        """Folds the log again, where it was given one."""
        if self._log is None:
            return False
        commits: list[Commit] = []
        async for records in self._log.read(self._kinds.patterns, until=self._upto):
            commits += map(self._kinds.decoder.decode, records)
        self._states.clear()
        self._answered.clear()
        self._first.clear()
        self.fold(commits)
        return True

    def fold(self, commits: Iterable[Commit]) -> None:
        """Folds the commits, at once."""
        for commit in commits:
            if commit.kind in self._kinds and commit.id:
                key = commit.kind, commit.id
                self._first.setdefault(key, commit.record.seq)
                self._states[key] = fold(self._kinds[commit.kind], self.get(*key)[0], commit.record)
                if commit.record.answers:
                    answers = dict.fromkeys(commit.record.answers, commit.record.seq)
                    self._answered[key] = self._answered.get(key, {}) | answers
