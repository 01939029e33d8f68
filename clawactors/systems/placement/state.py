"""What placement knows: all open tasks and all nodes, folded from the log.

1. Applying is idempotent by version: what was seen already changes nothing.
2. What a later release has written to is left alone.
3. What belongs to tasks alone is in `opentasks`, what belongs to nodes alone in `nodes`.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from clawactors.systems.nodes import NODE
from clawactors.systems.nodes import events as n
from clawactors.systems.placement.activity import Activity
from clawactors.systems.placement.choice import NodeCapacity
from clawactors.systems.placement.nodes import ClusterNodes
from clawactors.systems.placement.opentasks import OpenTasks
from clawactors.systems.placement.order import slim
from clawactors.systems.placement.ports import PlacementStart
from clawactors.systems.placement.silence import Silence
from clawactors.systems.settings import DEFAULTS
from clawactors.systems.tasks import FINAL, TASK, Status, Task
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.timers import Agenda

__all__ = ["ClusterState"]

_ENDED_THERE = frozenset(("completed", "failed", "dead"))


def _light(event: e.TaskEvent) -> e.TaskEvent:
    """The event without what may be large and is of no use here."""
    kind = type(event)
    if kind is e.Started or kind is e.Completed or kind is e.Scheduled:  # nearly all of them
        return event
    if isinstance(event, e.Spec):
        large = event.params or event.metadata or event.description
        return replace(event, params={}, metadata={}, description="") if large else event
    if type(event) is e.Continued:
        return replace(event, params={}) if event.params else event
    if type(event) is e.StepCompleted:
        return event if event.result is None else replace(event, result=None)
    return replace(event, payload=None) if type(event) is e.Signalled else event


class ClusterState:
    """All open tasks and all nodes, as of `position`. `silence` knows which attempts run and say nothing, `activity`
    what happened lately.
    """

    def __init__(self, agenda: Agenda | None = None, silence_s: float = DEFAULTS.task_silence) -> None:
        self.position = 0
        self.agenda = agenda or Agenda()
        self.silence = Silence(silence_s)
        self.activity = Activity()
        self.nodes = ClusterNodes()
        self.tasks = OpenTasks(self.nodes, self.agenda, self.silence)
        self._tasks, self._frozen, self._awaited = self.tasks.by_id, self.tasks.frozen, self.tasks.awaited

    def load(self, snapshot: PlacementStart) -> None:
        """Starts from a view instead of from the first event."""
        for id, _, node in snapshot.nodes():
            self.nodes.by_id[id] = NodeCapacity(id, node)
        self.tasks.announce_limits()
        for kind, id in snapshot.frozen():
            self.freeze(kind, id)
        for id, version, task in snapshot.open_tasks():
            if task.life.attempt:  # its code may have made children
                self.tasks.families.was_read(id)
            self.tasks.hold(id, version, slim(task))
        for id, status in snapshot.ended():
            self.tasks.ended_for_others(id, status)
        self.position = snapshot.position

    def listen(self, now_ns: int) -> None:
        """Attempts and commits are heard of from now on; called again after an interruption."""
        self.silence.listen(now_ns)
        self.activity.since_ns = self.activity.since_ns or now_ns

    def apply_node(self, id: str, version: int, events: Sequence[n.NodeEvent], at_ns: int) -> None:
        """Folds a commit of a node."""
        if version <= self.position:
            return
        self.position = version
        self.activity.apply(events, at_ns)
        if (capacity := self.nodes.apply(id, events, at_ns)) is not None:
            self.tasks.announce_limits()
            self.tasks.enter_all(capacity.assigned | capacity.parked)

    def apply_task(
        self, id: str, version: int, events: Sequence[e.TaskEvent], at_ns: int, *, first: bool = True
    ) -> bool:
        """Folds a commit of a task; False when it may be an ended task, forgotten here, that goes on: adopt it then.

        `first` says for a submission that it was appended as the first of its task, so there is nothing to forget.
        """
        if version <= self.position:
            return True
        self.position = version
        held = self._tasks.get(id)
        self.activity.apply(events, at_ns, None if held is None else held.task)
        if id in self._frozen or (held is not None and version <= held.version):
            return True
        if id in self._awaited:
            self._awaited[id] = version
            return True
        if held is None and not (first and type(events[0]) is e.Submitted):
            goes_on = any(isinstance(event, e.Retried | e.Submitted) for event in events)
            if goes_on:
                self._awaited[id] = version
            return not goes_on
        if id in self.tasks.families.untold:
            self.tasks.families.apply(id, events)
        task = held.task if held else Task()
        for event in events:
            task = TASK.evolve(task, _light(event), at_ns)
        if held is not None and held.given and task.life.status in _ENDED_THERE:
            self.nodes.ended_one(held.task.life.node, at_ns)
        if task.life.status in FINAL:
            self.activity.ended(task.life)
        self.tasks.hold(id, version, task)
        return True

    def believes(self, id: str, writer: str) -> bool:
        """May that node, "" for control, speak about the task as it is here? About one that is not open no node may."""
        held = self._tasks.get(id)
        return not writer or (held is not None and TASKS.believes(id, held.task, writer))

    def adopt(self, id: str, version: int, task: Task) -> bool:
        """Adds a task that was read from its log; False if newer commits have arrived since: read it again."""
        task = slim(task)
        if version < self._awaited.get(id, 0):
            return False
        if self._awaited.pop(id, None) is not None and task.exists:
            self.tasks.families.was_read(id)
            self.tasks.hold(id, version, task)
        return True

    def apply_nothing(self, kind: str, id: str, version: int) -> None:
        """A record that says nothing, or whose writer is not believed: it still counts as a version."""
        if version <= self.position:
            return
        self.position = version
        if kind != TASK.kind:
            return
        if (held := self._tasks.get(id)) is not None and version > held.version:
            self.tasks.hold(id, version, held.task)
        elif id in self._awaited:
            self._awaited[id] = version

    def freeze(self, kind: str, id: str) -> None:
        """A later release has written to this aggregate: nothing is decided about it here."""
        if kind == NODE.kind:
            seat = self.nodes.freeze(id)
            self.tasks.enter_all(seat.assigned | seat.parked)
        elif kind == TASK.kind:
            self._frozen.add(id)
            self._awaited.pop(id, None)
            if (held := self._tasks.get(id)) is not None:
                held.ordered, held.to = False, ""  # a newer version, so the order under way comes to nothing
                self.tasks.enter(id, held)

    def asks(self) -> list[str]:
        """Tasks that others wait for and that are not open: control reads how they ended and calls `note_status`."""
        return self.tasks.dependencies.asks()

    def note_status(self, id: str, version: int, status: Status | None) -> None:
        """What became of a task that was asked for, as of that version; None where there is none."""
        dependencies = self.tasks.dependencies
        if version > self.position:  # the fold is about to come to it, and may not be told of it by the way
            dependencies.ask_again(id)
        else:
            self.tasks.enter_all(dependencies.note_status(id, status))

    def on_timer(self, id: str) -> None:
        """A timer of the task has gone off."""
        self.tasks.enter_all((id,))
