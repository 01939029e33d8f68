"""How the rows of a task turn from what is stored into what is now: only what differs is written.

Tasks that change in the same way (in a batch nearly all do) are gathered, so that what their change means for lists and
sums is worked out once.
"""

from typing import Final, NamedTuple

from clawactors.projections.engine.keys import term
from clawactors.projections.engine.store import Writing
from clawactors.projections.views.tasks import table as t
from clawactors.projections.views.tasks.sums import TaskSums
from clawactors.systems.tasks import Task

__all__ = ["TaskRows"]


class _Standing(NamedTuple):
    """All of a task that lists and sums are about."""

    status: str
    node: str
    error: str
    interrupted: bool
    priority: int
    skill: str
    user: str
    tags: tuple[str, ...]


_UNBORN: Final = _Standing("", "", "", False, 0, "", "", ())


class TaskRows:
    """Gathers the changes of one batch."""

    def __init__(self) -> None:
        self._ids: list[tuple[bytes, bytes]] = []
        self._specs: list[tuple[bytes, bytes]] = []
        self._lives: list[tuple[bytes, bytes]] = []
        self._steps: list[tuple[bytes, bytes]] = []
        self._moved: dict[tuple[_Standing, _Standing], list[bytes]] = {}

    def change(self, id: str, key: bytes, version: int, old: Task | None, new: Task) -> None:
        """The task with that key was stored as `old`, None for not at all, and is `new` now."""
        life, spec = new.life, new.spec
        self._lives.append((key, t.life_value(version, life)))
        if old is new or spec is None:
            return
        before = _UNBORN if old is None else _standing(old)
        if before is _UNBORN:
            self._ids.append((id.encode(), key))
        if before != (after := _standing(new)):
            self._moved.setdefault((before, after), []).append(key)
        if old is None or old.spec is not spec:
            self._specs.append((key, t.spec_value(id, spec)))
        journal = new.journal
        if old is None or old.journal is not journal:
            done = len(old.journal) if old else 0
            for ordinal, entry in enumerate(journal.since(done), done):
                self._steps.append((t.step_key(key, ordinal), t.entry_value(entry)))

    def write(self, txn: Writing, sums: TaskSums) -> None:
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
            for standing, sign in ((old, -1), (new, 1)):
                if standing is not _UNBORN:
                    sums.count(
                        standing.status, standing.node, standing.user, standing.skill, standing.error, sign * len(keys)
                    )
            if old.skill != new.skill:
                sums.submitted(new.skill, len(keys))
                if old is not _UNBORN:
                    sums.submitted(old.skill, -len(keys))
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


def _standing(task: Task) -> _Standing:
    spec, life = task.spec, task.life
    if spec is None:
        return _UNBORN
    error = life.error.kind if life.error else ""
    return _Standing(
        life.status, life.node, error, life.interruptions > 0, spec.priority, spec.skill, spec.user, spec.tags
    )


def _lists(standing: _Standing) -> set[bytes]:
    """The lists that a task is on."""
    if standing is _UNBORN:
        return set()
    lists = {term(t.STATUS, standing.status), term(t.SKILL, standing.skill)}
    lists.update(term(t.TAG, tag) for tag in standing.tags)
    for field, value in ((t.NODE, standing.node), (t.USER, standing.user), (t.ERROR, standing.error)):
        if value:
            lists.add(term(field, value))
    if standing.interrupted:
        lists.add(term(t.INTERRUPTED, ""))
    return lists


def _queued(standing: _Standing) -> set[bytes]:
    """Where a pending task waits."""
    return {t.queue_key(standing.priority)} if standing.status == "pending" else set()
