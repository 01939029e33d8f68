"""The working level: what a running task needs at hand, as text within a budget of tokens.

What it is about comes first, then the errors it met, then the newest steps, then what it asked memory; the oldest of
the less needed goes first when the budget is short. Told in the order in which it happened.
"""

import json
import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from clawactors.eventlog.decoding import Commit
from clawactors.memory.text.normal import clean
from clawactors.systems.tasks import events as t
from clawactors.systems.tasks.payload import is_reference, offload_payload

__all__ = ["Working", "tokens"]

_LINE_LIMIT: Final = 400
_KEPT: Final = 2000
_WIDE = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]")


class _Line(msgspec.Struct, frozen=True):
    seq: int
    rank: int
    text: str


def tokens(text: str) -> int:
    """About how many tokens a language model makes of it: one a wide character, one for four others."""
    wide = len(_WIDE.findall(text))
    return wide + -(-(len(text) - wide) // 4)


class Working:
    """One task's. Feed it the task's commits in order, and what memory answered it."""

    def __init__(self, id: str) -> None:
        self.id = id
        self._about = ""
        self._lines: list[_Line] = []
        self.seq = 0

    def fold(self, commit: Commit) -> None:
        """Takes in a commit. Order: a commit seen before is quiet."""
        if commit.record.seq <= self.seq:
            return
        self.seq = commit.record.seq
        for event in commit.events:
            match event:
                case t.Submitted():
                    self._about = (
                        f"task {self.id}: {event.skill} {_short(event.params)} {clean(event.description)}".strip()
                    )
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

    def recalled(self, question: str, answers: Sequence[str]) -> None:
        """Notes what the task asked memory. It is at hand, and no evidence for anything."""
        self._add(3, f"asked memory {clean(question)!r}: {' | '.join(map(clean, answers)) or 'nothing found'}")

    def _add(self, rank: int, text: str) -> None:
        text = text if len(text) <= _LINE_LIMIT else text[: _LINE_LIMIT - 1] + "…"
        self._lines.append(_Line(self.seq, rank, text))
        if len(self._lines) > _KEPT:
            del self._lines[: _KEPT // 2]

    def text(self, budget: int = 1000) -> str:
        """At most `budget` tokens."""
        about = self._about
        while tokens(about) > budget:
            about = about[: len(about) * 3 // 4]
        left = budget - tokens(about)
        chosen: list[int] = []
        newest_first = sorted(range(len(self._lines)), key=lambda at: (self._lines[at].rank, -at))
        for at in newest_first:
            cost = tokens(self._lines[at].text) + 1
            if cost <= left:
                left -= cost
                chosen.append(at)
        return "\n".join(filter(None, (about, *(self._lines[at].text for at in sorted(chosen)))))


def _short(value: Any) -> str:
    if value is None or value == {}:
        return ""
    if is_reference(value):
        return offload_payload(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return " ".join(clean(text).split())[:_LINE_LIMIT]
