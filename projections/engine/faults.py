"""What could not be folded: counted by sort, kept with its place in the log, and aggregates that are frozen.

1. A malformed record or an illegal event changes no row of its aggregate; a record from the future freezes it.
2. A frozen aggregate stays as it was; only a release that knows the event type thaws it, by building anew.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from clawactors.eventlog import Record
from clawactors.eventlog.decoding import Commit
from clawactors.projections.engine.index import ascending
from clawactors.projections.engine.keys import number, place
from clawactors.projections.engine.store import Reading, Writing

__all__ = [
    "FAULTS",
    "FROZEN",
    "UNBORN",
    "Count",
    "Faults",
    "Frozen",
    "counts",
    "frozen",
    "frozen_of",
    "unborn_version",
]

FAULTS: Final = "faults"
FROZEN: Final = "frozen"
UNBORN: Final = "unborn"
"""kind/id → version of aggregates that have records, and none that made them."""
_TEXT_CHARS: Final = 300


class Count(msgspec.Struct):
    """How often one sort of fault was met, where first and last, and the last one's reason."""

    kind: str
    fault: str
    count: int
    first_seq: int
    last_seq: int
    subject: str
    reason: str


class Frozen(msgspec.Struct, frozen=True):
    """Since when an aggregate stands still, and why."""

    seq: int
    reason: str


_count = msgspec.json.Decoder(Count)
_frozen = msgspec.json.Decoder(Frozen)


class Faults:
    """The view of them; the other views tell it."""

    name = "faults"
    kind = ""
    tables = (FAULTS, FROZEN, UNBORN)

    def __init__(self) -> None:
        self._noted: dict[tuple[str, str], Count] = {}
        self._some_frozen: bool | None = None
        self._some_unborn: bool | None = None
        self.keeps_met = False
        """Whether `met` is filled: somebody wants to see the records themselves."""
        self.met: list[tuple[Record, str]] = []
        """The records of the present batch that have a fault, and what it is."""

    def fold(self, commit: Commit, txn: Writing) -> None:
        """Counts a commit that has a fault."""
        if commit.fault:
            self.note(commit, commit.fault, commit.reason)

    def note(self, commit: Commit, fault: str, reason: str) -> None:
        """Counts a fault of a commit."""
        if self.keeps_met and not (self.met and self.met[-1][0] is commit.record):
            self.met.append((commit.record, f"{fault}: {reason}"))
        seq, kind = commit.record.seq, _clean(commit.kind)
        noted = self._noted.get((kind, fault))
        if noted is None:
            noted = self._noted[kind, fault] = Count(kind, fault, 0, seq, seq, "", "")
        noted.count += 1
        noted.last_seq, noted.subject, noted.reason = seq, _clean(commit.record.subject), _clean(reason)

    def freeze(self, commit: Commit, txn: Writing) -> None:
        """Marks the commit's aggregate; the first reason stays."""
        if not self.is_frozen(commit.kind, commit.id, txn):
            reason = Frozen(commit.record.seq, _clean(commit.reason))
            txn.put(FROZEN, _key(commit.kind, commit.id), msgspec.json.encode(reason))
            self._some_frozen = True

    def is_frozen(self, kind: str, id: str, txn: Writing) -> bool:
        """True when nothing more of that aggregate may be folded."""
        if self._some_frozen is None:
            self._some_frozen = txn.count(FROZEN) > 0
        return self._some_frozen and txn.get(FROZEN, _key(kind, id)) is not None

    def unborn(self, commit: Commit, txn: Writing) -> None:
        """The commit is a version of an aggregate that does not exist."""
        txn.put(UNBORN, _key(commit.kind, commit.id), place(commit.record.seq))
        self._some_unborn = True

    def born(self, commit: Commit, txn: Writing) -> None:
        """The commit made the aggregate."""
        if self._some_unborn is None:
            self._some_unborn = txn.count(UNBORN) > 0
        if self._some_unborn:
            txn.delete(UNBORN, _key(commit.kind, commit.id))

    def write(self, txn: Writing) -> None:
        """See `View`."""
        for (kind, fault), noted in self._noted.items():
            key = f"{kind}/{fault}".encode()
            if (stored := txn.get(FAULTS, key)) is not None:
                before = _count.decode(stored)
                noted.count += before.count
                noted.first_seq = before.first_seq
            txn.put(FAULTS, key, msgspec.json.encode(noted))
        self._noted.clear()

    def forget(self) -> None:
        """See `View`."""
        self._noted.clear()
        self.met.clear()
        self._some_frozen = self._some_unborn = None


def _clean(text: str) -> str:
    """Text from strangers, short enough to keep and fit to be encoded."""
    return text[:_TEXT_CHARS].encode("utf-8", "replace").decode()


def _key(kind: str, id: str) -> bytes:
    return f"{kind}/{id}".encode()


def counts(reading: Reading) -> list[Count]:
    """All sorts of faults met so far."""
    return [_count.decode(value) for _, value in ascending(reading, FAULTS)]


def frozen_of(reading: Reading, kind: str, id: str) -> Frozen | None:
    """Why an aggregate needs an upgrade, None when it does not."""
    value = reading.get(FROZEN, _key(kind, id))
    return None if value is None else _frozen.decode(value)


def unborn_version(reading: Reading, kind: str, id: str) -> int:
    """The version of an aggregate that does not exist: 0 where nothing was written to it."""
    value = reading.get(UNBORN, _key(kind, id))
    return 0 if value is None else number(value)


def frozen(reading: Reading, kind: str) -> Iterator[tuple[str, Frozen]]:
    """`(id, since when and why)` of every frozen aggregate of a kind."""
    prefix = f"{kind}/".encode()
    for key, value in ascending(reading, FROZEN, prefix):
        if not key.startswith(prefix):
            return
        yield key[len(prefix) :].decode(), _frozen.decode(value)
