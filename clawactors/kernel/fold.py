"""A stored record and a state give the next state: the one way in which every reader folds an aggregate.

1. A malformed record changes nothing; it still counts as a version.
2. A well-formed event that is illegal in the state changes nothing.
3. A record from a later release freezes the aggregate: nothing behind it is folded.
"""

import msgspec

from clawactors.eventlog import Codec, FromTheFuture, Malformed, Record
from clawactors.kernel.decider import Decider

__all__ = ["Snapshot", "fold"]


class Snapshot[S](msgspec.Struct, frozen=True, gc=False):
    """A state and the version it stands for; `frozen` says why this release can't go on, `fault` what it skipped."""

    state: S
    version: int = 0
    frozen: str = ""
    fault: str = ""


def fold[C, S, E](decider: Decider[C, S, E], codec: Codec[E], folded: Snapshot[S], record: Record) -> Snapshot[S]:
    """What is known after the record."""
    if folded.frozen:
        return Snapshot(folded.state, record.seq, folded.frozen)
    try:
        events = codec.decode(record.body)
    except Malformed as error:
        return Snapshot(folded.state, record.seq, fault=str(error))
    except FromTheFuture as error:
        return Snapshot(folded.state, record.seq, frozen=str(error))
    state, fault = folded.state, ""
    for event in events:
        after = decider.evolve(state, event, record.at_ns)
        if after is state:
            fault = f"{type(event).__name__} is illegal here"
        state = after
    return Snapshot(state, record.seq, fault=fault)
