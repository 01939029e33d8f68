"""Brings the rows of tasks up to date: only what differs is written.

Most tasks of a batch change in the same way. They are grouped, so that the effect on lists is computed once a group.
"""

from typing import Final

from clawactors.projections.engine.keys import term
from clawactors.projections.engine.store import Writing
from clawactors.projections.views.tasks import table as t
from clawactors.projections.views.tasks.sums import TaskSums
from clawactors.systems.tasks import Task

__all__ = ["TaskRows"]


type _Standing = tuple[str, str, str, bool, bool, int]
"""Status, node, class of its error, whether it was interrupted and asks for approvals, priority; all empty when new."""
type _Request = tuple[str, str, tuple[str, ...], str]
"""Skill, user, tags and parent."""
_NEW: Final[_Standing] = ("", "", "", False, False, 0)


class TaskRows:
    """Gathers the changes of one batch, and adds what they mean to the sums."""

    def __init__(self, sums: TaskSums) -> None:
        self._sums = sums
        self._ids: list[tuple[bytes, bytes]] = []
        self._specs: list[tuple[bytes, bytes]] = []
        self._statuses: list[tuple[bytes, bytes]] = []
        self._steps: list[tuple[bytes, bytes]] = []
        self._ended_runs: list[tuple[bytes, int, int]] = []
        self._moved: dict[tuple[_Standing, _Standing], list[bytes]] = {}
        self._requested: dict[tuple[_Request | None, _Request], list[bytes]] = {}

    def change(self, id: str, key: bytes, version: int, old: Task | None, new: Task) -> None:
        """The task with that key was stored as `old`, None for not at all, and is `new` now."""
        life, spec = new.life, new.spec
        self._statuses.append((key, t.status_value(version, life)))
        if old is new or spec is None:
            return
        after = _standing(new)
        if old is None or old.spec is None:
            before = _NEW
            self._ids.append((id.encode(), key))
        else:
            before = _standing(old)
        if before != after:
            self._moved.setdefault((before, after), []).append(key)
        if old is None or old.spec is not spec:
            self._specs.append((key, t.spec_value(id, spec)))
            requests = (None if old is None else _request(old), (spec.skill, spec.user, spec.tags, spec.parent))
            self._requested.setdefault(requests, []).append(key)
        if old is not None and old.spec is not None:
            self._sums.count(before[0], before[1], before[2], old.spec, -1)
        self._sums.count(after[0], after[1], after[2], spec, 1)
        journal = new.journal
        if old is None or old.journal is not journal:
            done = len(old.journal) if old else 0
            if old is not None and old.life.run != life.run:  # its journal began anew
                self._ended_runs.append((key, len(journal), done))
                done = 0
            for ordinal, entry in enumerate(journal.since(done), done):
                self._steps.append((t.step_key(key, ordinal), t.entry_value(entry)))

    def write(self, txn: Writing) -> None:
        """Puts and deletes all of it."""
        index: list[tuple[bytes, bytes]] = []
        queue: list[tuple[bytes, bytes]] = []
        for (old, new), keys in self._moved.items():
            left, joined = _lists(old), _lists(new)
            index.extend((prefix + key, b"") for prefix in joined - left for key in keys)
            _delete(txn, t.INDEX, left - joined, keys)
            left, joined = _queued(old), _queued(new)
            queue.extend((prefix + key, b"") for prefix in joined - left for key in keys)
            _delete(txn, t.QUEUE, left - joined, keys)
        for (request, now), keys in self._requested.items():
            left, joined = _lists_of_request(request), _lists_of_request(now)
            index.extend((prefix + key, b"") for prefix in joined - left for key in keys)
            _delete(txn, t.INDEX, left - joined, keys)
        txn.put_all(t.IDS, self._ids)
        txn.put_all(t.SPECS, self._specs)
        txn.put_all(t.STATUSES, self._statuses)
        for key, kept, were in self._ended_runs:
            for ordinal in range(kept, were):
                txn.delete(t.STEPS, t.step_key(key, ordinal))
        txn.put_all(t.STEPS, self._steps)
        txn.put_all(t.INDEX, index)
        txn.put_all(t.QUEUE, queue)


def _delete(txn: Writing, table: str, prefixes: set[bytes], keys: list[bytes]) -> None:
    for prefix in prefixes:
        for key in keys:
            txn.delete(table, prefix + key)


def _standing(task: Task) -> _Standing:
    life, priority = task.life, task.spec.priority if task.spec else 0
    error = life.error.kind if life.error else ""
    return life.status, life.node, error, life.interruptions > 0, bool(life.approvals), priority


def _lists(standing: _Standing) -> set[bytes]:
    """The lists that a task is on by its status, node and error."""
    status, node, error, interrupted, asks, _ = standing
    lists = {term(field, value) for field, value in ((t.STATUS, status), (t.NODE, node), (t.ERROR, error)) if value}
    if interrupted:
        lists.add(term(t.INTERRUPTED, ""))
    if asks:
        lists.add(term(t.APPROVAL, ""))
    return lists


def _queued(standing: _Standing) -> set[bytes]:
    """The prefix of a pending task in the queue."""
    return {t.queue_key(standing[-1])} if standing[0] == "pending" else set()


def _request(task: Task) -> _Request | None:
    return None if (spec := task.spec) is None else (spec.skill, spec.user, spec.tags, spec.parent)


def _lists_of_request(request: _Request | None) -> set[bytes]:
    """The lists that a task is on by its request."""
    if request is None:
        return set()
    skill, user, tags, parent = request
    lists = {term(t.SKILL, skill)} | {term(t.TAG, tag) for tag in tags}
    if user:
        lists.add(term(t.USER, user))
    if parent:
        lists.add(term(t.PARENT, parent))
    return lists
