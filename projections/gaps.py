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
    if not any(file_of(commit.record.body) for commit in commits):
        return None
    seen: dict[tuple[str, str], int] = {}
    for commit in commits:
        key = (commit.kind, commit.id)
        if file_of(commit.record.body):
            known = states.get(commit.kind, commit.id, brief=True)[0].version
            if max(known, seen.get(key, 0)) < commit.record.expected:
                return commit
        seen[key] = commit.record.seq
    return None
