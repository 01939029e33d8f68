"""The two levels of memory that are never stored: the newest raw events, and what a running task has at hand.

Both are filled from the log and filled again after a restart. The episodic and the semantic level are the index.
A task's working memory lists its goal first, then the errors it met, its newest steps, and what it asked memory. When
the budget is short, the oldest of the least important lines go first. The text keeps the order of events.
"""

import json
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from clawactors.eventlog.decoding import Commit
from clawactors.memory.text.normal import clean
from clawactors.runtime.packing import token_count
from clawactors.systems.tasks import events as t
from clawactors.systems.tasks.payload import is_reference, offload_payload

__all__ = ["SENSORY_LIMIT", "SensoryMemory", "WorkingLine", "WorkingMemory"]

SENSORY_LIMIT: Final = 1000
_LINE_LIMIT: Final = 400
_LINES_MAX: Final = 2000


class SensoryMemory:
    """The last `limit` events. To refill it from the log, add the commits after `seq`; the last `limit` suffice."""

    def __init__(self, limit: int = SENSORY_LIMIT) -> None:
        self._commits: deque[Commit] = deque(maxlen=limit)
        self._limit = limit

    @property
    def seq(self) -> int:
        """The log sequence of the newest commit, 0 before the first."""
        return self._commits[-1].record.seq if self._commits else 0

    def add(self, commit: Commit) -> None:
        """Adds a commit and drops what exceeds the limit. Order: idempotent."""
        if commit.events and (not self._commits or commit.record.seq > self._commits[-1].record.seq):
            self._commits.append(commit)

    def newest(self, count: int, since_ns: int = 0) -> list[tuple[Commit, object]]:
        """The newest events not older than `since_ns`, with their commits, oldest first."""
        found: list[tuple[Commit, object]] = []
        for commit in reversed(self._commits):
            if commit.record.at_ns < since_ns:
                break
            found += ((commit, event) for event in reversed(commit.events))
            if len(found) >= min(count, self._limit):
                break
        return found[: max(min(count, self._limit), 0)][::-1]


class WorkingLine(msgspec.Struct, frozen=True):
    """A line of a working memory: how early it goes when the budget is short, and the event that it tells of.

    `ids` are the memories that it repeats.
    """

    rank: int
    text: str
    seq: int
    at_ns: int
    ids: tuple[str, ...] = ()


class WorkingMemory:
    """The working memory of one task. Apply the task's commits in order, and add what memory answered it.

    `owner` is the user of the task, `about` its parameters and description, `recalled` what its code was answered with:
    log sequences and ids of memories.
    """

    def __init__(self, id: str) -> None:
        self.id = id
        self.owner = self.about = ""
        self.recalled: list[tuple[int, str]] = []
        self._goal = WorkingLine(0, "", 0, 0)
        self._at_ns = 0
        self._lines: list[WorkingLine] = []
        self.seq = 0

    def apply(self, commit: Commit) -> None:
        """Folds in a commit. Order: idempotent."""
        if commit.record.seq <= self.seq:
            return
        self.seq, self._at_ns = commit.record.seq, commit.record.at_ns
        for event in commit.events:
            match event:
                case t.Submitted() | t.Edited():
                    self.about = f"{_short(event.params)} {clean(event.description)}".strip()
                    goal = f"task {self.id}: {event.skill} {self.about}".strip()
                    self.owner, self._goal = event.user, WorkingLine(0, goal, self.seq, self._at_ns)
                    self.recalled += ((self.seq, id) for id in event.recalled)
                case t.Recalled():
                    self.recalled += ((self.seq, id) for id in event.memories)
                case t.StepCompleted():
                    self._add(2, f"step {event.step} completed: {_short(event.result)}")
                case t.StepFailed():
                    self._add(1, f"step {event.step} failed: {clean(event.error)}")
                case t.AttemptFailed():
                    self._add(1, f"attempt failed: {event.error.kind}: {clean(event.error.message)}")
                case t.Interrupted():
                    self._add(1, f"interrupted: {clean(event.reason)}")
                case t.Signalled():
                    self._add(2, f"signal {event.name}: {_short(event.payload)}")
                case _:
                    pass

    def add_answers(self, question: str, answers: Mapping[str, str], seq: int) -> None:
        """Adds what the task asked memory: excerpts by id, as of that log sequence.

        It is at hand for the task, but never counts as evidence.
        """
        said = " | ".join(map(clean, answers.values())) or "nothing found"
        self._add(3, f"asked memory {clean(question)!r}: {said}", seq, tuple(answers))

    def _add(self, rank: int, text: str, seq: int = 0, ids: tuple[str, ...] = ()) -> None:
        text = text if len(text) <= _LINE_LIMIT else text[: _LINE_LIMIT - 1] + "…"
        self._lines.append(WorkingLine(rank, text, seq or self.seq, self._at_ns, ids))
        if len(self._lines) > _LINES_MAX:
            del self._lines[: _LINES_MAX // 2]

    def text(self, budget: int = 1000, hidden: Callable[[WorkingLine], bool] = lambda _: False) -> str:
        """The working memory as text of at most `budget` tokens, without lines that are `hidden`."""
        lines = [line for line in self._lines if not hidden(line)]
        goal = "" if hidden(self._goal) else self._goal.text
        while token_count(goal) > budget:
            goal = goal[: len(goal) * 3 // 4]
        left = budget - token_count(goal)
        chosen: list[int] = []
        newest_first = sorted(range(len(lines)), key=lambda at: (lines[at].rank, -at))
        for at in newest_first:
            cost = token_count(lines[at].text) + 1
            if cost <= left:
                left -= cost
                chosen.append(at)
        return "\n".join(filter(None, (goal, *(lines[at].text for at in sorted(chosen)))))


def _short(value: Any) -> str:
    if value is None or value == {}:
        return ""
    if is_reference(value):
        return offload_payload(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return " ".join(clean(text).split())[:_LINE_LIMIT]
