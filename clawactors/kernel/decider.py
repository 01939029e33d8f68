"""The shape of everything that decides: two pure functions and a first state."""

from collections.abc import Callable

import msgspec

__all__ = ["Decider"]


def _never(_: object) -> bool:
    return False


class Decider[C, S, E](msgspec.Struct, frozen=True):
    """One kind of aggregate.

    `decide(command, state)` gives the events, none where nothing would change; raises `Refused`.
    `evolve(state, event, at_ns)` is total: an event that is illegal in this state gives back the very same object.
    `is_final(state)` is true of one that has ended; without it none ever does.
    """

    kind: str
    initial: S
    decide: Callable[[C, S], tuple[E, ...]]
    evolve: Callable[[S, E, int], S]
    is_final: Callable[[S], bool] = _never
