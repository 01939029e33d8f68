"""All aggregates of one kind as of a position of the log, in memory: for kinds of which there are few."""

from collections.abc import Iterable, Sequence

from clawactors.kernel.decider import Decider
from clawactors.kernel.fold import Snapshot

__all__ = ["Roster"]


class Roster[C, S, E]:
    """Folds them by name; `frozen` are those that a later release has written to, which are left alone."""

    def __init__(self, decider: Decider[C, S, E]) -> None:
        self._decider = decider
        self._known: dict[str, Snapshot[S]] = {}
        self.frozen: set[str] = set()

    def load(self, states: Iterable[tuple[str, int, S]], frozen: Iterable[tuple[str, str]]) -> None:
        """Starts from a view instead of from the first event."""
        self.frozen.update(name for kind, name in frozen if kind == self._decider.kind)
        for name, version, state in states:
            self.know(name, Snapshot(state, version))

    def known(self, name: str) -> Snapshot[S]:
        """That one, as known here."""
        return self._known.get(name) or Snapshot(self._decider.initial)

    def items(self) -> Iterable[tuple[str, Snapshot[S]]]:
        """All of them, by name."""
        return self._known.items()

    def apply(self, name: str, version: int, events: Sequence[E], at_ns: int) -> None:
        """Folds a commit; one that says nothing still counts as a version."""
        known = self.known(name)
        if version <= known.version:
            return
        state = known.state
        for event in events:
            state = self._decider.evolve(state, event, at_ns)
        self.know(name, Snapshot(state, version))

    def know(self, name: str, known: Snapshot[S]) -> None:
        """Keeps what is known of that one now."""
        self._known[name] = known

    def freeze(self, name: str) -> None:
        """A later release has written to it."""
        self.frozen.add(name)
