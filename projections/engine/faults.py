"""What could not be folded: counted by sort, with its place in the log, and the aggregates that are frozen.

1. A malformed record or an illegal event changes no row of its aggregate; a record from the future freezes it.
2. A frozen aggregate stays as it was; only a release that knows the event type thaws it, by building anew.
3. What a node wrote without authority is counted for that node and is no fault of the aggregate: it can't freeze it.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from clawactors.eventlog import Record
from clawactors.eventlog.decoding import Commit
from clawactors.projections.engine.index import ascending
from clawactors.projections.engine.keys import number, place, term
from clawactors.projections.engine.store import Reading, Writing

__all__ = [
    "FAULTS",
    "FROZEN",
    "UNAUTHORIZED",
    "UNCREATED",
    "Count",
    "Faults",
    "Frozen",
    "UnauthorizedWriter",
    "absence",
    "counts",
    "frozen",
    "frozen_of",
    "unauthorized_writers",
    "uncreated_version",
]

FAULTS: Final = "faults"
FROZEN: Final = "frozen"
UNAUTHORIZED: Final = "unauthorized"
"""writer → what it wrote without authority."""
UNCREATED: Final = "uncreated"
"""kind/id → version of aggregates that have records, and none that made them."""
_TEXT_CHARS: Final = 300
_WRITER: Final = b"w"


class Count(msgspec.Struct):
    """How often one sort of fault was found, where first and last, and the last reason."""

    kind: str
    fault: str
    count: int
    first_seq: int
    last_seq: int
    subject: str
    reason: str


class Frozen(msgspec.Struct, frozen=True):
    """Since which record an aggregate is frozen, and why."""

    seq: int
    reason: str


class UnauthorizedWriter(msgspec.Struct):
    """How many commits a node wrote about aggregates that it may not speak about, where first and last."""

    writer: str
    count: int
    first_seq: int
    last_seq: int
    subject: str


_count = msgspec.json.Decoder(Count)
_frozen = msgspec.json.Decoder(Frozen)
_unauthorized = msgspec.json.Decoder(UnauthorizedWriter)


class Faults:
    """The view of faults; the other views report to it, in any order within a batch."""

    name = "faults"
    kind = ""
    tables = (FAULTS, FROZEN, UNAUTHORIZED, UNCREATED)

    def __init__(self) -> None:
        self._noted: dict[tuple[str, str], Count] = {}
        self._unauthorized_writers: dict[str, UnauthorizedWriter] = {}
        self._some_frozen: bool | None = None
        self._some_uncreated: bool | None = None
        self.keeps_met = False
        """Whether `met` is filled: the caller wants the records themselves."""
        self.met: list[tuple[Record, str]] = []
        """The faulty records of this batch, each with its fault."""

    def believes(self, id: str, writer: str, txn: Writing) -> bool:
        """See `View`."""
        return False

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
        noted.first_seq = min(noted.first_seq, seq)
        if seq >= noted.last_seq:
            noted.last_seq, noted.subject, noted.reason = seq, _clean(commit.record.subject), _clean(reason)

    def note_unauthorized(self, commit: Commit, writer: str) -> None:
        """Counts a commit of a node that may not speak about its aggregate."""
        seq, writer, subject = commit.record.seq, _clean(writer), _clean(commit.record.subject)
        noted = self._unauthorized_writers.get(writer)
        if noted is None:
            noted = self._unauthorized_writers[writer] = UnauthorizedWriter(writer, 0, seq, seq, subject)
        noted.count += 1
        noted.first_seq = min(noted.first_seq, seq)
        if seq >= noted.last_seq:
            noted.last_seq, noted.subject = seq, subject

    def freeze(self, commit: Commit, txn: Writing) -> None:
        """Marks the commit's aggregate; the first reason stays."""
        if not self.is_frozen(commit.kind, commit.id, txn):
            reason = Frozen(commit.record.seq, _clean(commit.reason))
            txn.put(FROZEN, _key(commit.kind, commit.id), msgspec.json.encode(reason))
            self._some_frozen = True

    def is_frozen(self, kind: str, id: str, txn: Writing) -> bool:
        """True when no later commit of that aggregate may be folded."""
        if self._some_frozen is None:
            self._some_frozen = txn.count(FROZEN) > 0
        return self._some_frozen and txn.get(FROZEN, _key(kind, id)) is not None

    def note_uncreated(self, commit: Commit, txn: Writing) -> None:
        """The commit is a version of an aggregate that does not exist."""
        txn.put(UNCREATED, _key(commit.kind, commit.id), place(commit.record.seq))
        self._some_uncreated = True

    def note_created(self, commit: Commit, txn: Writing) -> None:
        """The commit made the aggregate."""
        if self._some_uncreated is None:
            self._some_uncreated = txn.count(UNCREATED) > 0
        if self._some_uncreated:
            txn.delete(UNCREATED, _key(commit.kind, commit.id))

    def write(self, txn: Writing) -> None:
        """See `View`."""
        for (kind, fault), noted in self._noted.items():
            key = f"{kind}/{fault}".encode()
            if (stored := txn.get(FAULTS, key)) is not None:
                before = _count.decode(stored)
                noted.count += before.count
                noted.first_seq = before.first_seq
            txn.put(FAULTS, key, msgspec.json.encode(noted))
        for writer, wrote in self._unauthorized_writers.items():
            if (stored := txn.get(UNAUTHORIZED, term(_WRITER, writer))) is not None:
                earlier = _unauthorized.decode(stored)
                wrote.count += earlier.count
                wrote.first_seq = earlier.first_seq
            txn.put(UNAUTHORIZED, term(_WRITER, writer), msgspec.json.encode(wrote))
        self._noted.clear()
        self._unauthorized_writers.clear()

    def forget(self) -> None:
        """See `View`."""
        self._noted.clear()
        self._unauthorized_writers.clear()
        self.met.clear()
        self._some_frozen = self._some_uncreated = None


def _clean(text: str) -> str:
    """Text from outside, cut and made encodable."""
    return text[:_TEXT_CHARS].encode("utf-8", "replace").decode()


def _key(kind: str, id: str) -> bytes:
    return f"{kind}/{id}".encode()


def counts(reading: Reading) -> list[Count]:
    """All sorts of faults found so far."""
    return [_count.decode(value) for _, value in ascending(reading, FAULTS)]


def unauthorized_writers(reading: Reading) -> list[UnauthorizedWriter]:
    """The nodes that wrote without authority, the most active first."""
    found = [_unauthorized.decode(value) for _, value in ascending(reading, UNAUTHORIZED)]
    return sorted(found, key=lambda wrote: (-wrote.count, wrote.writer))


def frozen_of(reading: Reading, kind: str, id: str) -> Frozen | None:
    """Why an aggregate needs an upgrade, None when it does not."""
    value = reading.get(FROZEN, _key(kind, id))
    return None if value is None else _frozen.decode(value)


def absence(reading: Reading, kind: str, id: str) -> str:
    """Why there is no row of an aggregate."""
    frozen = frozen_of(reading, kind, id)
    return f"{kind} {id} needs a newer release: {frozen.reason}" if frozen else f"there is no {kind} {id}"


def uncreated_version(reading: Reading, kind: str, id: str) -> int:
    """The version of an aggregate that does not exist: 0 where nothing was written to it."""
    value = reading.get(UNCREATED, _key(kind, id))
    return 0 if value is None else number(value)


def frozen(reading: Reading) -> Iterator[tuple[str, str, Frozen]]:
    """`(kind, id, since when and why)` of every frozen aggregate."""
    for key, value in ascending(reading, FROZEN):
        kind, _, id = key.decode().partition("/")
        yield kind, id, _frozen.decode(value)
