"""All triggers as of a position of the log."""

from collections.abc import Iterable, Iterator, Sequence

from clawactors.kernel.fold import Snapshot
from clawactors.systems.triggers.decider import TRIGGER, Trigger
from clawactors.systems.triggers.events import TriggerEvent

__all__ = ["TriggerRoster"]


class TriggerRoster:
    """Folds triggers; what is frozen is left alone."""

    def __init__(self) -> None:
        self._known: dict[str, Snapshot[Trigger]] = {}
        self._frozen: set[str] = set()

    def load(self, triggers: Iterable[tuple[str, int, Trigger]], frozen: Iterable[tuple[str, str]]) -> None:
        """Starts from a view instead of from the first event."""
        self._frozen.update(name for kind, name in frozen if kind == TRIGGER.kind)
        for name, version, trigger in triggers:
            self._known[name] = Snapshot(trigger, version)

    def apply(self, name: str, version: int, events: Sequence[TriggerEvent], at_ns: int) -> None:
        """Folds a commit; one that says nothing still counts as a version."""
        known = self._known.get(name) or Snapshot(TRIGGER.initial)
        if version <= known.version:
            return
        trigger = known.state
        for event in events:
            trigger = TRIGGER.evolve(trigger, event, at_ns)
        self._known[name] = Snapshot(trigger, version)

    def freeze(self, name: str) -> None:
        """A later release has written to it."""
        self._frozen.add(name)

    def __iter__(self) -> Iterator[tuple[str, Trigger, bool]]:
        """Name and state of each, and whether it is at work."""
        for name, known in self._known.items():
            yield name, known.state, known.state.status == "active" and name not in self._frozen
