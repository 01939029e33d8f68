"""State and version of single aggregates, as of the last commit that the live views were given.

The row is read, and the commits that the feed has not written yet are folded on it. The log is not read.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import msgspec

from clawactors.eventlog import writer_of
from clawactors.eventlog.decoding import Commit
from clawactors.kernel.fold import Snapshot, fold
from clawactors.projections.engine.answers import answered_by
from clawactors.projections.engine.faults import frozen_of, uncreated_version
from clawactors.projections.engine.store import Reading, Store
from clawactors.projections.engine.view import Projection, SnapshotView
from clawactors.projections.views.tasks import table as t
from clawactors.systems.tasks import FINAL, Status
from clawactors.systems.tasks.events import Spec, TaskError

__all__ = ["EndedTask", "Unwritten", "ViewSnapshots"]


class Unwritten(Protocol):
    """What the views were given and have not written yet."""

    def unwritten(self, kind: str, id: str) -> Sequence[Commit]:
        """The commits of that aggregate, in their order; some of them may be in the rows already."""
        ...


class EndedTask(msgspec.Struct, frozen=True, gc=False):
    """How a task ended; `erased`: what it returned is gone."""

    status: Status
    version: int
    result: Any
    error: TaskError | None
    erased: bool = False


class ViewSnapshots:
    """`store` gives the live store, `feed` what is not written yet.

    Order: synchronous; call it in the event loop that feeds the views. All raise `Corrupt` and `Unavailable`.
    """

    def __init__(self, store: Callable[[], Store], feed: Unwritten, projection: Projection) -> None:
        self._store, self._feed, self._kinds = store, feed, projection.kinds
        self._views = {view.kind: view for view in projection.views() if isinstance(view, SnapshotView)}

    def get(self, kind: str, id: str, *, brief: bool = False) -> tuple[Snapshot[Any], dict[str, int]]:
        """The state as of now, and the ids of the commands that its commits have answered, each with its version.

        An aggregate without records is its kind's initial state at version 0. `brief`: in the brief form of its kind.
        Raises: `KeyError` for a kind that no view folds.
        """
        with self._store().snapshot() as reading:
            return self._get(reading, kind, id, brief=brief)

    def _get(self, reading: Reading, kind: str, id: str, *, brief: bool) -> tuple[Snapshot[Any], dict[str, int]]:
        unwritten = self._feed.unwritten(kind, id)
        # What is not written yet can be folded on nothing but the whole state: a repeated step would count twice.
        stored = self._views[kind].load(reading, id, brief=brief and not unwritten)
        frozen = frozen_of(reading, kind, id)
        why = frozen.reason if frozen else ""
        if stored is None:
            initial = self._kinds[kind].decider.initial
            snapshot, answered = Snapshot(initial, uncreated_version(reading, kind, id), why), dict[str, int]()
        else:
            snapshot, answered = Snapshot(stored.state, stored.version, why), stored.answered
        for commit in unwritten:
            if commit.record.seq > snapshot.version:
                snapshot = self._folded(snapshot, commit, answered)
        if brief and unwritten:
            snapshot = msgspec.structs.replace(snapshot, state=self._kinds[kind].brief(snapshot.state))
        return snapshot, answered

    def _folded(self, before: Snapshot[Any], commit: Commit, answered: dict[str, int]) -> Snapshot[Any]:
        kind, record = self._kinds[commit.kind], commit.record
        after = fold(kind, before, record)
        ours = after.state is not kind.decider.initial and kind.believes(
            commit.id, before.state, writer_of(record.subject)
        )
        if ours and not (after.frozen or commit.fault):
            answered.update(dict.fromkeys(answered_by(record), record.seq))
        return after

    def ended(self, ids: Iterable[str]) -> dict[str, EndedTask]:
        """Of those tasks, the ones that have ended, looked up in one moment of the store."""
        ended: dict[str, EndedTask] = {}
        with self._store().snapshot() as reading:
            for id in ids:
                if self._feed.unwritten("task", id):
                    snapshot, _ = self._get(reading, "task", id, brief=True)
                    version, life, spec = snapshot.version, snapshot.state.life, snapshot.state.spec
                elif (key := t.find(reading, id)) is not None:
                    version, life = t.load_status(reading, key)
                    spec = t.load_spec(reading, key) if life.result is None else None
                else:
                    continue
                if life.status in FINAL:
                    erased = spec is not None and spec.erased
                    ended[id] = EndedTask(life.status, version, life.result, life.error, erased)
        return ended

    def specs_of(self, ids: Iterable[str]) -> dict[str, Spec]:
        """The specs of those tasks, with their parameters, in one moment of the store; no entry where there is none."""
        specs: dict[str, Spec] = {}
        with self._store().snapshot() as reading:
            for id in ids:
                spec: Spec | None
                if self._feed.unwritten("task", id):
                    spec = self._get(reading, "task", id, brief=True)[0].state.spec
                else:
                    key = t.find(reading, id)
                    spec = None if key is None else t.load_spec(reading, key)
                if spec is not None:
                    specs[id] = spec
        return specs
