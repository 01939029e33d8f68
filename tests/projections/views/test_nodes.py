"""The nodes view against the slow way, and what nodes did."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from clawactors.projections.engine.projector import Projector
from clawactors.projections.views.nodes.view import load_node, nodes_with, stored_nodes
from clawactors.projections.views.tasks.sums import work_of
from clawactors.systems.nodes.row import NodeWork, row
from clawactors.systems.tasks import commands as tc
from clawactors.systems.tasks import events as te
from tests.projections.cluster import CLUSTER
from tests.projections.histories import NODES, SKILLS, History, joined, random_history, run
from tests.projections.model import Model


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1 << 30), st.integers(1, 40))
def test_nodes_and_their_lists_are_those_of_the_slow_way(seed: int, batch: int) -> None:
    history = random_history(seed, 150)
    model = Model(history.records)
    with TemporaryDirectory() as folder:
        projector = Projector.open(CLUSTER, Path(folder), "log-1")
        projector.apply(history.records, batch=batch)
        with projector.store.snapshot() as reading:
            for id, folded in model.nodes.items():
                stored = load_node(reading, id)
                assert stored is not None
                assert (stored.version, stored.node) == (folded.version, folded.state)
            there = {id: folded.state for id, folded in model.nodes.items() if folded.state.status != "removed"}
            assert [stored.id for stored in stored_nodes(reading)] == list(there)
            for status in ("online", "draining", "cordoned", "offline"):
                found = [stored.id for stored in nodes_with(reading, status=status)]
                assert found == [id for id, node in there.items() if node.status == status]
            for skill in SKILLS:
                found = [stored.id for stored in nodes_with(reading, skill=skill)]
                assert found == [
                    id for id, node in there.items() if skill in {offer.name for offer in node.joined.offers}
                ]
            for id in NODES:
                assert work_of(reading, id).running == model.running_on(id)
        projector.close()


def test_a_node_s_work_is_counted_with_its_time(projector: Projector) -> None:
    history = History()
    history.node("n1", joined())
    run(history, "good")
    history.command("bad", tc.Submit(te.Spec(skill="echo")))
    history.command("bad", tc.ScheduleTask("n1", "i1"), to="n1")
    fence = history.tasks["bad"].fence
    history.command("bad", tc.StartTask(fence))
    started_ns = history.records[-1].at_ns
    history.command("bad", tc.Fail(fence, te.TaskError("unknown", "boom"), "dead"))
    ended_ns = history.records[-1].at_ns
    history.command("now", tc.Submit(te.Spec(skill="echo")))
    history.command("now", tc.ScheduleTask("n1", "i1"), to="n1")
    projector.apply(history.records)
    with projector.store.snapshot() as reading:
        work = work_of(reading, "n1")
        assert work == NodeWork(scheduled=1, running=0, succeeded=1, failed=1, busy_ns=ended_ns - started_ns)
        assert work.mean_s == round((ended_ns - started_ns) / 2e9, 6)
        stored = load_node(reading, "n1")
        assert stored is not None
        assert row("n1", stored.node, work)["processed"] == 2


def test_a_lost_run_is_no_failure_of_the_node_and_frees_it(projector: Projector) -> None:
    history = History()
    history.node("n1", joined())
    history.command("t", tc.Submit(te.Spec(skill="echo")))
    history.command("t", tc.ScheduleTask("n1", "i1"), to="n1")
    history.command("t", tc.StartTask(history.tasks["t"].fence))
    projector.apply(history.records)
    with projector.store.snapshot() as reading:
        assert work_of(reading, "n1") == NodeWork(running=1)
    history.command("t", tc.Interrupt(history.tasks["t"].fence, "gone"))
    projector.apply(history.records)
    with projector.store.snapshot() as reading:
        assert work_of(reading, "n1") == NodeWork()
