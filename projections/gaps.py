"""Notices histories that were archived before this process had read them: the log has only their tombstones.

It takes a process that lagged behind for as long as tasks stay in the log. Rows of tasks are right all the same; sums
of what the histories led to are not.
"""

from collections.abc import Sequence

from clawactors.eventlog.decoding import Commit
from clawactors.runtime.control.folded import States
from clawactors.systems.tasks.archiving import file_of

__all__ = ["missed"]


def missed(commits: Sequence[Commit], states: States) -> Commit | None:
    """The first of these tombstones whose history is not known up to it; `states` are those before these commits."""
    for place, commit in enumerate(commits):
        if not file_of(commit.record.body):
            continue
        known = states.get(commit.kind, commit.id, brief=True)[0].version
        ours = (each.record.seq for each in commits[:place] if (each.kind, each.id) == (commit.kind, commit.id))
        if max((known, *ours)) < commit.record.expected:
            return commit
    return None
