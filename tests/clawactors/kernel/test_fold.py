"""The numbered rules of the fold, record by record."""

import pytest

from clawactors.eventlog import Record
from clawactors.kernel.fold import Snapshot, fold
from clawactors.systems.nodes import events as ne
from clawactors.systems.nodes.kind import NODES
from clawactors.systems.tasks import Task
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.kind import TASKS

SUBMITTED = e.Submitted(skill="echo")
NOTHING: Snapshot[Task] = Snapshot(Task())


def _told(*events: ne.NodeEvent) -> bytes:
    return ne.CODEC.encode(events)


def after(known: Snapshot[Task], seq: int, *events: e.TaskEvent, body: bytes = b"") -> Snapshot[Task]:
    """The fold of one record more, at `seq` seconds."""
    record = Record(seq, seq * 1_000_000_000, "claw.task.t.log", body or e.CODEC.encode(events))
    return fold(TASKS, known, record)


def test_a_record_gives_the_next_state_at_the_time_of_the_log() -> None:
    known = after(NOTHING, 7, SUBMITTED)
    assert (known.state.life.submitted_ns, known.version, known.fault, known.frozen) == (7_000_000_000, 7, "", "")


def test_rule_1_a_malformed_record_changes_nothing_and_is_a_version() -> None:
    known = after(after(NOTHING, 7, SUBMITTED), 9, body=b"hello")
    assert (known.state, known.version) == (after(NOTHING, 7, SUBMITTED).state, 9)
    assert "not a commit" in known.fault
    assert after(known, 11, e.Paused()).fault == ""


def test_rule_2_an_illegal_event_changes_nothing_and_the_others_of_its_commit_count() -> None:
    known = after(NOTHING, 7, SUBMITTED, e.Completed("by hand"), e.Paused())
    assert (known.state.life.status, known.version, known.fault) == ("paused", 7, "Completed is illegal here")


def test_rule_3_a_record_of_a_later_release_freezes() -> None:
    known = after(after(NOTHING, 7, SUBMITTED), 9, body=b'{"v":1,"events":[{"type":"task.moved"}]}')
    assert "'task.moved' is not known to this release" in known.frozen
    later = after(known, 11, e.Paused())
    assert (later.state, later.version, later.frozen) == (known.state, 11, known.frozen)


@pytest.mark.parametrize("writer", ["n1", "n2"])
def test_a_node_speaks_about_itself_and_about_no_other(writer: str) -> None:
    joined = Snapshot(NODES.decider.initial)
    joined = fold(NODES, joined, Record(1, 1, "claw.node.n1.log", _told(ne.NodeJoined(incarnation="i1", slots=2))))
    told = fold(NODES, joined, Record(2, 2, f"claw.node.n1.from.{writer}", _told(ne.NodeConfigured(slots=9))))
    assert told.version == 2
    assert told.state.joined.slots == (9 if writer == "n1" else 2)
    assert bool(told.fault) == (writer != "n1")
    of_later = fold(NODES, joined, Record(2, 2, f"claw.node.n1.from.{writer}", b'{"v":9,"events":[]}'))
    assert bool(of_later.frozen) == (writer == "n1")


@pytest.mark.parametrize("form", ["from.n1.x", "from.n1.x.y", "from", "to.n1.x", "log.x", "what"])
@pytest.mark.parametrize("body", [_told(ne.NodeConfigured(slots=9)), b'{"v":9,"events":[]}'])
def test_a_subject_that_says_not_who_wrote_is_not_taken_for_controls(form: str, body: bytes) -> None:
    joined = fold(
        NODES,
        Snapshot(NODES.decider.initial),
        Record(1, 1, "claw.node.n1.log", _told(ne.NodeJoined(incarnation="i1", slots=2))),
    )
    told = fold(NODES, joined, Record(2, 2, f"claw.node.n1.{form}", body))
    assert (told.state, told.version, told.frozen) == (joined.state, 2, "")
    assert told.fault
