"""Selects the events of task histories that become memories. Sync, without I/O.

1. The memories of a task depend on its history alone, and so do their ids: reading it again changes nothing.
2. All failures are remembered, and all ends of tasks that are named or failed. Of the many other tasks only a limited
   number per second is: the rest is not even decoded, because memory must not cost as much as running the tasks.
3. If the beginning of a task was not seen, its history is read from the log once it is needed.
"""

import re
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from clawactors.eventlog import Record
from clawactors.eventlog.decoding import Decoder
from clawactors.memory.ingest.history_extractor import HistoryExtractor
from clawactors.memory.item import ItemCommand
from clawactors.systems.chats.events import EXTRACT

__all__ = ["EventFilter"]

_OPEN_MAX: Final = 20_000
_RAW_MAX: Final = 8
_RAW_BYTES_MAX: Final = 16_384
_PLAIN_PER_S: Final = 10
_PLAIN_BURST: Final = 100

# Event types are searched in the bytes: a match may be a false positive, a miss is certain.
_RELEVANT = re.compile(rb'"task\.(?:(submitted|edited)|attempt_failed|interrupted|completed|cancelled|expired)"').search
_REMEMBERED = re.compile(rb'"task\.(?:attempt_failed|interrupted|completed|cancelled|expired)"').search
_ENDS = re.compile(rb'"task\.(?:completed|cancelled|expired)"').search
_FAILS = re.compile(rb'"task\.(?:attempt_failed|expired)"').search
_NAMED = re.compile(rb'"(?:name|description|user|tags)":').search
_BEGINS: Final = b"submitted"
_ID_AT: Final = len("claw.task.")


class _OpenTask:
    """A task that has not ended: its raw records, or its extractor once there are many of them or one was needed."""

    __slots__ = ("_decoder", "_extractor", "_raw", "_size_bytes", "id", "named")

    def __init__(self, id: str, decoder: Decoder) -> None:
        self.id = id
        self.named = False
        self._decoder = decoder
        self._raw: list[Record] = []
        self._size_bytes = 0
        self._extractor: HistoryExtractor | None = None

    def add(self, record: Record) -> None:
        """Adds a record that leads to no memory."""
        if self._extractor is not None:
            self._extractor.apply(self._decoder.decode(record))
            return
        self._raw.append(record)
        self._size_bytes += len(record.body)
        if len(self._raw) > _RAW_MAX or self._size_bytes > _RAW_BYTES_MAX:
            self.extractor()

    def extractor(self) -> HistoryExtractor:
        """The extractor, with all records applied."""
        if self._extractor is None:
            self._extractor = HistoryExtractor(self.id)
            for record in self._raw:
                self._extractor.apply(self._decoder.decode(record))
            self._raw.clear()
        return self._extractor

    @property
    def is_plain(self) -> bool:
        """True for one of many tasks: it has no name, and nothing failed."""
        return (self._extractor is None and not self.named) or self.extractor().is_plain


class EventFilter:
    """Turns the records of tasks into commands. Call `apply` in the order of the log."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._open: OrderedDict[str, _OpenTask] = OrderedDict()
        self._allowance, self._allowed_ns = float(_PLAIN_BURST), 0

    def apply(self, record: Record, before: Iterable[Record] | None = None) -> list[ItemCommand] | None:
        """The commands that the record leads to.

        None if the earlier records of the task are missing: read them and call it again with `before`.
        """
        subject, body = record.subject, record.body
        id = subject[_ID_AT : subject.find(".", _ID_AT)]
        relevant = _RELEVANT(body)
        task = self._open.get(id)
        if task is None:
            if relevant is None:
                return []
            if before is None and relevant[1] != _BEGINS:
                return None
            task = _OpenTask(id, self._decoder)
            if before is not None:
                for earlier in before:
                    task.add(earlier)
                if not task.extractor().has_begun and relevant[1] != _BEGINS:
                    return []
            self._open[id] = task
            if len(self._open) > _OPEN_MAX:
                self._open.popitem(last=False)
        if relevant is None:
            task.add(record)
            return []
        if relevant[1] is not None:
            task.named = task.named or _NAMED(body) is not None
            if _REMEMBERED(body) is None:
                task.add(record)
                return []
        if ends := _ENDS(body) is not None:
            del self._open[id]
        if _FAILS(body) is None and task.is_plain and not self._allows(record.at_ns):
            if not ends:
                task.add(record)
            return []
        extractor = task.extractor()
        commands = extractor.apply(self._decoder.decode(record))
        return [] if extractor.skill == EXTRACT else commands  # extraction itself is not remembered

    def _allows(self, at_ns: int) -> bool:
        """Takes one of the allowance, which grows with the time of the log."""
        grown = max(0, at_ns - self._allowed_ns) / 1e9 * _PLAIN_PER_S
        self._allowed_ns = max(at_ns, self._allowed_ns)
        self._allowance = min(float(_PLAIN_BURST), self._allowance + grown)
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True
