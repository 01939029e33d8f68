"""Tasks in the archive: one small row each, listed newest first; and those that may move next."""

from typing import Any

import msgspec
import pytest

from clawactors.kernel.errors import InvalidQuery
from clawactors.projections.engine.projector import Projector
from clawactors.projections.engine.questions import Queries
from clawactors.projections.views.tasks import table as t
from clawactors.projections.views.tasks.archived import archivable
from clawactors.systems.tasks import commands as tc
from clawactors.systems.tasks import events as te
from tests.projections.cluster import CLUSTER
from tests.projections.histories import AT, History, run

SECOND = 1_000_000_000


def archive(history: History, id: str, file: str) -> None:
    first = next(record.seq for record in history.records if record.subject.split(".")[2] == id)
    assert history.command(id, tc.ArchiveTask(file, first))


def asked(projector: Projector, name: str, **question: Any) -> Any:
    queries = Queries(CLUSTER.questions, lambda: projector.store, lambda _: None, lambda: AT)
    read = queries.read(name, msgspec.json.encode(question))
    return msgspec.json.decode(queries.answer(name, read))


@pytest.fixture
def history() -> History:
    history = History()
    for n in range(7):
        run(history, f"t{n}", steps=2, result={"n": n})
    history.command("gone", tc.Submit(te.Spec(skill="other", user="eve")))
    history.command("gone", tc.Delete("eve"))
    history.command("open", tc.Submit(te.Spec(skill="echo")))
    return history


def test_a_task_in_the_archive_has_one_row_and_its_id(projector: Projector, history: History) -> None:
    for n in range(7):
        archive(history, f"t{n}", "f1" if n < 3 else "f2")
    archive(history, "gone", "f2")
    projector.apply(history.records, batch=5)
    with projector.store.snapshot() as reading:
        assert (reading.count(t.IDS), reading.count(t.ARCHIVED)) == (9, 8)
        assert [reading.count(table) for table in (t.SPECS, t.STATUSES, t.STEPS)] == [1, 1, 0]
    assert asked(projector, "archives")["files"] == {"f1": 3, "f2": 5}
    assert [row["id"] for row in asked(projector, "tasks")["rows"]] == ["open"]
    assert asked(projector, "status")["tasks"]["archived"] == 8
    assert asked(projector, "task", id="t4")["row"]["status"] == "archived"
    assert asked(projector, "ids", prefix="t", limit=20)["ids"] == [f"t{n}" for n in range(7)]


def test_the_list_of_the_archive_is_paged_and_filtered(projector: Projector, history: History) -> None:
    for n in range(7):
        archive(history, f"t{n}", "f1")
    archive(history, "gone", "f2")
    projector.apply(history.records)
    pages, cursor = [], ""
    while cursor is not None:
        page = asked(projector, "archived", limit=3, cursor=cursor)
        pages.append([row["id"] for row in page["rows"]])
        cursor = page["cursor"]
    assert pages == [["gone", "t6", "t5"], ["t4", "t3", "t2"], ["t1", "t0"]]
    assert [row["id"] for row in asked(projector, "archived", user="eve")["rows"]] == ["gone"]
    assert [row["id"] for row in asked(projector, "archived", ended=["deleted"])["rows"]] == ["gone"]
    assert len(asked(projector, "archived", ended=["completed"], skill="echo")["rows"]) == 7
    first = asked(projector, "archived", ended=["completed"])["rows"][-1]
    assert (first["id"], first["file"], first["ended"], first["user"]) == ("t0", "f1", "completed", "ada")
    with pytest.raises(InvalidQuery, match="another question"):
        asked(projector, "archived", user="eve", cursor=asked(projector, "archived", limit=1)["cursor"])


@pytest.mark.parametrize("after", ["t2", ""])
def test_what_may_move_comes_in_the_order_of_submission(projector: Projector, history: History, after: str) -> None:
    archive(history, "t1", "f1")
    projector.apply(history.records)
    firsts = {record.subject.split(".")[2]: record.seq for record in reversed(history.records)}
    versions = {record.subject.split(".")[2]: record.seq for record in history.records}
    ended = {id: history.tasks[id].life.updated_ns for id in ("t0", "t2", "t3", "t4", "t5", "t6", "gone")}
    expected = [id for id in ended if firsts[id] > firsts.get(after, 0)]
    with projector.store.snapshot() as reading:
        found = archivable(reading, 2**62, 100, firsts.get(after, 0))
        assert [each.id for each in found] == expected
        assert [(each.first, each.version) for each in found] == [(firsts[id], versions[id]) for id in expected]
        assert [each.id for each in archivable(reading, 2**62, 2)] == ["t0", "t2"]
        for bound in (AT, ended["t3"], ended["t3"] + 1, ended["gone"] + SECOND):
            early = [each.id for each in archivable(reading, bound, 100)]
            assert early == [id for id, at_ns in ended.items() if at_ns < bound]
