"""A memory in a folder, without log and server, for benchmarks and notebooks. It runs the code of the product."""

from collections.abc import Iterable, Mapping
from itertools import batched
from pathlib import Path
from typing import Any

from clawactors.memory.index import TABLES, Index, IndexWriter
from clawactors.memory.index.embedding import Embedder, HashedEmbedder
from clawactors.memory.index.rows import all_items, item_at
from clawactors.memory.models.meanings import Meanings
from clawactors.memory.models.parts import embedder_of
from clawactors.memory.models.serving import ServedModels
from clawactors.memory.models.settings import MemoryConfig, PartSettings
from clawactors.memory.recall import Hit, MemoryFilter, Searcher
from clawactors.memory.text.date import parse_date
from clawactors.memory.text.lexicon import Lexicon
from clawactors.memory.text.normal import clean
from clawactors.projections.engine.store import Store
from clawactors.systems.memories import MEMORY, Content
from clawactors.systems.memories.decider import TEXT_LIMIT_BYTES
from clawactors.systems.memories.events import MemoryRecorded

__all__ = ["Scratch", "open_scratch"]

_BATCH = 512
_TOGETHER = 64


class Scratch:
    """Searchable conversations in a folder."""

    def __init__(self, path: Path, embedder: str | Embedder, model: str | Embedder = "") -> None:
        lexicon = Lexicon()
        if isinstance(embedder, str):
            if embedder != "hashed":
                raise ValueError(f"unknown embedder {embedder!r}: give 'hashed' or an Embedder")
            embedder = HashedEmbedder(lexicon)
        self._store = Store.open(path, TABLES)
        self.index = Index(self._store, embedder, lexicon, path / "graph")
        self._writer = IndexWriter(embedder, lexicon)
        if isinstance(model, str):
            model = embedder_of(MemoryConfig(embed=PartSettings(use=model))) or ""
        self._meanings = Meanings(path / "models", model) if not isinstance(model, str) else None
        self.searcher = Searcher(self.index, ServedModels(self._meanings))
        with self._store.snapshot() as reading:
            items = list(all_items(reading))
        self._version = max((item.version for item in items), default=0)
        if self._meanings:
            self._meanings.load(items)

    def add_turns(self, turns: Iterable[Mapping[str, Any]]) -> None:
        """Adds messages: dicts with `id`, `session`, `index`, `date`, `speaker`, `text`. A known id is ignored."""
        self.write_turns(turns)
        while self.index.grow():
            pass
        self.grow_meanings()

    def grow_meanings(self) -> None:
        """Computes the vectors of the model that are missing. Raises: `ModelError`."""
        with self._store.snapshot() as reading:
            while self._meanings and self._meanings.grow(reading, _TOGETHER):
                pass

    def write_turns(self, turns: Iterable[Mapping[str, Any]]) -> None:
        """Like `add_turns`, but leaves the graph to `index.grow`."""
        for batch in batched(turns, _BATCH):
            self._write([(str(turn["id"]), _content(turn)) for turn in batch])

    def _write(self, batch: list[tuple[str, Content]]) -> None:
        try:
            with self._store.write() as txn:
                for id, content in batch:
                    if self._writer.present(txn, id) is None:
                        self._version += 1
                        event = MemoryRecorded(**{name: getattr(content, name) for name in Content.__struct_fields__})
                        memory = MEMORY.evolve(MEMORY.initial, event, content.happened_ns)
                        self._writer.stage(txn, id, self._version, memory)
                changes = self._writer.write(txn)
        except BaseException:
            self._writer.drop()
            raise
        self.index.apply(changes)
        if self._meanings:
            self._meanings.apply(changes)

    def search(self, query: str, k: int = 10) -> list[str]:
        """The ids of the `k` best matching messages, best first."""
        with self._store.snapshot() as reading:
            ranked, _ = self.searcher.rank(reading, query)
            items = (item_at(reading, int(number)) for number in ranked.numbers[:k])
            return [item.id for item in items if item is not None]

    def hits(self, query: str, limit: int = 5, **filter: Any) -> list[Hit]:
        """The hits with relevance, excerpt and parts of the score; `filter` takes the fields of `MemoryFilter`."""
        return self.searcher.search(query, limit, MemoryFilter(**filter))

    @property
    def stored_bytes(self) -> int:
        """The size of the rows on disk, without the graph."""
        return self._store.size_bytes

    def close(self) -> None:
        """Saves the graph and closes the store."""
        self.index.save(self._version)
        if self._meanings:
            self._meanings.close()
        self._store.close()


def _content(turn: Mapping[str, Any]) -> Content:
    text = clean(str(turn.get("text") or ""))
    return Content(
        text=text.encode()[:TEXT_LIMIT_BYTES].decode(errors="ignore"),
        speaker=str(turn.get("speaker") or ""),
        session=str(turn.get("session") or ""),
        position=int(turn.get("index") or 0),
        happened_ns=parse_date(str(turn.get("date") or "")),
        origin="import",
    )


def open_scratch(path: str | Path, embedder: str | Embedder = "hashed", model: str | Embedder = "") -> Scratch:
    """Opens the memory in the folder; creates it if it does not exist.

    `embedder` makes the vectors in the rows; `model` those that are searched beside them: `minilm`, or an `Embedder`.
    """
    return Scratch(Path(path), embedder, model)
