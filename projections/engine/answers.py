"""The ids of the commands that an aggregate's commits have answered: they make a repeated request quiet.

1. Kept are the ids of the 10 minutes before the last commit that answers a command, and never fewer than the last 100.
2. What is kept depends on the commits and their order alone: times are the log's, and batches don't matter.
"""

from typing import Final

import msgspec

from clawactors.eventlog import Record
from clawactors.projections.engine.keys import number, place
from clawactors.projections.engine.store import Reading, Writing

__all__ = ["ANSWERED", "ANSWERS_MIN", "ANSWERS_NS", "AnswerTable", "answered_by", "answers_of"]

ANSWERS_NS: Final = 600 * 1_000_000_000
"""How long the id of a command is kept; a request that is older is refused."""
ANSWERS_MIN: Final = 100
"""Ids that are kept however old they are."""

ANSWERED: Final = b"Claw-Answers"
"""What is in the headers of a commit that answers a command: most don't, and this is asked of each."""
_PLACE_BYTES: Final = 8


class _AnsweredCommit(msgspec.Struct, gc=False):
    version: int
    at_ns: int
    ids: tuple[str, ...]


class _AnswerWindow(msgspec.Struct):
    """The answers of one aggregate: the versions that are stored, and all as they are now."""

    stored: list[int]
    answers: list[_AnsweredCommit]
    ids: int


def answered_by(record: Record) -> tuple[str, ...]:
    """The ids of the commands that the commit answers."""
    return record.answers if ANSWERED in record.headers else ()


class AnswerTable:
    """The answers table of one view. The key of an aggregate must not be the beginning of another one's."""

    def __init__(self, table: str) -> None:
        self._table = table
        self._touched: dict[bytes, _AnswerWindow] = {}
        self._first: dict[bytes, _AnsweredCommit] = {}
        """Of new aggregates that have answered once."""

    def note(self, key: bytes, record: Record, txn: Writing, *, is_new: bool = False) -> None:
        """Takes in a commit of the aggregate that has this key; `is_new`: it is the first, so nothing is stored yet."""
        ids = answered_by(record)
        if not ids:
            return
        window = self._touched.get(key)
        if window is None:
            if is_new:
                self._first[key] = _AnsweredCommit(record.seq, record.at_ns, ids)
                return
            first = self._first.pop(key, None)
            window = self._load(key, txn) if first is None else _AnswerWindow([], [first], len(first.ids))
            self._touched[key] = window
        answers = window.answers
        answers.append(_AnsweredCommit(record.seq, record.at_ns, ids))
        window.ids += len(ids)
        while window.ids - len(answers[0].ids) >= ANSWERS_MIN and answers[0].at_ns < record.at_ns - ANSWERS_NS:
            window.ids -= len(answers.pop(0).ids)

    def _load(self, key: bytes, txn: Writing) -> _AnswerWindow:
        answers = _stored(txn, self._table, key)
        return _AnswerWindow([each.version for each in answers], answers, sum(len(each.ids) for each in answers))

    def drop(self, key: bytes, txn: Writing) -> None:
        """Forgets all answers of the aggregate with that key."""
        self._first.pop(key, None)
        self._touched.pop(key, None)
        for answer in _stored(txn, self._table, key):
            txn.delete(self._table, key + place(answer.version))

    def write(self, txn: Writing) -> None:
        """Puts what is kept and deletes what isn't any longer."""
        new = [(key + place(first.version), _value(first)) for key, first in self._first.items()]
        for key, window in self._touched.items():
            last, first = window.stored[-1] if window.stored else 0, window.answers[0].version
            for version in window.stored:
                if version < first:
                    txn.delete(self._table, key + place(version))
            new += ((key + place(answer.version), _value(answer)) for answer in window.answers if answer.version > last)
        txn.put_all(self._table, new)
        self.forget()

    def forget(self) -> None:
        """Drops what is not written."""
        self._touched.clear()
        self._first.clear()


def answers_of(reading: Reading, table: str, key: bytes) -> dict[str, int]:
    """The ids that are kept of the aggregate with that key, each with the version that answered it."""
    return {id: answer.version for answer in _stored(reading, table, key) for id in answer.ids}


def _value(answer: _AnsweredCommit) -> bytes:
    return place(answer.at_ns) + " ".join(answer.ids).encode()


def _stored(reading: Reading, table: str, key: bytes) -> list[_AnsweredCommit]:
    answers: list[_AnsweredCommit] = []
    cursor = reading.cursor(table)
    found = cursor.set_range(key)
    while found:
        at, value = cursor.item()
        if not at.startswith(key):
            break
        ids = tuple(value[_PLACE_BYTES:].decode().split(" "))
        answers.append(_AnsweredCommit(number(at[len(key) :]), number(value[:_PLACE_BYTES]), ids))
        found = cursor.next()
    return answers
