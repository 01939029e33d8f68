"""Applies records to the views of one projection: decode, fold, write rows and position in one transaction.

1. A record is applied once: records at or before the stored position are skipped, whichever process applied them.
2. After a failure the store is as before the batch, and so is the memory of the views.
3. No record stops the projector; a record that can't be folded is counted.
4. Authority is judged once per commit, on the state before it, before its events are looked at. A commit that its
   writer may not write counts as a version, and is counted for that writer.
5. In a long batch the commits of an aggregate are folded one after the other, where its view folds each alone: what
   is in the processor's cache stays there, and the aggregate is dropped as soon as its rows are made.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import batched
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from clawactors.eventlog import Corrupt, Record
from clawactors.eventlog.decoding import Commit
from clawactors.projections.engine.batches import BATCH_BYTES, by_aggregate, by_size
from clawactors.projections.engine.faults import Faults
from clawactors.projections.engine.state import State, put_state, state_of
from clawactors.projections.engine.store import MapFull, Store, Writing
from clawactors.projections.engine.view import Projection, SettlingView, View

__all__ = ["BATCH", "REPORTS_MAX", "Projector"]

BATCH: Final = 1024
"""Commits a transaction, at most, while the log is followed."""

REPORTS_MAX: Final = 20_000
"""At most so many faults are kept for the caller; all are counted."""

_LONG: Final = 8 * BATCH
"""Records in a batch that are worth sorting by aggregate."""


class Projector:
    """Writes one store. `position` is the sequence up to which the rows hold the log."""

    def __init__(self, projection: Projection, store: Store, state: State) -> None:
        self.projection, self.store, self.state = projection, store, state
        self._decode = projection.kinds.decoder.decode
        self.views = projection.views()
        self._by_kind = {view.kind: view for view in self.views if view.kind}
        self._settling = {kind: view for kind, view in self._by_kind.items() if isinstance(view, SettlingView)}
        self.faults = next((view for view in self.views if isinstance(view, Faults)), None) or Faults()
        self.reports: list[tuple[Record, str]] = []
        """The first of what could not be folded and why, of written batches; filled while `faults.keeps_met`."""

    @classmethod
    def open(cls, projection: Projection, path: Path, identity: str, *, begun: int = 0, **options: Any) -> Self:
        """Opens the store in that folder, made where it is missing; then `begun` is where the log ends now.

        Raises: `Corrupt` where it is damaged, of another log, or its rows are not those that this release makes.
        """
        store = Store.open(path, projection.tables, **options)
        try:
            return cls.on(store, projection, identity, begun)
        except BaseException:
            store.close()
            raise

    @classmethod
    def on(cls, store: Store, projection: Projection, identity: str, begun: int = 0) -> Self:
        """The projector of an open store. Raises: `Corrupt` as `open`."""
        fresh = State(projection.name, projection.schema, projection.tags, identity, begun=begun)
        with store.snapshot() as reading:
            known = state_of(reading)
            frozen = reading.count("frozen") if "frozen" in projection.tables else 0
        if known is None:
            with store.write() as txn:
                put_state(txn, fresh)
        state = known or fresh
        if (state.projection, state.schema) != (fresh.projection, fresh.schema):
            raise Corrupt(f"{store.path} was made by another release")
        if state.tags != fresh.tags:
            if frozen:
                raise Corrupt(f"{store.path} holds aggregates that this release may be able to read")
            state = msgspec.structs.replace(state, tags=fresh.tags)
        if state.identity != identity:
            raise Corrupt(f"{store.path} was made from another log")
        return cls(projection, store, state)

    @property
    def position(self) -> int:
        """The sequence up to which the rows hold the log."""
        return self.state.position

    @property
    def is_outdated(self) -> bool:
        """True where its rows may hold what was erased from the log since they were begun."""
        with self.store.snapshot() as reading:
            return self.projection.renewed_at(reading) > self.state.begun

    def apply(self, records: Sequence[Record], upto: int = 0, batch: int = BATCH) -> None:
        """Folds records that follow each other in the log and writes them, `batch` a transaction.

        `upto`: where the reader stands, when that is beyond the last record. Order: at least once is enough.
        Raises: `Unavailable` (full disk), `Corrupt`; what was written before stays.
        """
        for part in self._parts(records, batch):
            self._apply(partial(self._decode_and_fold, part), part[-1].seq)
        self._advance(upto)

    def apply_long(self, records: Sequence[Record], upto: int = 0) -> None:
        """As `apply`, in one transaction, for many records: the same rows in less time."""
        if len(records) < _LONG:
            self.apply(records, upto, _LONG)
        else:
            self._apply(partial(self._fold_by_aggregate, records), max(records[-1].seq, upto))

    def apply_commits(self, commits: Sequence[Commit], upto: int = 0, batch: int = BATCH) -> None:
        """As `apply`, for records that the caller has decoded with the shared decoder."""
        by_seq = {commit.record.seq: commit for commit in commits}
        for part in self._parts([commit.record for commit in commits], batch):
            decoded = [by_seq[record.seq] for record in part]
            self._apply(partial(self._fold, decoded), part[-1].seq)
        self._advance(upto)

    def _parts(self, records: Sequence[Record], batch: int) -> Iterator[Sequence[Record]]:
        """The records that are not applied yet, one part per transaction."""
        if records and records[0].seq <= self.position:
            records = [record for record in records if record.seq > self.position]
        for part in batched(records, batch):
            if sum(len(record.body) for record in part) <= BATCH_BYTES:
                yield part
            else:
                yield from by_size(part)

    def _advance(self, upto: int) -> None:
        if upto > self.position:
            self._apply(lambda _txn: 0, upto)

    def _apply(self, fold: Callable[[Writing], int], position: int) -> None:
        try:
            try:
                self._write(fold, position)
            except MapFull:
                self._forget()
                self.store.grow()
                self._write(fold, position)
        except BaseException:
            self._forget()
            raise

    def _write(self, fold: Callable[[Writing], int], position: int) -> None:
        with self.store.write() as txn:
            stored = state_of(txn)
            if stored is not None and stored.position != self.state.position:
                if stored.position < self.state.position:
                    raise Corrupt(f"{self.store.path} has lost rows that were written; rebuild the views: claw-replay")
                self._forget()  # another process wrote; its records are applied
                self.state = stored
            events = fold(txn)
            for view in self.views:
                view.write(txn)
            state = msgspec.structs.replace(
                self.state, position=max(position, self.state.position), events=self.state.events + events
            )
            put_state(txn, state)
        self.state = state
        self.reports += self.faults.met[: REPORTS_MAX - len(self.reports)]
        self.faults.met.clear()

    def _decode_and_fold(self, records: Iterable[Record], txn: Writing) -> int:
        # One by one: each commit is folded while it is in the processor's cache, then dropped.
        return self._fold(map(self._decode, records), txn)

    def _fold(self, commits: Iterable[Commit], txn: Writing) -> int:
        """Folds what is not applied yet; returns the number of events."""
        events, applied, by_kind, fold = 0, self.state.position, self._by_kind, self._fold_commit
        for commit in commits:
            view = by_kind.get(commit.kind)
            if view is not None and commit.record.seq > applied:
                events += fold(view, commit, txn)
        return events

    def _fold_by_aggregate(self, records: Sequence[Record], txn: Writing) -> int:
        """As `_fold`; the order is the log's within each aggregate, and that of their first records among them."""
        applied, faults = self.state.position, self.faults
        if records[0].seq <= applied:
            records = [record for record in records if record.seq > applied]
        groups, others = by_aggregate(records, self._settling)
        events = self._decode_and_fold(others, txn)
        for kind, group in groups.items():
            view, decode = self._settling[kind], self.projection.kinds.decoder.decoder_of(kind)
            believes, fold, settle, refused = view.believes, view.fold, view.settle, self._unauthorized
            for id, of_one in group.items():
                for record in of_one:
                    commit = decode(record, id)
                    # As `_fold_commit`, which would be a call for each.
                    if (writer := commit.writer) and commit.id and not believes(id, writer, txn):
                        commit = refused(commit)
                    elif commit.fault:
                        faults.fold(commit, txn)
                    if commit.id:
                        fold(commit, txn)
                    events += len(commit.events)
                settle(id)
        return events

    def _fold_commit(self, view: View, commit: Commit, txn: Writing) -> int:
        if (writer := commit.writer) and commit.id and not view.believes(commit.id, writer, txn):
            commit = self._unauthorized(commit)
        elif commit.fault:
            self.faults.fold(commit, txn)
        if commit.id:
            view.fold(commit, txn)
        return len(commit.events)

    def _unauthorized(self, commit: Commit) -> Commit:
        """Counts it for its writer; what is left of it is a version."""
        self.faults.note_unauthorized(commit, commit.writer)
        reason = f"{commit.writer} may not write it"
        return Commit(commit.record, commit.kind, commit.id, (), "malformed", reason, commit.writer)

    def _forget(self) -> None:
        for view in self.views:
            view.forget()

    def close(self) -> None:
        """Closes the store."""
        self.store.close()
