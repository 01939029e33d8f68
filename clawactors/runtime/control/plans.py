"""Keeps what a control process plans with in line with the log: placement's open tasks and nodes, and the schedules."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from clawactors.eventlog import writer_of
from clawactors.eventlog.decoding import Commit
from clawactors.kernel.roster import Roster
from clawactors.runtime.control.background import ControlBackground
from clawactors.runtime.control.ends import EndNotifier
from clawactors.runtime.control.erasing import Eraser
from clawactors.runtime.control.folded import FoldedSnapshots
from clawactors.systems.erasures import ERASURE
from clawactors.systems.nodes import NODE
from clawactors.systems.nodes.kind import NODES
from clawactors.systems.placement import ClusterState, PlacementStart
from clawactors.systems.schedules import SCHEDULE
from clawactors.systems.schedules.roster import ScheduleRoster
from clawactors.systems.tasks import TASK
from clawactors.systems.tasks.events import Submitted
from clawactors.systems.triggers import TRIGGER
from clawactors.systems.triggers.roster import TriggerRoster

__all__ = ["Plans"]


class Plans:
    """`apply` takes all commits; `changed` is called when something came to be known by looking it up."""

    def __init__(
        self,
        state: ClusterState,
        roster: ScheduleRoster,
        triggers: TriggerRoster,
        ends: EndNotifier,
        eraser: Eraser,
        snapshots: FoldedSnapshots,
        background: ControlBackground,
        changed: Callable[[], None],
    ) -> None:
        self._state, self._roster, self._triggers, self._ends = state, roster, triggers, ends
        self._eraser = eraser
        self._snapshots, self._background, self._changed = snapshots, background, changed
        self._by_kind: dict[str, Callable[[Commit], None]] = {
            TASK.kind: self._apply_task,
            NODE.kind: self._apply_node,
            SCHEDULE.kind: partial(_apply_to, roster),
            TRIGGER.kind: partial(_apply_to, triggers),
            ERASURE.kind: eraser.apply,
        }

    def load(self, start: PlacementStart) -> None:
        """Starts from a view instead of from the first event."""
        self._state.load(start)
        self._roster.load(start.schedules(), start.frozen())
        self._triggers.load(start.triggers(), start.frozen())
        self._eraser.roster.load(start.erasures(), start.frozen())
        self.load_statuses()

    def apply(self, commits: Iterable[Commit]) -> None:
        """Tells those who plan with that kind; most kinds need no plans, they are decided and shown."""
        by_kind = self._by_kind
        for commit in commits:
            if (apply := by_kind.get(commit.kind)) is not None:
                apply(commit)
        self._ends.notify()  # before anything else is done with them: somebody waits for it

    def _apply_task(self, commit: Commit) -> None:
        record, state = commit.record, self._state
        if commit.fault == "malformed" or not state.believes(commit.id, writer_of(record.subject)):
            state.apply_nothing(commit.kind, commit.id, record.seq)
            return
        if commit.fault == "future":
            state.freeze(commit.kind, commit.id)
            self._ends.on_frozen(commit.id, record.seq, commit.reason)
            return
        events = commit.events
        first = type(events[0]) is Submitted and record.expected == 0
        if not state.apply_task(commit.id, record.seq, events, record.at_ns, first=first):
            self._background.insist(partial(self._adopt, commit.id))

    def _apply_node(self, commit: Commit) -> None:
        record, state = commit.record, self._state
        if commit.fault == "malformed" or not NODES.believes(commit.id, NODE.initial, writer_of(record.subject)):
            state.apply_nothing(commit.kind, commit.id, record.seq)
        elif commit.fault == "future":
            state.freeze(commit.kind, commit.id)
        else:
            state.apply_node(commit.id, record.seq, commit.events, record.at_ns)

    async def _adopt(self, id: str) -> None:
        """Looks up a task that had ended, and so was forgotten here, and now goes on."""
        while True:
            snapshot, _ = self._snapshots.states.get(TASK.kind, id, brief=True)
            if snapshot.frozen:
                return
            if self._state.adopt(id, snapshot.version, snapshot.state):
                break
            await self._snapshots.fresh()
        self.load_statuses()  # it may wait for others again
        self._changed()

    def load_statuses(self) -> None:
        """Finds out about tasks that others wait for, and that are not open here."""
        if asked := self._state.asks():
            self._background.insist(partial(self._load_statuses, asked))

    async def _load_statuses(self, ids: Sequence[str]) -> None:
        await self._snapshots.fresh()
        for id in ids:
            known, _ = self._snapshots.states.get(TASK.kind, id, brief=True)
            status = known.state.life.status if known.state.exists and not known.frozen else None
            self._state.note_status(id, known.version, status)
        self._changed()


def _apply_to(roster: Roster[Any, Any, Any], commit: Commit) -> None:
    if writer_of(commit.record.subject):
        return
    if commit.fault == "future":
        roster.freeze(commit.id)
    else:
        roster.apply(commit.id, commit.record.seq, commit.events, commit.record.at_ns)
