"""What can't be folded never stops the projector; it is counted, and freezes no more than its aggregate."""

import os
from collections.abc import Callable

import pytest

from clawactors.eventlog import Record
from clawactors.projections.engine.answers import answers_of
from clawactors.projections.engine.digest import digest
from clawactors.projections.engine.faults import counts, frozen, frozen_of, unauthorized_writers, uncreated_version
from clawactors.projections.engine.projector import Projector
from clawactors.projections.views.nodes.view import load_node
from clawactors.projections.views.tasks import table as t
from clawactors.systems.nodes import events as ne
from clawactors.systems.tasks import commands as tc
from clawactors.systems.tasks import events as te
from tests.projections.cluster import CLUSTER
from tests.projections.histories import AT, FUTURE, GARBAGE, History, joined, run


def counted(projector: Projector) -> dict[str, int]:
    with projector.store.snapshot() as reading:
        return {f"{count.kind}/{count.fault}": count.count for count in counts(reading)}


def status_of(projector: Projector, id: str) -> tuple[str, int]:
    with projector.store.snapshot() as reading:
        key = t.find(reading, id)
        assert key is not None
        stored = t.load(reading, key)
        return stored.task.life.status, stored.version


def test_malformed_records_are_counted_and_count_as_versions(projector: Projector) -> None:
    history = History()
    run(history, "t")
    for garbage in GARBAGE:
        history.publish("claw.task.t.log", garbage)
        history.publish("claw.task.absent.log", garbage)
        history.publish("claw.node.absent.log", garbage)
    projector.apply(history.records, batch=4)
    assert counted(projector) == {"task/malformed": 2 * len(GARBAGE), "node/malformed": len(GARBAGE)}
    assert status_of(projector, "t") == ("completed", len(history.records) - 2)
    with projector.store.snapshot() as reading:
        first = next(count for count in counts(reading) if count.kind == "task")
        assert (first.first_seq, first.last_seq) == (4, len(history.records) - 1)
        assert "not a commit" in first.reason
        assert t.find(reading, "absent") is None


def test_illegal_events_are_counted_and_change_nothing(projector: Projector) -> None:
    history = History()
    run(history, "t")
    history.task("t", te.Started(), te.Completed("twice"))
    history.task("ghost", te.Started())
    history.node("n9", joined(incarnation=""))
    projector.apply(history.records)
    assert counted(projector) == {"task/illegal": 3, "node/illegal": 1}
    assert status_of(projector, "t") == ("completed", 4)


def test_a_record_from_the_future_freezes_its_aggregate_alone(projector: Projector) -> None:
    history = History()
    history.task("t", te.Submitted(skill="echo"))
    frozen_at = history.publish("claw.task.t.log", FUTURE)
    history.task("t", te.CancelRequested(), te.Cancelled())
    history.node("n1", joined())
    history.publish("claw.node.n1.log", b'{"v":2,"events":[{"type":"node.joined"}]}')
    history.node("n1", joined("i2"))
    run(history, "other", node="n2")
    for batch in (1, 100):
        projector.apply(history.records, batch=batch)
        assert status_of(projector, "t") == ("pending", 3)
        assert status_of(projector, "other")[0] == "completed"
        with projector.store.snapshot() as reading:
            assert [(kind, id) for kind, id, _ in frozen(reading)] == [("node", "n1"), ("task", "t")]
            reason = frozen_of(reading, "task", "t")
            assert reason is not None
            assert reason.seq == frozen_at
            assert "task.levitated" in reason.reason
            node = load_node(reading, "n1")
            assert node is not None
            assert (node.node.incarnation, node.version) == ("i1", 6)


def test_an_aggregate_that_begins_in_the_future_is_frozen_without_a_row(projector: Projector) -> None:
    history = History()
    history.publish("claw.task.t.log", FUTURE)
    history.task("t", te.Submitted(skill="echo"))
    for record in history.records:
        projector.apply([record])
    with projector.store.snapshot() as reading:
        assert t.find(reading, "t") is None
        assert frozen_of(reading, "task", "t") is not None


@pytest.mark.parametrize(
    "subject",
    ["claw.task", "claw.task.x", "claw.task.a b.log", "claw.task..log", "claw.task." + "x" * 10_000 + ".log",
     "claw.task.\udcff.log", "claw.node.ü.log", "other.task.x.log", ""],
)  # fmt: skip
def test_subjects_that_name_no_aggregate_are_survived(projector: Projector, subject: str) -> None:
    projector.apply([Record(1, AT, subject, te.CODEC.encode((te.Submitted(skill="echo"),)))])
    assert projector.position == 1
    with projector.store.snapshot() as reading:
        assert reading.count(t.IDS) == 0


@pytest.mark.parametrize(
    "events",
    [
        (te.Submitted(skill="", params={"a": 2**200, "b": -(2**63) - 1, "c": 1e300}, deadline_ns=2**63 - 1),),
        (te.Submitted(skill="s", params={"deep": eval("[" * 80 + "]" * 80)}),),  # noqa: S307
        (te.Submitted(skill="s", name="x" * 900_000),),
        (te.Submitted(skill="s"), te.Scheduled(node="x" * 5000, incarnation="", attempt=1, skill="s"), te.Started(),
         te.StepCompleted("s" * 10_000, 2**100, 1e300, -1e300), te.Completed({"": [None]})),
    ],
)  # fmt: skip
def test_extreme_values_are_stored_and_come_back(projector: Projector, events: tuple[te.TaskEvent, ...]) -> None:
    history = History()
    history.task("t", *events)
    projector.apply(history.records)
    with projector.store.snapshot() as reading:
        key = t.find(reading, "t")
        assert key is not None
        assert t.load(reading, key).task == history.tasks["t"]


@pytest.mark.parametrize("at_ns", [0, 1, -5, 2**63 - 1])
def test_any_time_of_the_log_is_survived(projector: Projector, at_ns: int) -> None:
    body = te.CODEC.encode((te.Submitted(skill="echo"),))
    projector.apply([Record(1, AT, "claw.task.a.log", body), Record(2, at_ns, "claw.task.b.log", body)])
    with projector.store.snapshot() as reading:
        assert reading.count(t.IDS) == 2


def test_random_bytes_never_stop_it(projector: Projector) -> None:
    history = History()
    run(history, "t")
    for n in range(2000):
        history.publish(f"claw.task.{'t' if n % 3 else n}.log", os.urandom(n % 50))
    projector.apply(history.records)
    assert counted(projector)["task/malformed"] == 2000
    assert status_of(projector, "t")[0] == "completed"


def stolen(task: str, *bodies: bytes) -> History:
    """Node n1 holds an attempt of `t`; n2, which holds none, writes those bodies about that task."""
    history = History()
    history.node("n1", joined())
    history.command("t", tc.Submit(te.Spec(skill="echo")))
    history.command("t", tc.ScheduleTask("n1", "i1"), to="n1")
    history.command("t", tc.StartTask(history.tasks["t"].fence), writer="n1")
    for body in bodies:
        history.publish(f"claw.task.{task}.from.n2", body)
    return history


COMPLETED = te.CODEC.encode((te.Completed("stolen"),))


@pytest.mark.parametrize("body", [COMPLETED, FUTURE, b"garbage"])
@pytest.mark.parametrize("batch", [1, 100])
def test_what_a_node_writes_about_a_task_that_it_does_not_hold_counts_as_a_version_alone(
    projectors: Callable[[str], Projector], body: bytes, batch: int
) -> None:
    before, after = projectors("before"), projectors("after")
    before.apply(stolen("t").records)
    history = stolen("t", body, body)
    after.faults.keeps_met = True
    after.apply(history.records, batch=batch)
    assert status_of(after, "t") == ("running", 6)
    assert after.reports == []
    with before.store.snapshot() as was, after.store.snapshot() as reading:
        key = t.find(reading, "t")
        assert key is not None
        assert t.load(reading, key).task == t.load(was, key).task
        assert digest(reading, CLUSTER, ("nodes", "schedules")) == digest(was, CLUSTER, ("nodes", "schedules"))
        assert [*frozen(reading)] == []
        assert counts(reading) == []
        [writer] = unauthorized_writers(reading)
        assert (writer.writer, writer.count, writer.first_seq, writer.last_seq) == ("n2", 2, 5, 6)
    # The node that holds the attempt goes on.
    history.command("t", tc.Complete(history.tasks["t"].fence, "mine"), writer="n1")
    after.apply(history.records, batch=batch)
    assert status_of(after, "t") == ("completed", 7)


@pytest.mark.parametrize("body", [te.CODEC.encode((te.Submitted(skill="echo"),)), FUTURE])
def test_an_id_that_a_node_squats_on_is_not_born(projector: Projector, body: bytes) -> None:
    history = stolen("squatted", body)
    projector.apply(history.records)
    with projector.store.snapshot() as reading:
        assert t.find(reading, "squatted") is None
        assert [*frozen(reading)] == []
        assert uncreated_version(reading, "task", "squatted") == 5
    history.command("squatted", tc.Submit(te.Spec(skill="echo")))
    projector.apply(history.records)
    assert status_of(projector, "squatted") == ("pending", 6)


def test_commands_are_not_answered_by_writers_without_authority(projector: Projector) -> None:
    history = stolen("t", COMPLETED, COMPLETED)
    assert history.records[-1].headers
    projector.apply(history.records)
    with projector.store.snapshot() as reading:
        key = t.find(reading, "t")
        assert key is not None
        assert 6 not in answers_of(reading, t.ANSWERS, key).values()


@pytest.mark.parametrize("body", [ne.CODEC.encode((joined("i9"),)), FUTURE])
def test_what_a_node_writes_about_another_node_is_not_believed(projector: Projector, body: bytes) -> None:
    history = History()
    history.node("n1", joined())
    history.publish("claw.node.n1.from.n2", body)
    projector.apply(history.records)
    with projector.store.snapshot() as reading:
        stored = load_node(reading, "n1")
        assert stored is not None
        assert stored.node.joined.incarnation != "i9"
        assert [*frozen(reading)] == []
        assert [each.writer for each in unauthorized_writers(reading)] == ["n2"]


def test_a_subject_that_says_not_who_wrote_is_counted_and_changes_nothing(projector: Projector) -> None:
    history = stolen("t")
    before = len(history.records)
    history.publish("claw.task.t.from.n2.x", COMPLETED)
    projector.apply(history.records)
    assert status_of(projector, "t") == ("running", before + 1)
    assert counted(projector) == {"task/malformed": 1}
