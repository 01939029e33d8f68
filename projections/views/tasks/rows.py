"""How the rows of a task turn from what is stored into what is now: only what differs is written.

Tasks that change in the same way (in a batch nearly all do) are gathered, so that what their change means for lists and
sums is worked out once.
"""

from typing import Final

from clawactors.projections.engine.keys import term
from clawactors.projections.engine.store import Writing
from clawactors.projections.engine.tally import Tally
from clawactors.projections.views.tasks import table as t
from clawactors.systems.tasks import Task

__all__ = ["BUSY", "FAILED", "RUNNING", "SCHEDULED", "SUBMITTED", "SUCCEEDED", "TaskRows"]

SUCCEEDED, FAILED, BUSY, SCHEDULED, RUNNING = range(5)
"""The sums of a node's work."""
SUBMITTED = 3
"""The sums of a skill are the first three of those, and this one."""

_AT_NODE: Final = {"scheduled": SCHEDULED, "running": RUNNING}

type _Stand = tuple[str, str, int]
"""Status, node and priority; '' for the status of a task that is not stored yet."""
type _TaskCommandIn = tuple[str, str, tuple[str, ...]]
"""Skill, user and tags."""
_UNBORN: Final = ("", "", 0)


class TaskRows:
    """Gathers the changes of one batch."""

    def __init__(self) -> None:
        self._ids: list[tuple[bytes, bytes]] = []
        self._specs: list[tuple[bytes, bytes]] = []
        self._lives: list[tuple[bytes, bytes]] = []
        self._steps: list[tuple[bytes, bytes]] = []
        self._moved: dict[tuple[_Stand, _Stand], list[bytes]] = {}
        self._wished: dict[tuple[_TaskCommandIn | None, _TaskCommandIn], list[bytes]] = {}

    def change(self, id: str, key: bytes, version: int, old: Task | None, new: Task) -> None:
        """The task with that key was stored as `old`, None for not at all, and is `new` now."""
        life, spec = new.life, new.spec
        self._lives.append((key, t.life_value(version, life)))
        if old is new or spec is None:
            return
        if old is None or old.spec is None:
            before = _UNBORN
            self._ids.append((id.encode(), key))
        else:
            before = (old.life.status, old.life.node, old.spec.priority)
        after = (life.status, life.node, spec.priority)
        if before != after:
            self._moved.setdefault((before, after), []).append(key)
        if old is None or old.spec is not spec:
            self._specs.append((key, t.spec_value(id, spec)))
            wish = (_wish(old), (spec.skill, spec.user, spec.tags))
            self._wished.setdefault(wish, []).append(key)
        journal = new.journal
        if old is None or old.journal is not journal:
            done = len(old.journal) if old else 0
            for ordinal, entry in enumerate(journal.since(done), done):
                self._steps.append((t.step_key(key, ordinal), t.entry_value(entry)))

    def write(self, txn: Writing, counts: Tally, skills: Tally, work: Tally) -> None:
        """Puts and deletes all of it, and adds what it means for the sums."""
        index: list[tuple[bytes, bytes]] = []
        queue: list[tuple[bytes, bytes]] = []
        for (old, new), keys in self._moved.items():
            gone, come = _lists(old), _lists(new)
            index.extend((prefix + key, b"") for prefix in come - gone for key in keys)
            _delete(txn, t.INDEX, gone - come, keys)
            gone, come = _queued(old), _queued(new)
            queue.extend((prefix + key, b"") for prefix in come - gone for key in keys)
            _delete(txn, t.QUEUE, gone - come, keys)
            for (status, node, _), sign in ((old, -1), (new, 1)):
                if status:
                    counts.add(status, 0, sign * len(keys))
                if status in _AT_NODE:
                    work.add(node, _AT_NODE[status], sign * len(keys))
        for (wish, now), keys in self._wished.items():
            gone, come = _wishes(wish), _wishes(now)
            index.extend((prefix + key, b"") for prefix in come - gone for key in keys)
            _delete(txn, t.INDEX, gone - come, keys)
            if wish is None:
                skills.add(now[0], SUBMITTED, len(keys))
        txn.put_all(t.IDS, self._ids)
        txn.put_all(t.SPECS, self._specs)
        txn.put_all(t.LIVES, self._lives)
        txn.put_all(t.STEPS, self._steps)
        txn.put_all(t.INDEX, index)
        txn.put_all(t.QUEUE, queue)


def _delete(txn: Writing, table: str, prefixes: set[bytes], keys: list[bytes]) -> None:
    for prefix in prefixes:
        for key in keys:
            txn.delete(table, prefix + key)


def _lists(stand: _Stand) -> set[bytes]:
    """The lists that a task is on because of what became of it."""
    status, node, _ = stand
    lists = {term(t.STATUS, status)} if status else set()
    if node:
        lists.add(term(t.NODE, node))
    return lists


def _queued(stand: _Stand) -> set[bytes]:
    """Where a pending task waits."""
    status, _, priority = stand
    return {t.queue_key(priority)} if status == "pending" else set()


def _wish(task: Task | None) -> _TaskCommandIn | None:
    return None if task is None or task.spec is None else (task.spec.skill, task.spec.user, task.spec.tags)


def _wishes(wish: _TaskCommandIn | None) -> set[bytes]:
    """The lists that a task is on because of what was asked for."""
    if wish is None:
        return set()
    skill, user, tags = wish
    lists = {term(t.SKILL, skill)} | {term(t.TAG, tag) for tag in tags}
    if user:
        lists.add(term(t.USER, user))
    return lists
