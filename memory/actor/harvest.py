"""What the log's records lead to: memories of tasks, and jobs for messages. Sync, without input or output.

1. A task's memories follow from its history alone, under ids that follow from the task: told again, nothing changes.
2. Of the very many tasks that are plain (unnamed, no steps, nothing went wrong) so many a second are remembered; all
   others are.
3. A task whose beginning was not seen here is read from the log once there is something to tell.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from clawactors.chats.events import EXTRACT, ExtractionRequested
from clawactors.tasks import events as t
from eventlog.decoding import Commit
from memory.consolidation import Order, Telling

__all__ = ["Harvest", "Job"]

_OPEN_MAX: Final = 20_000
_PLAIN_PER_S: Final = 20
_PLAIN_AT_ONCE: Final = 500
_TELLING: Final = (t.AttemptFailed, t.Interrupted, t.Completed, t.Cancelled, t.Expired)
_LAST: Final = (t.Completed, t.Cancelled, t.Expired)


class Job(msgspec.Struct, frozen=True):
    """A message that memories shall be made of; `seq` is its place in the log."""

    key: str
    user: str
    conversation: str
    message: str
    seq: int


class Harvest:
    """`take` commits of tasks and chats in the order of the log; `lacks` says when a history has to be read first."""

    def __init__(self) -> None:
        self._open: dict[str, Telling] = {}
        self._allowance, self._allowed_ns = float(_PLAIN_AT_ONCE), 0

    def lacks(self, commit: Commit) -> bool:
        """True for a task that has something to tell, and whose beginning is not known here."""
        return commit.kind == "task" and commit.id not in self._open and _tells(commit) and not _begins(commit)

    def take(self, commit: Commit, before: Iterable[Commit] = ()) -> list[Order]:
        """The memories that the commit leads to; `before` is the history where it was lacking."""
        telling = self._open.get(commit.id)
        if telling is None:
            telling = Telling(commit.id)
            for earlier in before:
                telling.fold(earlier)
            if not (telling.begun or _begins(commit)):
                return []
            self._open[commit.id] = telling
            if len(self._open) > _OPEN_MAX:
                del self._open[next(iter(self._open))]
        orders = telling.fold(commit)
        if telling.skill == EXTRACT:  # how memories were made is none
            orders = []
        if any(isinstance(event, _LAST) for event in commit.events):
            del self._open[commit.id]
            if telling.is_plain and orders and not self._allows(commit.record.at_ns):
                return []
        return orders

    def _allows(self, at_ns: int) -> bool:
        """Takes one of the allowance, which grows with the time of the log."""
        grown = max(0, at_ns - self._allowed_ns) / 1e9 * _PLAIN_PER_S
        self._allowed_ns = max(at_ns, self._allowed_ns)
        self._allowance = min(float(_PLAIN_AT_ONCE), self._allowance + grown)
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True

    @staticmethod
    def jobs(commit: Commit) -> list[Job]:
        """The messages of a chat's commit that memories shall be made of."""
        return [
            Job(event.key, event.user, commit.id, event.message, commit.record.seq)
            for event in commit.events
            if isinstance(event, ExtractionRequested)
        ]


def _tells(commit: Commit) -> bool:
    return any(isinstance(event, _TELLING) for event in commit.events)


def _begins(commit: Commit) -> bool:
    return any(isinstance(event, t.Submitted) for event in commit.events)
