"""Brings the rows of tasks up to date: only what differs is written.

Most tasks of a batch change in the same way. They are grouped, so that the effect on lists is computed once a group.
"""

from typing import Final

from clawactors.projections.engine.store import Writing
from clawactors.projections.engine.tally import Tally
from clawactors.projections.views.tasks import table as t
from clawactors.projections.views.tasks.dimensions import hour_of
from clawactors.projections.views.tasks.lists import (
    NEW,
    Request,
    Standing,
    lists_of_request,
    lists_of_standing,
    request_of,
    standing_of,
)
from clawactors.projections.views.tasks.sums import TaskSums
from clawactors.projections.views.tasks.words import WORDS, text_of, word_keys, words_of
from clawactors.systems.tasks import Task

__all__ = ["TaskRows"]

_NO_TEXT: Final = ("", "", "")


class TaskRows:
    """Gathers the changes of one batch, and adds what they mean to the sums."""

    def __init__(self, sums: TaskSums) -> None:
        self._sums = sums
        self._begin()

    def _begin(self) -> None:
        self._ids: list[tuple[bytes, bytes]] = []
        self._specs: list[tuple[bytes, bytes]] = []
        self._statuses: list[tuple[bytes, bytes]] = []
        self._steps: list[tuple[bytes, bytes]] = []
        self._ended_runs: list[tuple[bytes, int, int]] = []
        self._moved: dict[tuple[Standing, Standing], list[bytes]] = {}
        self._words: list[tuple[bytes, bytes]] = []
        self._left_words: list[bytes] = []
        self._requested: dict[tuple[Request | None, Request | None], list[bytes]] = {}
        self._archived: list[tuple[bytes, bytes]] = []
        self._files = Tally(t.ARCHIVES, 1)
        self._gone: list[bytes] = []

    def change(self, id: str, key: bytes, version: int, old: Task | None, new: Task) -> None:
        """The task with that key was stored as `old`, None for not at all, and is `new` now."""
        life, spec = new.life, new.spec
        if life.archived is not None:
            self._archive(id, key, version, old, new)
            return
        self._statuses.append((key, t.status_value(version, life)))
        if old is new or spec is None:
            return
        after = standing_of(new)
        if old is None or old.spec is None:
            before = NEW
            self._ids.append((id.encode(), key))
        else:
            before = standing_of(old)
        if before != after:
            self._moved.setdefault((before, after), []).append(key)
        if old is None or old.spec is not spec:
            self._specs.append((key, t.spec_value(id, spec)))
        requests = None if old is None else request_of(old), request_of(new)
        if requests[0] != requests[1]:
            self._requested.setdefault(requests, []).append(key)
        if old is not None and old.spec is not None:
            self._sums.count(before[0], before[1], before[2], hour_of(old.life.submitted_ns), old.spec, -1)
        self._sums.count(after[0], after[1], after[2], hour_of(life.submitted_ns), spec, 1)
        text, text_before = text_of(new), _NO_TEXT if old is None else text_of(old)
        if text != text_before:
            words, before_words = words_of(text), words_of(text_before)
            self._words += ((each, b"") for each in word_keys(words - before_words, key))
            self._left_words += word_keys(before_words - words, key)
        journal = new.journal
        if old is None or old.journal is not journal:
            done = len(old.journal) if old else 0
            if old is not None and old.life.run != life.run:  # its journal began anew
                self._ended_runs.append((key, len(journal), done))
                done = 0
            for ordinal, entry in enumerate(journal.since(done), done):
                self._steps.append((t.step_key(key, ordinal), t.entry_value(entry)))

    def _archive(self, id: str, key: bytes, version: int, old: Task | None, new: Task) -> None:
        """One row is left of the task, and the counts of its skill and its user."""
        self._archived.append((key, t.archived_value(id, version, new.life)))
        if old is new or new.spec is None or (old is not None and old.life.archived is not None):
            return
        if new.life.archived is not None:
            self._files.add(new.life.archived.file, 0, 1)
        if old is None or old.spec is None:
            self._ids.append((id.encode(), key))
        else:
            before = standing_of(old)
            self._moved.setdefault((before, NEW), []).append(key)
            self._requested.setdefault((request_of(old), None), []).append(key)
            self._ended_runs.append((key, 0, len(old.journal)))
            self._left_words += word_keys(words_of(text_of(old)), key)
            self._gone.append(key)
            self._sums.count(before[0], before[1], before[2], hour_of(old.life.submitted_ns), old.spec, -1)
        self._sums.count("archived", "", "", hour_of(new.life.submitted_ns), new.spec, 1)

    def write(self, txn: Writing) -> None:
        """Puts and deletes all of it."""
        index: list[tuple[bytes, bytes]] = []
        queue: list[tuple[bytes, bytes]] = []
        for (old, new), keys in self._moved.items():
            left, joined = lists_of_standing(old), lists_of_standing(new)
            index.extend((prefix + key, b"") for prefix in joined - left for key in keys)
            _delete(txn, t.INDEX, left - joined, keys)
            left, joined = _queued(old), _queued(new)
            queue.extend((prefix + key, b"") for prefix in joined - left for key in keys)
            _delete(txn, t.QUEUE, left - joined, keys)
        for (request, now), keys in self._requested.items():
            left, joined = lists_of_request(request), lists_of_request(now)
            index.extend((prefix + key, b"") for prefix in joined - left for key in keys)
            _delete(txn, t.INDEX, left - joined, keys)
        txn.put_all(t.IDS, self._ids)
        txn.put_all(t.SPECS, self._specs)
        txn.put_all(t.STATUSES, self._statuses)
        for key, kept, were in self._ended_runs:
            for ordinal in range(kept, were):
                txn.delete(t.STEPS, t.step_key(key, ordinal))
        txn.put_all(t.STEPS, self._steps)
        txn.put_all(t.ARCHIVED, self._archived)
        self._files.write(txn)
        for key in self._gone:
            txn.delete(t.SPECS, key)
            txn.delete(t.STATUSES, key)
        txn.put_all(t.INDEX, index)
        txn.put_all(t.QUEUE, queue)
        for left_word in self._left_words:
            txn.delete(WORDS, left_word)
        txn.put_all(WORDS, self._words)
        self._begin()


def _delete(txn: Writing, table: str, prefixes: set[bytes], keys: list[bytes]) -> None:
    for prefix in prefixes:
        for key in keys:
            txn.delete(table, prefix + key)


def _queued(standing: Standing) -> set[bytes]:
    """The prefix of a pending task in the queue."""
    return {t.queue_key(standing[-1])} if standing[0] == "pending" else set()
