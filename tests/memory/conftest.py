"""An empty index in a folder of the test, and a short way to fill it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from clawactors.memory.index import TABLES, Index, IndexWriter
from clawactors.memory.index.embedding import HashedEmbedder, Matrix
from clawactors.memory.text import Lexicon
from clawactors.projections.engine.store import Store
from clawactors.systems.memories import MEMORY, Content, Memory
from clawactors.systems.memories import events as e

LEXICON = Lexicon()
RNG = np.random.default_rng(5)

type Opener = Callable[[], Index]


@pytest.fixture
def open_index(tmp_path: Path) -> Iterator[Opener]:
    """Opens the index of this test; opening again closes the one before, as a restart does."""
    stores: list[Store] = []

    def opened() -> Index:
        while stores:
            stores.pop().close()
        stores.append(Store.open(tmp_path / "view", TABLES))
        return Index(stores[0], HashedEmbedder(LEXICON), LEXICON, tmp_path / "graph")

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def index(open_index: Opener) -> Index:
    """An empty index."""
    return open_index()


def remembered(content: Content, at_ns: int = 1) -> Memory:
    """The state after the content was recorded."""
    fields = {name: getattr(content, name) for name in Content.__struct_fields__}
    return MEMORY.evolve(MEMORY.initial, e.MemoryRecorded(**fields), at_ns)


def put(index: Index, *memories: tuple[str, Memory], version: int = 1, grow: bool = True) -> None:
    """Brings memories into the index as one batch does."""
    writer = IndexWriter(index.embedder, LEXICON)
    with index.store.write() as txn:
        for id, memory in memories:
            writer.stage(txn, id, version, memory)
        changes = writer.write(txn)
    index.apply(changes)
    while grow and index.grow():
        pass


def notes(index: Index, **texts: str) -> None:
    """Brings in notes by id."""
    put(index, *((id, remembered(Content(text=text))) for id, text in texts.items()))


def dump(index: Index) -> list[tuple[str, bytes, bytes]]:
    """Every row of the index's tables."""
    with index.store.snapshot() as reading:
        return [(table, key, value) for table in TABLES for key, value in reading.cursor(table)]


def rows(count: int, dim: int = 16) -> Matrix:
    """Unit vectors, the same in every run."""
    made = RNG.standard_normal((count, dim)).astype(np.float32)
    unit: Matrix = made / np.linalg.norm(made, axis=1, keepdims=True)
    return unit
