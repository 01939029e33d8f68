"""The projection of memories, conversations and owners: the rows of the index as a fold of the log.

`bin/replay --view memory` fills and verifies `memory_projection`. A process that also searches applies the changes of
each written batch (`MemoryView.take_changes`) to its `Index`.
"""

import hashlib
import sys
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from clawactors.eventlog.decoding import Commit
from clawactors.kernel.kind import Kinds
from clawactors.memory.index.chats import ChatsView
from clawactors.memory.index.embedding import Embedder, HashedEmbedder
from clawactors.memory.index.forgotten import FORGOTTEN, OWNERS_TABLES, is_void, put_forgotten
from clawactors.memory.index.rows import TABLES, find
from clawactors.memory.index.writer import Change, IndexWriter
from clawactors.memory.item import Item
from clawactors.memory.text.lexicon import Lexicon
from clawactors.projections.engine.answers import AnswerTable, answers_of
from clawactors.projections.engine.faults import Faults
from clawactors.projections.engine.folding import answers_key, fold_commit
from clawactors.projections.engine.named import NamedView
from clawactors.projections.engine.store import Reading, Writing
from clawactors.projections.engine.view import Projection, StoredState, View
from clawactors.projections.views.erasures import ERASURE_TABLES, last_erasure
from clawactors.systems.chats.conversation import Conversation
from clawactors.systems.chats.kind import CHATS
from clawactors.systems.erasures import Erased, Erasure, ErasureRun
from clawactors.systems.erasures.kind import ERASURES
from clawactors.systems.memories import MEMORY, Content, Fact, Memory
from clawactors.systems.memories.events import MemoryEvent
from clawactors.systems.memories.kind import MEMORIES
from clawactors.systems.owners import Forgetting, Owner, OwnerSettings, owner_id
from clawactors.systems.owners.kind import OWNERS

__all__ = ["REVISION", "MemoryView", "memory_projection"]

REVISION: Final = 7
"""Increase it when texts are split, weighted or packed differently; changes of the stored structs are detected."""

_STORED: Final = (
    Item,
    Memory,
    Content,
    Fact,
    Conversation,
    Owner,
    OwnerSettings,
    Forgetting,
    Erasure,
    ErasureRun,
    Erased,
)
_ANSWERS: Final = "memory.answers"
"""id, version → time and ids of commands; see `answers`."""


class MemoryView:
    """Implements `SnapshotView`. With `keeps_changes` it collects changes for `take_changes`.

    What repeats forgotten words, or is of an owner who wants no memory, is not folded.
    """

    name = "memory"
    kind = "memory"
    tables = (*TABLES, FORGOTTEN, _ANSWERS)

    def __init__(self, writer: IndexWriter, owners: NamedView, faults: Faults) -> None:
        self._writer, self._owners, self._faults = writer, owners, faults
        self._forgotten: list[int] = []
        self._answers = AnswerTable(_ANSWERS)
        self._changes: list[Change] = []
        self.keeps_changes = False
        self.lost = False
        """A batch failed or another process wrote: the changes taken so far may not match the rows."""

    def believes(self, id: str, writer: str, txn: Writing) -> bool:
        """See `View`."""
        present = self._writer.present(txn, id)
        return MEMORIES.believes(id, present.memory if present else MEMORY.initial, writer)

    def fold(self, commit: Commit, txn: Writing) -> None:
        """See `View`."""
        present = self._writer.present(txn, commit.id)
        before = present.memory if present else MEMORY.initial
        if any(self._is_void(event, commit, txn) for event in commit.events):
            commit = replace(commit, events=())
        after = fold_commit(MEMORIES, commit, before, txn, self._faults, self._answers, _standing)
        if after is not MEMORY.initial:
            self._writer.stage(txn, commit.id, commit.record.seq, after)
        if after.content is None and before.content is not None and before.content.kind == "raw":
            self._forgotten += before.content.sources or (commit.record.seq,)

    def _is_void(self, event: MemoryEvent, commit: Commit, txn: Writing) -> bool:
        return is_void(
            event,
            commit.record.seq,
            commit.record.at_ns,
            lambda name: self._owners.state(owner_id(name), txn),
            lambda parent: found.memory if (found := self._writer.present(txn, parent)) else MEMORY.initial,
        )

    def write(self, txn: Writing) -> None:
        """See `View`."""
        changes = self._writer.write(txn)
        if self.keeps_changes:
            self._changes += changes
        put_forgotten(txn, self._forgotten)
        self._forgotten.clear()
        self._answers.write(txn)

    def load(self, reading: Reading, id: str, *, brief: bool = False) -> StoredState | None:
        """See `SnapshotView`."""
        item = find(reading, id)
        if item is None:
            return None
        return StoredState(item.memory, item.version, answers_of(reading, _ANSWERS, answers_key(id)))

    def forget(self) -> None:
        """See `View`."""
        self._writer.drop()
        self._answers.forget()
        self._changes.clear()
        self._forgotten.clear()
        self.lost = True

    def take_changes(self) -> list[Change]:
        """The changes written since the last call. Call it once the batch is durable."""
        changes, self._changes = self._changes, []
        return changes


def memory_projection(
    make: Callable[[], tuple[Embedder, Lexicon]] | None = None, suspend: Callable[[], None] = lambda: None
) -> Projection:
    """The projection of memories and conversations; `make` creates embedder and lexicon (default: `HashedEmbedder`).

    `suspend` is called every few items, so that the writing thread yields to searches.
    """

    def views() -> Sequence[View]:
        faults = Faults()
        owners = NamedView(OWNERS_TABLES, kinds, faults)
        memories = MemoryView(IndexWriter(*(make or _hashed)(), suspend), owners, faults)
        return owners, memories, ChatsView(faults), NamedView(ERASURE_TABLES, kinds, faults), faults

    embedder, lexicon = (make or _hashed)()
    kinds = Kinds((MEMORIES, CHATS, OWNERS, ERASURES))
    tags = sorted(tag for kind in kinds for tag in kind.codec.tags)
    return Projection(
        name="memory",
        patterns=kinds.patterns,
        tables=tuple(table for view in views() for table in view.tables),
        schema=_schema(embedder, lexicon),
        tags=hashlib.blake2b(repr(tags).encode(), digest_size=8).hexdigest(),
        views=views,
        kinds=kinds,
        renewed_at=last_erasure,
    )


def _standing(memory: Memory) -> str:
    return f"while {memory.status}"


def _hashed() -> tuple[Embedder, Lexicon]:
    lexicon = Lexicon()
    return HashedEmbedder(lexicon), lexicon


def _schema(embedder: Embedder, lexicon: Lexicon) -> str:
    """A digest of everything that the bytes of the rows depend on."""
    shapes = [(kind.__name__, kind.__struct_encode_fields__) for kind in _STORED]
    reading = (embedder.name, lexicon.analyzer.language)
    parts = (REVISION, shapes, reading, msgspec.__version__, sys.version_info[:2])
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()
