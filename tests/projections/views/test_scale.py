"""Long tasks and many tasks: a step costs the same at the end as at the beginning, memory stays flat."""

import time
import tracemalloc

import pytest

from clawactors.projections.engine.projector import Projector
from clawactors.projections.engine.store import Writing
from clawactors.projections.views.tasks import table as t
from clawactors.projections.views.tasks.view import TasksView
from clawactors.systems.tasks import commands as tc
from clawactors.systems.tasks import events as te
from tests.projections.histories import History, run

STEPS = 50_000
COMMIT = 50


def started(id: str = "t") -> History:
    history = History()
    history.command(id, tc.Submit(te.Spec(skill="echo")))
    history.command(id, tc.ScheduleTask("n1", "i1"), to="n1")
    history.command(id, tc.StartTask(history.tasks[id].fence))
    return history


def test_a_task_of_50_000_steps_stays_linear(projector: Projector) -> None:
    history = started()
    for first in range(0, STEPS, COMMIT):
        history.task("t", *[te.StepCompleted(f"step-{n}", n) for n in range(first, first + COMMIT)])
    records = history.records
    projector.apply(records[:3])
    tenth = (len(records) - 3) // 10
    taken = []
    for begin in range(3, len(records), tenth):
        began = time.process_time()
        projector.apply(records[begin : begin + tenth], batch=10)
        taken.append(time.process_time() - began)
    assert min(taken[5:10]) < 3 * max(taken[:5])
    with projector.store.snapshot() as reading:
        key = t.find(reading, "t")
        assert key is not None
        stored = t.load(reading, key)
        assert len(stored.task.journal) == STEPS
        assert stored.task == history.tasks["t"]
        newest = t.load(reading, key, 10)
        assert newest.omitted == STEPS - 10
        assert [entry.name for entry in newest.task.journal] == [f"step-{n}" for n in range(STEPS - 10, STEPS)]


def test_a_step_writes_its_entry_and_the_life_and_no_more(
    projector: Projector, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = started()
    for n in range(2000):
        history.command("t", tc.CompleteStep(history.tasks["t"].fence, f"step-{n}", n))
    projector.apply(history.records[:-1])
    written: list[str] = []
    put_all = Writing.put_all

    def counting(self: Writing, table: str, items: list[tuple[bytes, bytes]]) -> None:
        written.extend(table for _ in items)
        put_all(self, table, items)

    monkeypatch.setattr(Writing, "put_all", counting)
    projector.apply(history.records[-1:])
    assert written == [t.STATUSES, t.STEPS]


def test_memory_stays_flat_and_an_evicted_task_comes_back_whole(projector: Projector) -> None:
    view = next(view for view in projector.views if isinstance(view, TasksView))
    view.cache_bytes = 200_000
    history = History()
    for n in range(400):
        history.command(f"open{n}", tc.Submit(te.Spec(skill="echo", params={"x": "y" * 2000})))
    projector.apply(history.records, batch=50)
    assert view.cached_bytes <= 200_000
    assert view.cached < 100
    for n in range(400):
        history.command(f"open{n}", tc.Cancel())
    projector.apply(history.records, batch=50)
    with projector.store.snapshot() as reading:
        for id, task in history.tasks.items():
            key = t.find(reading, id)
            assert key is not None
            assert t.load(reading, key).task == task


def test_ended_tasks_take_no_memory(projector: Projector) -> None:
    history = History()
    for n in range(2000):
        run(history, f"t{n}")
    records, part = history.records, len(history.records) // 4
    held = []
    tracemalloc.start()
    for begin in range(0, len(records), part):
        projector.apply(records[begin : begin + part], batch=256)
        held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert held[-1] - held[0] < 200_000
