"""The view of memories: the rows that make them findable, as a fold of `claw.memory.>` like every other view.

`MEMORY_PROJECTION` is what `bin/replay --view memory` fills and verifies. A process that also searches takes the
changes of each written batch (`MemoryView.taken`) into its `Index`.
"""

import hashlib
import sys
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from clawactors.eventlog.decoding import Commit
from clawactors.memory.embedding import Embedder, HashedEmbedder
from clawactors.memory.index.item import Item
from clawactors.memory.index.rows import TABLES
from clawactors.memory.index.writer import Change, IndexWriter
from clawactors.memory.text.lexicon import Lexicon
from clawactors.projections.engine.faults import Faults
from clawactors.projections.engine.store import Writing
from clawactors.projections.engine.view import Projection, View
from clawactors.systems.memories import CODEC, MEMORY, Content, Fact, Memory

__all__ = ["REVISION", "MemoryView", "memory_projection"]

REVISION: Final = 1
"""Raised by hand when texts are cut, weighed or packed otherwise; changes of the stored structs are noticed."""

_STORED: Final = (Item, Memory, Content, Fact)


class MemoryView:
    """See `View`. `keeps_changes`: somebody takes them; else they are not held."""

    name = "memory"
    kind = "memory"
    tables = TABLES

    def __init__(self, writer: IndexWriter, faults: Faults) -> None:
        self._writer, self._faults = writer, faults
        self._changes: list[Change] = []
        self.keeps_changes = False
        self.lost = False
        """A batch failed or somebody else wrote: what was taken so far may not be what the rows say."""

    def fold(self, commit: Commit, txn: Writing) -> None:
        """See `View`."""
        if commit.fault == "future":
            self._faults.freeze(commit, txn)
            return
        if self._faults.is_frozen("memory", commit.id, txn):
            return
        present = self._writer.present(txn, commit.id)
        memory = before = present.memory if present else MEMORY.initial
        for event in commit.events:
            after = MEMORY.evolve(memory, event, commit.record.at_ns)
            if after is memory:
                self._faults.note(commit, "illegal", f"{type(event).__name__} while {memory.status}")
            memory = after
        if memory is not before:
            self._writer.stage(txn, commit.id, commit.record.seq, memory)

    def write(self, txn: Writing) -> None:
        """See `View`."""
        changes = self._writer.write(txn)
        if self.keeps_changes:
            self._changes += changes

    def forget(self) -> None:
        """See `View`."""
        self._writer.drop()
        self._changes.clear()
        self.lost = True

    def taken(self) -> list[Change]:
        """The changes written since the last time; ask when the batch is durable."""
        changes, self._changes = self._changes, []
        return changes


def memory_projection(
    make: Callable[[], tuple[Embedder, Lexicon]] | None = None, suspend: Callable[[], None] = lambda: None
) -> Projection:
    """The projection whose vectors come from that embedder; by default hashed ones, which need nothing.

    `suspend` is called between every few items that are written.
    """

    def views() -> Sequence[View]:
        faults = Faults()
        return MemoryView(IndexWriter(*(make or _hashed)(), suspend), faults), faults

    embedder, lexicon = (make or _hashed)()
    return Projection(
        name="memory",
        patterns=("claw.memory.>",),
        tables=tuple(table for view in views() for table in view.tables),
        schema=_schema(embedder, lexicon),
        tags=hashlib.blake2b(repr(sorted(CODEC.tags)).encode(), digest_size=8).hexdigest(),
        views=views,
    )


def _hashed() -> tuple[Embedder, Lexicon]:
    lexicon = Lexicon()
    return HashedEmbedder(lexicon), lexicon


def _schema(embedder: Embedder, lexicon: Lexicon) -> str:
    """A name for all that the bytes of rows depend on."""
    shapes = [(kind.__name__, kind.__struct_encode_fields__) for kind in _STORED]
    reading = (embedder.name, lexicon.analyzer.language)
    parts = (REVISION, shapes, reading, msgspec.__version__, sys.version_info[:2])
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()
