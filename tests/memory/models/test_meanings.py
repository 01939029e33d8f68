"""Vectors of a model beside the rows: built in the background, changed at once, never in the way of a search."""

import json
import threading
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest

from clawactors.memory.index import Index
from clawactors.memory.index.embedding import Idf, Matrix, Vector
from clawactors.memory.index.postings import Numbers
from clawactors.memory.index.rows import all_items, find
from clawactors.memory.index.writer import Change, IndexWriter
from clawactors.memory.item import Item
from clawactors.memory.models import building
from clawactors.memory.models.building import MeaningBuilder
from clawactors.memory.models.errors import ModelError
from clawactors.memory.models.meanings import Meanings
from clawactors.memory.models.parts import MemoryParts, parts_of
from clawactors.memory.models.serving import Retriever, ServedModels
from clawactors.memory.models.settings import MemoryConfig, PartSettings
from clawactors.memory.recall import Searcher
from clawactors.systems.memories import MEMORY, Content
from clawactors.systems.memories import events as e
from tests.memory.conftest import LEXICON, Opener, put, remembered

SAME = {"feline": "cat", "automobile": "car", "physician": "doctor"}


class ToyModel:
    """Knows that some words mean the same; `failing` makes it fail."""

    def __init__(self, name: str = "toy", dim: int = 32) -> None:
        self.name, self.dim = name, dim
        self.texts: list[str] = []
        self.failing = False

    def documents(self, texts: Sequence[str]) -> tuple[Matrix, Vector]:
        if self.failing:
            raise ModelError("the toy is broken")
        self.texts += texts
        rows = np.array([self._row(text) for text in texts], np.float32)
        return rows, np.ones(len(texts), np.float32)

    def query(self, text: str, idf: Idf) -> Vector:
        if self.failing:
            raise ModelError("the toy is broken")
        return self._row(text)

    def _row(self, text: str) -> Vector:
        row = np.zeros(self.dim, np.float32)
        for word in text.lower().strip("?.").split():
            row += np.random.default_rng(zlib.crc32(SAME.get(word, word).encode())).normal(size=self.dim)
        return (row / max(float(np.linalg.norm(row)), 1e-9)).astype(np.float32)


MODELS: dict[str, ToyModel] = {}


def toy(settings: PartSettings) -> ToyModel:
    """The part `…:toy`."""
    return MODELS[settings.model]


def parts(model: ToyModel | None) -> MemoryParts:
    if model is None:
        return MemoryParts()
    MODELS[model.name] = model
    config = MemoryConfig(embed=PartSettings(use=f"{__name__}:toy", model=model.name))
    return MemoryParts(config=config, embedder=model)


def items(index: Index) -> Iterable[Item]:
    with index.store.snapshot() as reading:
        return list(all_items(reading))


def opened(folder: Path, index: Index, model: ToyModel | None) -> MeaningBuilder:
    builder = MeaningBuilder(folder / "models", parts(model))
    builder.open()
    builder.load(lambda: items(index))
    return builder


def built(builder: MeaningBuilder, index: Index) -> None:
    while builder.grow(index.store):
        pass


@pytest.fixture
def animals(index: Index) -> Index:
    texts = ["Our cat sleeps all day", "The car is in the garage", "A doctor lives next door", "Rain is likely"]
    put(index, *((f"m{nth}", remembered(Content(text=text))) for nth, text in enumerate(texts)))
    return index


def first(index: Index, builder: MeaningBuilder, question: str) -> str:
    with index.store.snapshot() as reading:
        ranked, _ = Searcher(index, builder.served).rank(reading, question)
        return next(item.id for item in items(index) if item.number == ranked.numbers[0])


def changes(index: Index, id: str, *events: e.MemoryEvent) -> list[Change]:
    writer = IndexWriter(index.embedder, LEXICON)
    with index.store.write() as txn:
        item = find(txn, id)
        assert item
        memory = item.memory
        for event in events:
            memory = MEMORY.evolve(memory, event, 5)
        writer.stage(txn, id, 9, memory)
        made = writer.write(txn)
    index.apply(made)
    return made


def test_a_model_finds_what_no_word_leads_to(animals: Index, tmp_path: Path) -> None:
    builder = opened(tmp_path, animals, ToyModel())
    built(builder, animals)
    assert first(animals, builder, "physician next door") == "m2"
    assert first(animals, builder, "automobile") == "m1"
    assert builder.row() == {"embedder": "toy", "served": "toy", "missing": 0, "trouble": ""}
    builder.close()


def test_searches_use_the_model_before_until_the_new_one_is_whole(
    animals: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "_TOGETHER", 1)
    before = opened(tmp_path, animals, ToyModel("before"))
    built(before, animals)
    before.close()
    new = ToyModel("new", 64)
    builder = opened(tmp_path, animals, new)
    assert builder.row()["served"] == "before"
    for missing in (3, 2, 1):
        assert builder.grow(animals.store)
        assert (builder.row()["served"], builder.row()["missing"]) == ("before", missing)
        assert first(animals, builder, "automobile") == "m1"
    builder.close()  # as if it were killed: nothing is lost

    again = opened(tmp_path, animals, new)
    assert (again.row()["served"], again.row()["missing"]) == ("before", 1)
    assert not again.grow(animals.store)
    assert again.row() == {"embedder": "new", "served": "new", "missing": 0, "trouble": ""}
    assert len(new.texts) == 4, "each text is computed once"
    assert first(animals, again, "automobile") == "m1"
    manifest = json.loads((tmp_path / "models" / "serving.json").read_bytes())
    assert (manifest["embedder"], manifest["dim"]) == ("new", 64)
    assert len(list((tmp_path / "models").iterdir())) == 2, "the folder of the model before is gone"
    again.close()


def test_a_model_that_can_not_be_made_again_is_left(animals: Index, tmp_path: Path) -> None:
    before = opened(tmp_path, animals, ToyModel("before"))
    built(before, animals)
    before.close()
    MODELS.clear()
    builder = opened(tmp_path, animals, ToyModel("new"))
    assert builder.row()["served"] == "hashed"
    built(builder, animals)
    assert builder.row()["served"] == "new"
    builder.close()
    assert opened(tmp_path, animals, None).row() == {}
    assert list((tmp_path / "models").iterdir()) == []


def test_a_search_does_without_a_model_that_fails(animals: Index, tmp_path: Path) -> None:
    model = ToyModel()
    builder = opened(tmp_path, animals, model)
    built(builder, animals)
    model.failing = True
    assert first(animals, builder, "where is the car?") == "m1"
    assert builder.row()["trouble"] == "the toy is broken"
    put(animals, ("m9", remembered(Content(text="A goat ate the hat"))))
    builder.load(lambda: items(animals))
    with pytest.raises(ModelError):
        builder.grow(animals.store)
    assert first(animals, builder, "goat") == "m9"
    assert builder.row()["missing"] == 1
    builder.close()


def test_what_is_forgotten_is_in_no_vector(animals: Index, tmp_path: Path) -> None:
    model = ToyModel()
    builder = opened(tmp_path, animals, model)
    built(builder, animals)
    builder.apply(changes(animals, "m2", e.MemoryForgotten("asked")))
    meanings = builder.served.meanings
    assert meanings
    assert meanings.similarities(model.query("doctor", lambda term: 1), np.array([2]))[1].tolist() == [False]
    assert 2 not in meanings.nearest(model.query("doctor", lambda term: 1), 4, animals.columns, None)
    builder.close()
    changes(animals, "m1", e.MemoryForgotten("while nobody looked"))
    again = opened(tmp_path, animals, model)
    built(again, animals)
    assert len(model.texts) == 4
    assert again.row()["missing"] == 0
    meanings = again.served.meanings
    assert meanings
    assert meanings.similarities(model.query("car", lambda term: 1), np.arange(4))[1].tolist() == [
        True,
        False,
        False,
        True,
    ]
    again.close()


def test_another_text_is_computed_again(animals: Index, tmp_path: Path) -> None:
    model = ToyModel()
    builder = opened(tmp_path, animals, model)
    built(builder, animals)
    builder.apply(changes(animals, "m3", e.MemoryRevised(text="The kiln is broken")))
    built(builder, animals)
    assert model.texts[4:] == ["The kiln is broken"]
    builder.close()


def test_a_text_that_changes_while_it_is_computed_is_not_kept(animals: Index, tmp_path: Path) -> None:
    computing, going_on = threading.Event(), threading.Event()

    class Slow(ToyModel):
        def documents(self, texts: Sequence[str]) -> tuple[Matrix, Vector]:
            made = super().documents(texts)
            computing.set()
            going_on.wait(10)
            return made

    model = Slow()
    builder = opened(tmp_path, animals, model)
    thread = threading.Thread(target=built, args=(builder, animals))
    thread.start()
    computing.wait(10)
    builder.apply(changes(animals, "m0", e.MemoryForgotten("asked")))
    builder.apply(changes(animals, "m3", e.MemoryRevised(text="The kiln is broken")))
    going_on.set()
    thread.join()
    built(builder, animals)
    meanings = builder.served.meanings
    assert meanings
    similar, known = meanings.similarities(model.query("The kiln is broken", lambda term: 1), np.arange(4))
    assert known.tolist() == [False, True, True, True]
    assert similar[3] > 0.9
    builder.close()


def the_last(index: Index, mask: object, *scores: object) -> Numbers:
    return index.columns.living_numbers()[-1:]


def retriever(settings: PartSettings) -> Retriever:
    """The part `…:retriever`."""
    return the_last


def test_what_is_ranked_is_what_the_retriever_of_the_settings_finds(animals: Index) -> None:
    made = parts_of(MemoryConfig(retrieve=PartSettings(use=f"{__name__}:retriever")))
    searcher = Searcher(animals, ServedModels(retriever=made.retriever))
    assert [hit.id for hit in searcher.search("cat", threshold=0.0)] == ["m3"]
    assert [hit.id for hit in Searcher(animals).search("cat", 1)] == ["m0"]


def test_the_reranker_orders_and_does_not_judge(animals: Index) -> None:
    class Backwards:
        def __init__(self) -> None:
            self.failing = False

        def scores(self, question: str, texts: Sequence[str]) -> list[float]:
            if self.failing:
                raise ModelError("the toy is broken")
            return [float(place) for place in range(len(texts))]

    model = Backwards()
    models = ServedModels(reranker=model)
    plain = Searcher(animals).search("cat car doctor rain", threshold=0.0)
    found = Searcher(animals, models).search("cat car doctor rain", threshold=0.0)
    assert [hit.id for hit in found] == [hit.id for hit in plain][::-1]
    assert [hit.score for hit in found] == [hit.score for hit in plain], "the score never rises down the list"
    model.failing = True
    assert Searcher(animals, models).search("cat car doctor rain", threshold=0.0) == plain
    assert models.trouble == "the toy is broken"


def test_damaged_vectors_are_computed_again(animals: Index, tmp_path: Path) -> None:
    model = ToyModel()
    builder = opened(tmp_path, animals, model)
    built(builder, animals)
    builder.close()
    for path in (tmp_path / "models").rglob("*.mdb"):
        if "lock" not in path.name:
            path.write_bytes(b"\x00garbage" * 4096)
    again = opened(tmp_path, animals, model)
    built(again, animals)
    assert first(animals, again, "automobile") == "m1"
    again.close()


def test_many_items_are_searched_by_the_vector_store(
    open_index: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clawactors.memory.models.meanings.EXACT_LIMIT", 50)
    index = open_index()
    put(index, *((f"m{nth}", remembered(Content(text=f"note {nth}"))) for nth in range(120)), grow=False)
    model = ToyModel()
    meanings = Meanings(tmp_path / "one", model)
    meanings.load(items(index))
    with index.store.snapshot() as reading:
        while meanings.grow(reading, 50):
            pass
    query = model.query("note 77", lambda term: 1)
    assert 77 in meanings.nearest(query, 5, index.columns, None)
    mask = np.zeros(120, np.bool_)
    mask[60:] = True
    found = meanings.nearest(query, 5, index.columns, mask)
    assert 77 in found
    assert (found >= 60).all()
    meanings.close()
    again = Meanings(tmp_path / "one", model)
    again.load(items(index))
    assert again.missing == 0
    assert 77 in again.nearest(query, 5, index.columns, None)
    again.close()
