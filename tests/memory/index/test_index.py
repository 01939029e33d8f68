"""The index: its parts stay in step, through changes, failures, restarts and damage."""

import contextlib
import itertools
import json
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clawactors.memory.index import Index, IndexWriter, vector_index
from clawactors.memory.index.columns import NONE, Columns
from clawactors.memory.index.postings import lookup
from clawactors.memory.index.rows import find, item_at
from clawactors.memory.index.terms import tag_term
from clawactors.memory.index.top import top
from clawactors.memory.index.vector_index import ExactIndex
from clawactors.memory.index.vectors import quantized
from clawactors.systems.memories import MEMORY, Content, Memory
from clawactors.systems.memories import events as e
from tests.memory.conftest import LEXICON, Opener, dump, notes, put, remembered, rows


def holders(index: Index, term: str) -> list[int]:
    with index.store.snapshot() as reading:
        return [int(number) for number in lookup(reading, term)[0]]


# Postings and rows


def test_terms_lead_to_items_and_tags_too(index: Index) -> None:
    put(index, ("a", remembered(Content(text="the kiln broke, the kiln", tags=("Workshop",)))))
    put(index, ("b", remembered(Content(text="a kiln", speaker="Maya"))))
    assert holders(index, "kiln") == [0, 1]
    assert holders(index, "maya") == [1]
    assert holders(index, tag_term("workshop")) == [0]
    assert holders(index, "workshop") == [0]
    with index.store.snapshot() as reading:
        assert lookup(reading, "kiln")[1].tolist() == [2.0, 1.0]
        assert find(reading, "b") == item_at(reading, 1)
        assert find(reading, "nobody") is None


def test_a_revised_text_is_found_by_its_new_words_only(index: Index) -> None:
    memory = remembered(Content(text="the kiln broke", kind="summary"))
    put(index, ("a", memory))
    put(index, ("a", MEMORY.evolve(memory, e.MemoryRevised(text="the oven works"), 9)))
    assert holders(index, "kiln") == []
    assert holders(index, "oven") == [0]


@pytest.mark.parametrize("event", [e.MemoryForgotten(), e.MemoryArchived()])
def test_what_is_forgotten_or_archived_leaves_no_trace_in_the_index(index: Index, event: e.MemoryEvent) -> None:
    notes(index, a="the secret kiln", b="another kiln")
    put(index, ("a", MEMORY.evolve(remembered(Content(text="the secret kiln")), event, 9)))
    assert holders(index, "kiln") == [1]
    assert holders(index, "secret") == []
    assert index.columns.living == 1
    with index.store.snapshot() as reading:
        assert reading.count("memory.vectors") == 1
    assert not index.vectors.rows(np.array([0])).any()
    if isinstance(event, e.MemoryForgotten):
        assert not any(b"secret" in value for _, _, value in dump(index))


def test_a_transaction_that_fails_changes_nothing(index: Index) -> None:
    notes(index, a="one kiln")
    before = dump(index)
    writer = IndexWriter(index.embedder, LEXICON)
    with contextlib.suppress(OSError), index.store.write() as txn:
        writer.stage(txn, "b", 2, remembered(Content(text="two kilns")))
        writer.write(txn)
        raise OSError("the disk is gone")
    writer.drop()
    assert dump(index) == before
    notes(index, c="three kilns")
    assert holders(index, "kiln") == [0, 1]
    with index.store.snapshot() as reading:
        assert find(reading, "b") is None


HISTORY = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["rain", "kiln oven", "rain kiln", "", "-", "!"])), max_size=14
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HISTORY, st.integers(1, 5))
def test_rows_depend_on_the_history_not_on_how_it_fell_into_batches(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[str, str]], size: int
) -> None:
    from clawactors.memory.index import TABLES
    from clawactors.memory.index.embedding import HashedEmbedder
    from clawactors.projections.engine.store import Store
    from tests.memory.conftest import LEXICON

    dumps = []
    for step in (1, size):
        folder = tmp_path_factory.mktemp("view")
        store = Store.open(folder, TABLES)
        index = Index(store, HashedEmbedder(LEXICON, 64), LEXICON, folder)
        writer = IndexWriter(index.embedder, LEXICON)
        states: dict[str, Memory] = {}
        for batch in itertools.batched(enumerate(history, 1), step):
            with store.write() as txn:
                for version, (id, text) in batch:
                    event: e.MemoryEvent = (
                        e.MemoryForgotten()
                        if text == "-"
                        else e.MemoryArchived()
                        if text == "!"
                        else e.MemoryRecorded(text=text)
                    )
                    before = states.get(id, MEMORY.initial)
                    states[id] = MEMORY.evolve(before, event, version)
                    if isinstance(event, e.MemoryRecorded) and states[id] is before and before.content:
                        states[id] = MEMORY.evolve(before, e.MemoryRevised(text=text or "x"), version)
                    if states[id] is not MEMORY.initial:
                        writer.stage(txn, id, version, states[id])
                changes = writer.write(txn)
            index.apply(changes)
        dumps.append(dump(index))
        assert index.columns.living == sum(state.searched for state in states.values())
        store.close()
    assert dumps[0] == dumps[1]


# Columns


def test_neighbours_follow_the_position_in_a_session_whatever_the_order_of_arrival(index: Index) -> None:
    for position in (2, 0, 3, 1):
        put(index, (f"t{position}", remembered(Content(text=f"turn {position}", session="s", position=position))))
    put(index, ("n", remembered(Content(text="a note"))))
    columns = index.columns  # numbers by arrival: t2 0, t0 1, t3 2, t1 3
    assert columns.before[:5].tolist() == [3, NONE, 0, 1, NONE]
    assert columns.after[:5].tolist() == [2, 3, NONE, 0, NONE]
    columns.remove(3)
    assert (columns.after[1], columns.before[0]) == (0, 1)
    columns.remove(2)
    assert columns.after[0] == NONE


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5), st.booleans()), max_size=30))
def test_columns_count_and_link_what_is_alive(steps: list[tuple[int, int, bool]]) -> None:
    columns, alive = Columns(), dict[int, tuple[int, int]]()
    for number, (session, position, removes) in enumerate(steps):
        columns.set(number, {"session": session, "position": position, "terms": 2})
        alive[number] = (session, position)
        if removes:
            columns.remove(number // 2)
            alive.pop(number // 2, None)
    assert columns.living == len(alive)
    assert columns.term_sum == 2 * len(alive)
    for session in range(3):
        order = [number for _, number in sorted((place[1], n) for n, place in alive.items() if place[0] == session)]
        for left, right in itertools.pairwise([NONE, *order, NONE]):
            assert left == NONE or columns.after[left] == right
            assert right == NONE or columns.before[right] == left


# Vectors


def test_codes_keep_similarities_to_two_thousandths(index: Index) -> None:
    made = rows(300, 384)
    codes, scales = quantized(made)
    again = codes * scales[:, None]
    assert np.abs(made @ made[0] - again @ made[0]).max() < 0.004


@given(st.lists(st.floats(0, 8, width=32), max_size=200), st.integers(1, 20))
def test_top_gives_the_greatest_above_zero(values: list[float], k: int) -> None:
    scores = np.array(values, np.float32)
    found = scores[top(scores, k)]
    best = np.sort(scores[scores > 0])[::-1][:k]
    assert np.sort(found)[::-1].tolist() == best.tolist()


def damage_bytes(folder: Path) -> None:
    path = next(folder.glob("graph-*.bin"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def cut_short(folder: Path) -> None:
    path = next(folder.glob("graph-*.bin"))
    path.write_bytes(path.read_bytes()[:100])


def remove_file(folder: Path) -> None:
    next(folder.glob("graph-*.bin")).unlink()


def spoil_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_bytes(b"\xff{")


def leave_folder(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["file"] = "../../etc/passwd"
    (folder / "manifest.json").write_text(json.dumps(manifest))


type Damage = Callable[[Path], None]

DAMAGES: list[Damage] = [damage_bytes, cut_short, remove_file, spoil_manifest, leave_folder]


# All of it, over restarts


def texts(count: int, first: int = 0) -> dict[str, str]:
    return {f"i{nth}": f"note {nth} about topic{nth % 7} and thing{nth % 11}" for nth in range(first, first + count)}


def nearest(index: Index, text: str) -> set[int]:
    with index.lock:
        query = index.embedder.query(text, lambda term: 1.0)
        return set(index.nearest(query, 5).tolist())


def test_a_restart_finds_the_same_and_continues_with_the_saved_graph(open_index: Opener) -> None:
    index = open_index()
    notes(index, **texts(50))
    index.save(1)
    put(index, ("late", remembered(Content(text="late topic3"))), version=2)
    put(index, ("i5", MEMORY.evolve(remembered(Content(text=texts(6)["i5"])), e.MemoryForgotten(), 9)), version=3)
    revised = MEMORY.evolve(remembered(Content(text=texts(7)["i6"])), e.MemoryRevised(text="quite another matter"), 9)
    put(index, ("i6", revised), version=4)
    found = nearest(index, "topic3 thing2")
    again = open_index()
    while again.grow():
        pass
    assert nearest(again, "topic3 thing2") == found
    assert again.columns.living == index.columns.living == 50
    assert again._neighbours.count == 50
    assert 5 not in again._neighbours.search(again.embedder.query("topic5", lambda term: 1.0), 50, 100)
    query = again.embedder.query("quite another matter", lambda term: 1.0)
    assert again._neighbours.search(query, 1, 100).tolist() == [6]
    for name in ("alive", "terms", "session", "before", "after", "at_ns", "kind"):
        assert getattr(again.columns, name)[:51].tolist() == getattr(index.columns, name)[:51].tolist()


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_graph_is_built_again_from_the_rows(open_index: Opener, tmp_path: Path, damage: Damage) -> None:
    index = open_index()
    notes(index, **texts(40))
    index.save(1)
    found = nearest(index, "topic3 thing2")
    damage(tmp_path / "graph")
    again = open_index()
    assert nearest(again, "topic3 thing2") == found
    while again.grow():
        pass
    assert again._neighbours.count == 40


@pytest.mark.parametrize("missing_at", [0, 1])
def test_a_store_opens_with_hnswlib_and_without_it(
    open_index: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing_at: int
) -> None:
    found, secret = [], b""
    for opened in range(3):
        missing = opened % 2 == missing_at
        monkeypatch.setattr(vector_index, "IMPORT_ERROR", "No module named 'hnswlib'" if missing else "")
        index = open_index()
        if opened == 0:
            notes(index, **texts(60), hidden="the secret kiln")
            secret = index.vectors.rows(np.array([60])).tobytes()
        if opened == 1:
            put(index, ("hidden", MEMORY.evolve(remembered(Content(text="x")), e.MemoryForgotten(), 9)), version=2)
        while index.grow():
            pass
        monkeypatch.setattr("clawactors.memory.index.index.EXACT_LIMIT", 10)
        assert isinstance(index._neighbours, ExactIndex) == missing
        assert index._neighbours.count == (61 if opened == 0 else 60)
        found.append(nearest(index, "topic3 thing2"))
        index.save(opened + 1)
        files = [path.read_bytes() for path in (tmp_path / "graph").glob("*.bin")]
        assert len(files) == (0 if missing else 1), "only hnswlib saves a graph; exact search deletes an old one"
        assert any(secret in content for content in files) == (opened == 0 and not missing)
    assert found[0] == found[1] == found[2]


def test_items_that_the_graph_has_not_taken_in_are_compared_all_the_same(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clawactors.memory.index.index.EXACT_LIMIT", 10)
    notes(index, **texts(60))
    put(index, ("new", remembered(Content(text="a giraffe in the garden"))), grow=False)
    assert index._neighbours.upto == 60
    assert 60 in nearest(index, "giraffe")
    index.grow()
    assert index._neighbours.upto == 61
    assert 60 in nearest(index, "giraffe")


def test_searching_while_others_write_and_delete_is_safe(index: Index) -> None:
    notes(index, **texts(200))
    ended = threading.Event()
    failures: list[BaseException] = []

    def search() -> None:
        from clawactors.memory.recall import Searcher

        searcher = Searcher(index)
        try:
            while not ended.is_set():
                assert all(hit.text for hit in searcher.search("topic3 thing2", threshold=0))
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=search) for _ in range(2)]
    for reader in readers:
        reader.start()
    for nth in range(40):
        put(index, (f"new{nth}", remembered(Content(text=f"fresh {nth} topic3"))), version=nth + 2)
        gone = MEMORY.evolve(remembered(Content(text=texts(200)[f"i{nth}"])), e.MemoryForgotten(), 9)
        put(index, (f"i{nth}", gone), version=nth + 2)
    ended.set()
    for reader in readers:
        reader.join(10)
    assert not failures
    assert index.columns.living == 200


def test_importance_and_validity_change_without_indexing_again(index: Index) -> None:
    memory = remembered(Content(text="Anna lives in Berlin", kind="knowledge"))
    put(index, ("a", memory))
    vector = [row for row in dump(index) if row[0] == "memory.vectors"]
    put(index, ("a", MEMORY.evolve(memory, e.MemoryWeighed(importance=0.9), 9)))
    assert index.columns.importance[0] == pytest.approx(0.9)
    assert [row for row in dump(index) if row[0] == "memory.vectors"] == vector
