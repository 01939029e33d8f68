"""The fold of a view whose rows hold whole aggregates: the same rules for every kind.

1. A commit of a later release freezes the aggregate; nothing is folded on a frozen one.
2. An illegal event changes nothing and is a fault; the events after it still count.
3. What a commit answers is noted once the aggregate exists, unless the commit has a fault.
4. An aggregate that has records and does not exist keeps their version.
"""

from collections.abc import Callable
from typing import Any

from clawactors.eventlog.decoding import Commit
from clawactors.kernel.kind import Kind
from clawactors.projections.engine.answers import AnswerTable
from clawactors.projections.engine.faults import Faults
from clawactors.projections.engine.store import Writing

__all__ = ["answers_key", "fold_commit"]


def answers_key(id: str) -> bytes:
    """The key of an aggregate in the answers table of its view: none is the beginning of another one's."""
    return id.encode() + b"\0"


def fold_commit[S](
    kind: Kind[Any, S, Any],
    commit: Commit,
    before: S,
    txn: Writing,
    faults: Faults,
    answers: AnswerTable,
    illegal: Callable[[S], str],
) -> S:
    """The state after the commit, the kind's initial one where it does not exist.

    `illegal(state)` says after the name of an event why it is illegal in that state.
    """
    after, initial = before, kind.decider.initial
    if commit.fault == "future":
        faults.freeze(commit, txn)
    elif not faults.is_frozen(kind.name, commit.id, txn):
        evolve, at_ns = kind.decider.evolve, commit.record.at_ns
        for event in commit.events:
            state = evolve(after, event, at_ns)
            if state is after:
                faults.note(commit, "illegal", f"{type(event).__name__} {illegal(after)}")
            after = state
        if after is not initial and not commit.fault:
            answers.note(answers_key(commit.id), commit.record, txn)
            if before is initial:
                faults.note_created(commit, txn)
    if after is initial:
        faults.note_uncreated(commit, txn)
    return after
