"""The sensory level: the newest raw events, whatever they are about."""

from collections import deque
from typing import Final

from clawactors.eventlog.decoding import Commit

__all__ = ["SENSES", "Sensory"]

SENSES: Final = 1000


class Sensory:
    """The last `limit` events. It fills again from the log: give it the commits behind `seq`, the last `limit` do."""

    def __init__(self, limit: int = SENSES) -> None:
        self._commits: deque[Commit] = deque(maxlen=limit)
        self._limit = limit

    @property
    def seq(self) -> int:
        """The sequence of the newest commit, 0 before the first."""
        return self._commits[-1].record.seq if self._commits else 0

    def sense(self, commit: Commit) -> None:
        """Takes in a commit; what is older than the limit fades. Order: a commit seen before is quiet."""
        if commit.events and (not self._commits or commit.record.seq > self._commits[-1].record.seq):
            self._commits.append(commit)

    def newest(self, count: int, since_ns: int = 0) -> list[tuple[Commit, object]]:
        """The newest events with their commits, oldest of them first, from that time on."""
        found: list[tuple[Commit, object]] = []
        for commit in reversed(self._commits):
            if commit.record.at_ns < since_ns:
                break
            found += ((commit, event) for event in reversed(commit.events))
            if len(found) >= min(count, self._limit):
                break
        return found[: max(min(count, self._limit), 0)][::-1]
