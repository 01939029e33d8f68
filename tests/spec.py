"""Specs of deciders as sentences: `given(*events).when(*commands).then(*events)`, `.refused("words")`, `.quietly()`."""

from collections.abc import Callable

from clawactors.kernel.decider import Decider
from clawactors.kernel.errors import Refused

__all__ = ["SECOND", "Given", "spec"]

SECOND = 1_000_000_000


class Given[C, S, E]:
    """A history, its n-th event n seconds after 1970, and the state it leads to."""

    def __init__(self, decider: Decider[C, S, E], events: tuple[E, ...]) -> None:
        self.decider, self.state, self.now_ns = decider, decider.initial, 0
        self.add(*events)

    def add(self, *events: E) -> None:
        """Lets more happen. Every event has to be legal where it stands."""
        for event in events:
            self.now_ns += SECOND
            after = self.decider.evolve(self.state, event, self.now_ns)
            assert after is not self.state, f"{event} is illegal after {self.state}"
            self.state = after

    def when(self, *commands: C) -> "When[C, S, E]":
        """Decides the commands one after the other, each on what the one before led to."""
        return When(self, commands)


class When[C, S, E]:
    """The outcome of commands."""

    def __init__(self, given: Given[C, S, E], commands: tuple[C, ...]) -> None:
        self._given = given
        self._events: tuple[E, ...] = ()
        self._refusal: Refused | None = None
        for command in commands:
            try:
                events = given.decider.decide(command, given.state)
            except Refused as refusal:
                self._refusal = refusal
                return
            given.add(*events)  # whatever is decided is legal
            self._events += events

    def then(self, *events: E) -> S:
        """Exactly these events follow. Gives the state after them."""
        assert self._refusal is None, f"refused: {self._refusal}"
        assert self._events == events
        return self._given.state

    def quietly(self) -> S:
        """It is taken, and nothing happens."""
        return self.then()

    def refused(self, words: str) -> S:
        """It is refused with a reason that has these words."""
        assert self._refusal is not None, f"not refused, but {self._events}"
        assert words in str(self._refusal), f"{words!r} is not in {str(self._refusal)!r}"
        return self._given.state


def spec[C, S, E](decider: Decider[C, S, E]) -> Callable[..., Given[C, S, E]]:
    """The `given` of a decider."""

    def given(*events: E) -> Given[C, S, E]:
        return Given(decider, events)

    return given
