"""The memory view: replay is as live, faults stop nothing, and a deleted index comes back with the same answers."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clawactors.eventlog import Record
from clawactors.memory.index import Index
from clawactors.memory.index.embedding import HashedEmbedder
from clawactors.memory.index.rows import all_items
from clawactors.memory.index.view import MemoryView, memory_projection
from clawactors.memory.recall import Searcher
from clawactors.projections.engine.digest import digest
from clawactors.projections.engine.faults import counts, frozen_of, uncreated_version
from clawactors.projections.engine.projector import Projector
from clawactors.projections.engine.state import State
from clawactors.projections.engine.store import Store
from clawactors.projections.engine.view import SnapshotView
from clawactors.systems.chats import CODEC as CHATS
from clawactors.systems.chats import MessageAdded
from clawactors.systems.memories import CODEC, Fact
from clawactors.systems.memories import events as e
from tests.memory.conftest import LEXICON

PROJECTION = memory_projection()


def projector(folder: Path) -> Projector:
    store = Store.open(folder, PROJECTION.tables)
    return Projector(PROJECTION, store, State("memory", PROJECTION.schema, PROJECTION.tags, "log"))


def record(seq: int, id: str, *events: e.MemoryEvent, body: bytes = b"") -> Record:
    return Record(seq, seq * 1000, f"claw.memory.{id}.log", body or CODEC.encode(events))


def recorded(text: str, **fields: object) -> e.MemoryRecorded:
    return e.MemoryRecorded(text=text, **fields)  # type: ignore[arg-type]


BERLIN = Fact(subject="Anna", predicate="lives in", object="Berlin")
HISTORY = [
    record(1, "a", recorded("the kiln broke in June", speaker="Maya", session="s", position=0)),
    record(2, "b", recorded("the knee hurts on stairs", speaker="Tom", session="s", position=1)),
    record(3, "c", recorded("Anna lives in Berlin", kind="knowledge", fact=BERLIN)),
    record(4, "a", e.MemoryMerged(occurrence="again", sources=(4,)), e.MemoryMerged(occurrence="and again")),
    record(5, "c", e.MemorySuperseded("d", 9)),
    record(6, "b", e.MemoryForgotten()),
    record(7, "e", recorded("the secret recipe"), e.MemoryForgotten()),
    record(8, "f", recorded("a spare part for the kiln", speaker="Maya", session="s", position=2)),
]  # fmt: skip


def digest_of(made: Projector) -> str:
    with made.store.snapshot() as reading:
        return digest(reading, PROJECTION)


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
def test_rows_do_not_depend_on_batches(tmp_path: Path, batch: int) -> None:
    whole, parts = projector(tmp_path / "whole"), projector(tmp_path / "parts")
    whole.apply(HISTORY)
    parts.apply(HISTORY, batch=batch)
    parts.apply(HISTORY)  # twice is as once
    assert digest_of(whole) == digest_of(parts)
    whole.close()
    parts.close()


def test_what_was_forgotten_is_in_no_row(tmp_path: Path) -> None:
    made = projector(tmp_path)
    made.apply(HISTORY)
    with made.store.snapshot() as reading:
        rows = b"".join(key + value for table in PROJECTION.tables for key, value in reading.cursor(table))
    made.close()
    for word in (b"recipe", b"secret", b"knee", b"stair"):
        assert word not in rows
    assert b"kiln" in rows


def test_faults_are_counted_and_stop_nothing(tmp_path: Path) -> None:
    made = projector(tmp_path)
    broken = [
        record(1, "a", recorded("kept")),
        record(2, "a", body=b"\xff garbage"),
        record(3, "a", body=b'{"v":1,"events":[{"type":"memory.recorded","text":5}]}'),
        record(4, "a", body=b'{"v":1,"events":[{"type":"memory.weighed","importance":1e9}]}'),
        record(5, "a", e.MemoryRecorded(text="again")),
        record(6, "b", e.MemoryWeighed(0.5)),
        record(7, "c", body=b'{"v":1,"events":[{"type":"memory.dreamt"}]}'),
        record(8, "c", recorded("never folded")),
        Record(9, 9, "claw.memory.x y.log", b"{}"),
        record(10, "d", recorded("also kept")),
    ]
    made.apply(broken)
    with made.store.snapshot() as reading:
        found = {(count.kind, count.fault): count.count for count in counts(reading)}
        frozen = frozen_of(reading, "memory", "c")
    assert found == {("memory", "malformed"): 4, ("memory", "illegal"): 2, ("memory", "future"): 1}
    assert frozen is not None
    index = Index(made.store, HashedEmbedder(LEXICON), LEXICON, tmp_path / "graph")
    assert {hit.text for hit in Searcher(index).search("kept", threshold=0)} == {"kept", "also kept"}
    made.close()


def live(made: Projector, folder: Path) -> tuple[Index, MemoryView]:
    view = next(view for view in made.views if isinstance(view, MemoryView))
    view.keeps_changes = True
    return Index(made.store, HashedEmbedder(LEXICON), LEXICON, folder), view


TEXTS = st.sampled_from(["the kiln broke", "knee and stairs", "", "林月住在北京", "Anna lives in Berlin", "kiln " * 30])
CONTENTS = st.builds(
    e.MemoryRecorded,
    text=TEXTS,
    kind=st.sampled_from(["raw", "summary", "knowledge"]),
    session=st.sampled_from(["", "s"]),
    position=st.integers(0, 3),
    speaker=st.sampled_from(["", "Maya", "浩然"]),
    tags=st.sampled_from([(), ("home",)]),
    happened_ns=st.integers(-(10**18), 2 * 10**18),
)
EVENTS: st.SearchStrategy[e.MemoryEvent] = st.one_of(
    CONTENTS,
    st.builds(e.MemoryRevised, text=TEXTS),
    st.builds(e.MemoryMerged, occurrence=st.sampled_from(["x", "y"])),
    st.sampled_from([e.MemoryForgotten(), e.MemoryArchived(), e.MemoryRestored(), e.MemoryWeighed(0.9)]),
)
HISTORIES = st.lists(st.tuples(st.sampled_from("abcd"), st.lists(EVENTS, min_size=1, max_size=3)), max_size=12)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HISTORIES, st.integers(1, 6))
def test_live_is_as_replayed(
    tmp_path_factory: pytest.TempPathFactory, history: Sequence[tuple[str, list[e.MemoryEvent]]], batch: int
) -> None:
    folder = tmp_path_factory.mktemp("view")
    records = [record(seq, id, *events) for seq, (id, events) in enumerate(history, 1)]
    running, replayed = projector(folder / "live"), projector(folder / "replayed")
    index, view = live(running, folder / "graph-live")
    for at in range(0, len(records), batch):
        running.apply(records[at : at + batch])
        index.apply(view.take_changes())
        index.grow()
    replayed.apply(records)
    assert digest_of(running) == digest_of(replayed)
    other = Index(replayed.store, HashedEmbedder(LEXICON), LEXICON, folder / "graph-replayed")
    for question in ("the kiln", "北京", "Where does Maya live?"):
        answers = [Searcher(one).search(question, 10, threshold=0) for one in (index, other)]
        assert answers[0] == answers[1]
    running.close()
    replayed.close()


def test_a_deleted_folder_comes_back_with_the_same_answers(tmp_path: Path) -> None:
    made = projector(tmp_path / "first")
    index, view = live(made, tmp_path / "first-graph")
    made.apply(HISTORY)
    index.apply(view.take_changes())
    index.save(8)
    before = [Searcher(index).search(question, threshold=0) for question in ("kiln", "Anna", "spare part")]
    made.close()
    again = projector(tmp_path / "second")
    again.apply(HISTORY)
    index = Index(again.store, HashedEmbedder(LEXICON), LEXICON, tmp_path / "second-graph")
    assert [Searcher(index).search(question, threshold=0) for question in ("kiln", "Anna", "spare part")] == before
    again.close()


def test_a_batch_that_fails_tells_the_index_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = projector(tmp_path / "rows")
    index, view = live(made, tmp_path / "graph")
    made.apply(HISTORY[:2])
    index.apply(view.take_changes())

    def full(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr("clawactors.memory.index.writer.put_item", full)
        with pytest.raises(OSError, match="full"):
            made.apply(HISTORY[2:])
    assert view.lost
    assert view.take_changes() == []
    made.apply(HISTORY[2:])
    fresh = projector(tmp_path / "fresh")
    fresh.apply(HISTORY)
    assert digest_of(made) == digest_of(fresh)
    made.close()
    fresh.close()


def test_another_embedder_is_another_schema() -> None:
    smaller = memory_projection(lambda: (HashedEmbedder(LEXICON, 64), LEXICON))
    assert smaller.schema != PROJECTION.schema
    assert smaller.tables == PROJECTION.tables


def test_conversations_and_the_commands_they_answered_are_rows_too(tmp_path: Path) -> None:
    said = MessageAdded(message="m-1", role="user", text="a secret")
    headers = b"NATS/1.0\r\nClaw-Answers: k-1 k-2\r\n\r\n"
    history = [
        Record(1, 1, "claw.chat.c.log", CHATS.encode((said,)), headers),
        Record(2, 2, "claw.memory.a.log", CODEC.encode((recorded("kept"),)), headers),
        Record(3, 3, "claw.chat.c.log", CHATS.encode((said,))),
        Record(4, 4, "claw.chat.d.log", b"\xff garbage"),
        Record(5, 5, "claw.memory.a.log", CODEC.encode((e.MemoryRestored(),))),
    ]
    made = projector(tmp_path)
    for batch in (history[:2], history[2:], history):
        made.apply(batch)
    views = {view.kind: view for view in made.views}
    with made.store.snapshot() as reading:
        chat, memory = (
            view.load(reading, id)
            for kind, id in (("chat", "c"), ("memory", "a"))
            if isinstance(view := views[kind], SnapshotView)
        )
        assert chat is not None
        assert (chat.version, chat.state.recent, chat.answered) == (3, ("m-1",), {"k-1": 1, "k-2": 1})
        assert memory is not None
        assert (memory.version, memory.state.status, memory.answered) == (5, "live", {"k-1": 2, "k-2": 2})
        assert uncreated_version(reading, "chat", "d") == 4
        rows = b"".join(value for table in PROJECTION.tables for _, value in reading.cursor(table))
    made.close()
    assert b"a secret" not in rows


def test_a_node_may_record_a_memory_and_nothing_else(tmp_path: Path) -> None:
    made = projector(tmp_path)
    history = [
        Record(1, 1, "claw.memory.a.from.n1", CODEC.encode((recorded("noted by a task"),))),
        Record(2, 2, "claw.memory.b.log", CODEC.encode((recorded("noted by a client"),))),
        Record(3, 3, "claw.memory.b.from.n1", CODEC.encode((e.MemoryForgotten(),))),
        Record(4, 4, "claw.memory.a.from.n2", CODEC.encode((e.MemoryForgotten(),))),
        Record(5, 5, "claw.chat.c.from.n1", CHATS.encode((MessageAdded(message="m", role="user", text="x"),))),
    ]
    made.apply(history)
    with made.store.snapshot() as reading:
        texts = [item.content.text for item in all_items(reading) if item.memory.searched]
        assert uncreated_version(reading, "chat", "c") == 5
    made.close()
    assert texts == ["noted by a task", "noted by a client"]
