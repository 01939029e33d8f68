"""A stored record and a state give the next state: the one way in which every reader folds an aggregate.

1. A malformed record, or one under a subject that names no writer, changes nothing; it still counts as a version.
2. A well-formed event that is illegal in the state changes nothing.
3. A record from a later release freezes the aggregate: nothing behind it is folded.
4. A record whose writer may not speak about the state counts as a version and nothing else: it can't even freeze.
"""

import msgspec

from clawactors.eventlog import FromTheFuture, Malformed, Record, parse_subject, writer_of
from clawactors.kernel.kind import Kind

__all__ = ["Snapshot", "fold"]


class Snapshot[S](msgspec.Struct, frozen=True, gc=False):
    """A state and the version it stands for; `frozen` says why this release can't go on, `fault` what it skipped."""

    state: S
    version: int = 0
    frozen: str = ""
    fault: str = ""


def fold[C, S, E](kind: Kind[C, S, E], snapshot: Snapshot[S], record: Record) -> Snapshot[S]:
    """What is known after the record."""
    if snapshot.frozen:
        return Snapshot(snapshot.state, record.seq, snapshot.frozen)
    named = parse_subject(record.subject)
    if named is None:
        return Snapshot(snapshot.state, record.seq, fault="its subject says not who wrote it")
    if (writer := writer_of(record.subject)) and not kind.believes(named[1], snapshot.state, writer):
        return Snapshot(snapshot.state, record.seq, fault=f"{writer} may not speak about it")
    try:
        events = kind.codec.decode(record.body)
    except Malformed as error:
        return Snapshot(snapshot.state, record.seq, fault=str(error))
    except FromTheFuture as error:
        return Snapshot(snapshot.state, record.seq, frozen=str(error))
    state, fault, evolve = snapshot.state, "", kind.decider.evolve
    for event in events:
        after = evolve(state, event, record.at_ns)
        if after is state:
            fault = f"{type(event).__name__} is illegal here"
        state = after
    return Snapshot(state, record.seq, fault=fault)
