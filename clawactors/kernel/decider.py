"""The shape of everything that decides: two pure functions and a first state."""

from collections.abc import Callable

import msgspec

__all__ = ["Decider"]


class Decider[C, S, E](msgspec.Struct, frozen=True):
    """One kind of aggregate.

    `decide(command, state)` gives the events, none where nothing would change; raises `Refused`.
    `evolve(state, event, at_ns)` is total: an event that is illegal in this state gives back the very same object.
    """

    kind: str
    initial: S
    decide: Callable[[C, S], tuple[E, ...]]
    evolve: Callable[[S, E, int], S]
    is_final: Callable[[S], bool]
