"""The contract of vector indexes, for each store; what is saved is whole or not used."""

import importlib.util
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from clawactors.eventlog import Misconfigured
from clawactors.memory.index import vector_index
from clawactors.memory.index.hnsw import HnswIndex, load_hnsw
from clawactors.memory.index.vector_index import DEFAULT_STORE, ExactIndex, VectorIndex, VectorStore, describe
from tests.memory.conftest import rows
from tests.memory.index.test_index import DAMAGES, Damage

type Make = Callable[[int], VectorIndex]

KINDS: list[Make] = [HnswIndex, ExactIndex]
HAS_MILVUS = importlib.util.find_spec("pymilvus") is not None and importlib.util.find_spec("milvus_lite") is not None


@pytest.fixture(scope="session")
def milvus() -> VectorStore:
    """Milvus Lite, where it is installed."""
    if not HAS_MILVUS:
        pytest.skip("needs the extra milvus")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its dependencies
        from clawactors.memory.models.milvus import MilvusStore

        return MilvusStore()


@pytest.fixture(params=[*KINDS, "milvus"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Each implementation."""
    if request.param == "milvus":
        store: VectorStore = request.getfixturevalue("milvus")
        return lambda dim: store.empty(tmp_path / "milvus", dim)
    made: Make = request.param
    return made


# The contract


def test_the_nearest_items_are_found_nearest_first(make: Make) -> None:
    made = rows(3000)
    index = make(16)
    index.add(np.arange(3000), made)
    hits = 0
    for query in made[:100]:
        exact = set(np.argsort(-(made @ query))[:10].tolist())
        found = index.search(query, 10, 200)
        hits += len(exact & set(found.tolist()))
        similarities = made[found] @ query
        assert (np.diff(similarities) <= 0.02).all(), "8-bit codes may swap items that are equally near"
    assert hits >= 980


def test_asking_for_more_than_there_are_gives_what_there_is(make: Make) -> None:
    made = rows(20)
    index = make(16)
    assert index.search(made[0], 5, 10).tolist() == []
    index.add(np.arange(20), made)
    assert sorted(index.search(made[0], 10_000, 10).tolist()) == list(range(20))
    for number in range(19):
        index.remove(number)
    assert index.search(made[0], 5, 10).tolist() == [19]
    index.remove(19)
    assert index.search(made[0], 5, 10).tolist() == []


def test_removed_items_are_not_found_until_they_are_added_again(make: Make) -> None:
    made = rows(50)
    index = make(16)
    index.add(np.arange(50), made)
    index.remove(7)
    index.remove(7)
    index.remove(99)
    assert 7 not in index.search(made[7], 50, 100)
    assert (index.count, index.removed, index.upto) == (49, {7}, 50)
    assert index.numbers().tolist() == list(range(50))
    index.add(np.array([7]), made[7:8])
    assert index.search(made[7], 1, 100).tolist() == [7]
    assert (index.count, index.removed) == (50, set())


def test_a_vector_can_be_replaced(make: Make) -> None:
    made = rows(50)
    index = make(16)
    index.add(np.arange(50), made)
    index.add(np.array([3]), -made[9:10])
    assert index.search(-made[9], 1, 100).tolist() == [3]
    assert index.count == 50


def test_an_index_grows_past_its_capacity_and_numbers_may_have_gaps(make: Make) -> None:
    made = rows(3000, 4)
    index = make(4)
    for at in range(0, 3000, 500):
        index.add(np.arange(2 * at, 2 * (at + 500), 2), made[at : at + 500])
    assert index.count == 3000
    assert index.upto == 5999
    assert index.numbers().tolist() == list(range(0, 6000, 2))


@pytest.mark.parametrize("make", KINDS)
def test_what_is_saved_is_loaded_or_built_again_from_the_rows(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_index, "IMPORT_ERROR", "missing" if make is ExactIndex else "")
    made = rows(50)
    index = DEFAULT_STORE.empty(tmp_path, 16)
    assert isinstance(index, make)
    index.add(np.arange(50), made)
    index.remove(7)
    index.save(tmp_path, "e", 5)
    loaded = DEFAULT_STORE.load(tmp_path, "e", 16)
    if loaded is None:
        assert make is ExactIndex, "only exact search has nothing to save"
        return
    assert loaded[1] == 5
    assert loaded[0].search(made[8], 5, 100).tolist() == index.search(made[8], 5, 100).tolist()
    assert (loaded[0].count, loaded[0].removed, loaded[0].upto) == (49, {7}, 50)


def test_milvus_goes_on_where_it_was_saved(milvus: VectorStore, tmp_path: Path) -> None:
    from clawactors.memory.models.milvus import MilvusStore

    made = rows(60)
    assert milvus.load(tmp_path, "e", 16) is None
    index = milvus.empty(tmp_path, 16)
    index.add(np.arange(50), made[:50])
    index.remove(7)
    index.save(tmp_path, "e", 5)
    assert milvus.load(tmp_path, "other", 16) is None
    assert milvus.load(tmp_path, "e", 8) is None
    index.add(np.arange(50, 60), made[50:])  # not saved: as if the process were killed now
    loaded = milvus.load(tmp_path, "e", 16)
    assert loaded
    assert (loaded[0].count, loaded[0].removed, loaded[0].upto, loaded[1]) == (49, {7}, 50, 5)
    loaded[0].add(np.arange(50, 60), made[50:])
    assert loaded[0].search(made[55], 1, 10).tolist() == [55]
    assert 7 not in loaded[0].search(made[7], 60, 10)
    assert milvus.empty(tmp_path, 16).count == 0
    assert milvus.load(tmp_path, "e", 16) is None
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "milvus.db").write_bytes(b"no database")
    with pytest.raises(Misconfigured, match="Milvus Lite can't use"):
        MilvusStore().empty(tmp_path / "broken", 16)


def test_people_are_told_which_one_it_is_and_how_to_get_the_faster_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert describe() == "hnswlib"
    monkeypatch.setattr(vector_index, "IMPORT_ERROR", "No module named 'hnswlib'")
    assert describe().startswith("exact search (hnswlib is not installed: ")
    assert f"{sys.executable} -m pip install" in describe()


# What hnswlib saves


def test_removed_vectors_are_not_in_the_saved_file(tmp_path: Path) -> None:
    made = rows(50)
    index = HnswIndex(16)
    index.add(np.arange(50), made)
    index.remove(7)
    index.save(tmp_path, "e", 1)
    saved = next(tmp_path.glob("graph-*.bin")).read_bytes()
    assert made[7].tobytes() not in saved
    assert made[8].tobytes() in saved
    ExactIndex(16).save(tmp_path, "e", 2)
    assert list(tmp_path.iterdir()) == []


def test_removed_vectors_are_overwritten_a_few_at_a_time() -> None:
    made = rows(50)
    index = HnswIndex(16)
    index.add(np.arange(50), made)
    for number in range(20):
        index.remove(number)
        assert number not in index.search(made[number], 50, 400)
    index.add(np.array([3]), made[3:4])
    assert [index.overwrite(8) for _ in range(3)] == [True, True, False]
    assert index.search(made[3], 1, 400).tolist() == [3]
    assert (index.count, len(index.removed)) == (31, 19)


def test_a_save_replaces_the_generation_before(tmp_path: Path) -> None:
    index = HnswIndex(16)
    index.add(np.arange(5), rows(5))
    for position in (1, 2):
        index.save(tmp_path, "e", position)
        assert sorted(path.name for path in tmp_path.iterdir()) == [f"graph-{position}.bin", "manifest.json"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_graph_is_not_loaded(tmp_path: Path, damage: Damage) -> None:
    index = HnswIndex(16)
    index.add(np.arange(50), rows(50))
    index.save(tmp_path, "e", 1)
    assert load_hnsw(tmp_path, "other", 16) is None
    assert load_hnsw(tmp_path, "e", 8) is None
    damage(tmp_path)
    assert load_hnsw(tmp_path, "e", 16) is None
