"""Laws of the fold: it never raises whatever lies in the log, and every reader gets the same from the same records."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawactors.eventlog import Record, subject_of
from clawactors.kernel.decider import Decider
from clawactors.kernel.errors import Refused
from clawactors.kernel.fold import Snapshot, fold
from clawactors.kinds import DECODER, KINDS
from clawactors.systems.nodes import NODE
from clawactors.systems.nodes.row import NodeWork
from clawactors.systems.nodes.row import row as node_row
from clawactors.systems.placement import ClusterState, Placement
from clawactors.systems.tasks import TASK
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.row import row as task_row
from tests.laws.strategies import CODECS, bodies, nearly

DECIDERS: dict[str, Decider[Any, Any, Any]] = {"task": TASK, "node": NODE}
SETTINGS = settings(max_examples=40, deadline=None)
NAMES = sorted(DECIDERS)
ANY_TIME = st.integers(-(2**63), 2**63 - 1)


def histories(kind: str) -> st.SearchStrategy[list[Record]]:
    """Records of one aggregate: right ones, nearly right ones, garbage."""
    record = st.tuples(bodies(kind) | bodies(kind) | nearly(kind) | st.binary(max_size=20), ANY_TIME)
    return st.lists(record, max_size=8).map(
        lambda made: [Record(seq, at_ns, subject_of(kind, "a"), body) for seq, (body, at_ns) in enumerate(made, 1)]
    )


def folded(kind: str, records: list[Record]) -> Snapshot[Any]:
    """The state after the records."""
    known: Snapshot[Any] = Snapshot(DECIDERS[kind].initial)
    for record in records:
        known = fold(KINDS[kind], known, record)
    return known


@pytest.mark.parametrize("kind", NAMES)
def test_any_history_folds_and_every_record_counts_as_a_version(kind: str) -> None:
    @SETTINGS
    @given(histories(kind))
    def folds(records: list[Record]) -> None:
        known = folded(kind, records)
        assert known.version == len(records)
        assert folded(kind, records) == known

    folds()


@pytest.mark.parametrize("kind", NAMES)
def test_what_is_folded_reads_as_a_row_of_json(kind: str) -> None:
    @SETTINGS
    @given(histories(kind))
    def reads(records: list[Record]) -> None:
        known = folded(kind, records)
        row = task_row("a", known.version, known.state) if kind == "task" else node_row("a", known.state, NodeWork())
        msgspec.json.decode(msgspec.json.encode(row))

    reads()


@pytest.mark.parametrize("kind", NAMES)
def test_nothing_behind_a_record_of_a_later_release_is_folded(kind: str) -> None:
    future = b'{"v":2,"events":[{"type":"any"}]}'

    @SETTINGS
    @given(histories(kind), histories(kind))
    def freezes(before: list[Record], after: list[Record]) -> None:
        frozen = folded(kind, [*before, Record(99, 1, subject_of(kind, "a"), future)])
        assert frozen.frozen
        known = frozen
        for record in after:
            known = fold(KINDS[kind], known, record)
            assert (known.state, known.frozen, known.version) == (frozen.state, frozen.frozen, record.seq)

    freezes()


def test_the_shared_decoder_gives_the_same_commits_as_the_codecs() -> None:
    @SETTINGS
    @given(histories("task"))
    def same(records: list[Record]) -> None:
        for record in records:
            commit = DECODER.decode(record)
            assert commit == DECODER.decode(record)
            known: Snapshot[Any] = fold(KINDS["task"], Snapshot(TASK.initial), record)
            assert (commit.fault == "future") == bool(known.frozen)
            if commit.fault == "malformed":
                assert known.fault == commit.reason

    same()


@SETTINGS
@given(
    st.lists(
        st.sampled_from(["claw", "task", "node", "chat", "a", "", "*", ">", "log", "to", "é", "x" * 200]), max_size=7
    )
)
def test_any_subject_decodes(tokens: list[str]) -> None:
    commit = DECODER.decode(Record(1, 1, ".".join(tokens), b"{}"))
    assert commit.fault in ("malformed", "future")
    assert commit.reason


@SETTINGS
@given(histories("task"))
def test_whatever_was_folded_every_command_is_decided_or_refused(records: list[Record]) -> None:
    task = folded("task", records).state
    fence = task.fence
    for command in (
        *(
            c.Ready(),
            c.ScheduleTask("n", "i"),
            c.Cancel(),
            c.Interrupt(fence, ""),
            c.RetryTask(),
            c.Pause(),
            c.Resume(),
        ),
        *(
            c.Await(),
            c.Block("", waits_for="dependency"),
            c.Block(""),
            c.Unblock(),
            c.Signal(""),
            c.ArchiveTask(),
            c.StartTask(fence),
            c.Complete(fence),
            c.Return(fence),
        ),
        *(c.CompleteStep(fence, ""), c.ConfirmCancel(fence), c.Submit(task.spec or e.Spec(skill="x"))),
    ):
        try:
            events = TASK.decide(command, task)
        except Refused:
            continue
        if events:
            assert CODECS["task"].decode(CODECS["task"].encode(events)) == events


@SETTINGS
@given(st.lists(st.tuples(st.sampled_from(["task", "node"]), st.sampled_from("abc"), st.data()), max_size=12))
def test_placement_takes_any_log(plan: list[tuple[str, str, Any]]) -> None:
    placement = Placement(ClusterState())
    for seq, (kind, id, data) in enumerate(plan, 1):
        body = data.draw(bodies(kind) | nearly(kind))
        commit = DECODER.decode(Record(seq, data.draw(ANY_TIME), subject_of(kind, id), body))
        if commit.fault == "malformed":
            placement.state.apply_nothing(kind, id, seq)
        elif commit.fault == "future":
            placement.state.freeze(kind, id)
        elif kind == "node":
            placement.state.apply_node(id, seq, commit.events, commit.record.at_ns)
        else:
            placement.state.apply_task(id, seq, commit.events, commit.record.at_ns)
        for order in placement.orders(data.draw(ANY_TIME)):
            assert CODECS["task"].encode(TASK.decide(order.command, order.task))
        check_ns = placement.state.silence.next_check_ns()
        assert check_ns is None or check_ns >= 0
