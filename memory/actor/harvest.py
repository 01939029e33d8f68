"""What the log's records lead to: memories of tasks, and jobs for messages. Sync, without input or output.

1. A task's memories follow from its history alone, under ids that follow from the task: told again, nothing changes.
2. Failures are all remembered, and all ends of tasks that somebody named or that failed. Of the very many others so
   many ends and interruptions a second are: the rest is not even decoded, for memory must not cost what running costs.
3. A task whose beginning was not seen here is read from the log once there is something to tell.
"""

import re
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

import msgspec

from clawactors.eventlog import Record
from clawactors.eventlog.decoding import Commit
from clawactors.kinds import DECODER
from clawactors.memory.consolidation import HistoryExtractor, Order
from clawactors.systems.chats.events import EXTRACT, ExtractionRequested

__all__ = ["EventFilter", "Job", "jobs_in"]

_OPEN_MAX: Final = 20_000
_RAW_MAX: Final = 8
_RAW_BYTES_MAX: Final = 16_384
_PLAIN_PER_S: Final = 10
_PLAIN_AT_ONCE: Final = 100

# What may be said of a task is looked for in the bytes: a hit may mean nothing, a miss is sure.
_SAYS = re.compile(rb'"task\.(?:(submitted|edited)|attempt_failed|interrupted|completed|cancelled|expired)"').search
_TELLS = re.compile(rb'"task\.(?:attempt_failed|interrupted|completed|cancelled|expired)"').search
_ENDS = re.compile(rb'"task\.(?:completed|cancelled|expired)"').search
_FAILS = re.compile(rb'"task\.(?:attempt_failed|expired)"').search
_NAMED = re.compile(rb'"(?:name|description|user|tags)":').search
_BEGINS: Final = b"submitted"
_ID_AT: Final = len("claw.task.")


class Job(msgspec.Struct, frozen=True):
    """A message that memories shall be made of; `seq` is its place in the log."""

    key: str
    user: str
    conversation: str
    message: str
    seq: int


class _Held:
    """A task that has not ended: its records as they came, or, when they are many or were told of, their telling."""

    __slots__ = ("id", "named", "raw", "size_bytes", "telling")

    def __init__(self, id: str) -> None:
        self.id = id
        self.raw: list[Record] = []
        self.size_bytes = 0
        self.named = False
        self.telling: HistoryExtractor | None = None

    def add(self, record: Record) -> None:
        """Takes in a record that tells nothing yet."""
        if self.telling is not None:
            self.telling.fold(DECODER.decode(record))
            return
        self.raw.append(record)
        self.size_bytes += len(record.body)
        if len(self.raw) > _RAW_MAX or self.size_bytes > _RAW_BYTES_MAX:
            self.told()

    def told(self) -> HistoryExtractor:
        """The telling of all that was taken in."""
        if self.telling is None:
            self.telling = HistoryExtractor(self.id)
            for record in self.raw:
                self.telling.fold(DECODER.decode(record))
            self.raw.clear()
        return self.telling

    @property
    def is_plain(self) -> bool:
        """Whether the task is one of very many: nobody named it, and nothing has failed."""
        return (self.telling is None and not self.named) or self.told().is_plain


class EventFilter:
    """`take` records of tasks in the order of the log."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, _Held] = OrderedDict()
        self._allowance, self._allowed_ns = float(_PLAIN_AT_ONCE), 0

    def take(self, record: Record, before: Iterable[Record] | None = None) -> list[Order] | None:
        """The memories that the record leads to; None where the task's history is lacking: read it, and ask again."""
        subject, body = record.subject, record.body
        id = subject[_ID_AT : subject.find(".", _ID_AT)]
        says = _SAYS(body)
        held = self._open.get(id)
        if held is None:
            if says is None:
                return []
            if before is None and says[1] != _BEGINS:
                return None
            held = _Held(id)
            if before is not None:
                for earlier in before:
                    held.add(earlier)
                if not held.told().begun and says[1] != _BEGINS:
                    return []
            self._open[id] = held
            if len(self._open) > _OPEN_MAX:
                self._open.popitem(last=False)
        if says is None:
            held.add(record)
            return []
        if says[1] is not None:
            held.named = held.named or _NAMED(body) is not None
            if _TELLS(body) is None:
                held.add(record)
                return []
        if _ENDS(body) is not None:
            del self._open[id]
        if _FAILS(body) is None and held.is_plain and not self._allows(record.at_ns):
            held.add(record)
            return []
        telling = held.told()
        orders = telling.fold(DECODER.decode(record))
        return [] if telling.skill == EXTRACT else orders  # how memories were made is none

    def _allows(self, at_ns: int) -> bool:
        """Takes one of the allowance, which grows with the time of the log."""
        grown = max(0, at_ns - self._allowed_ns) / 1e9 * _PLAIN_PER_S
        self._allowed_ns = max(at_ns, self._allowed_ns)
        self._allowance = min(float(_PLAIN_AT_ONCE), self._allowance + grown)
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True


def jobs_in(commit: Commit) -> list[Job]:
    """The messages of a chat's commit that memories shall be made of."""
    return [
        Job(event.key, event.user, commit.id, event.message, commit.record.seq)
        for event in commit.events
        if isinstance(event, ExtractionRequested)
    ]
