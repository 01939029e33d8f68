"""Snapshots of single aggregates: rows and what the feed still holds, as one fold of the whole log would have it."""

import asyncio
import itertools
import random
import time
from typing import Any

import pytest
from msgspec.structs import replace

from clawactors.eventlog import Corrupt, Record, writer_of
from clawactors.kernel.fold import Snapshot, fold
from clawactors.kinds import DECODER, KINDS
from clawactors.projections.engine.answers import ANSWERS_MIN, answered_by
from clawactors.projections.engine.feed import Feed
from clawactors.projections.engine.projector import Projector
from clawactors.projections.snapshots import EndedTask, ViewSnapshots
from clawactors.projections.views.tasks.table import STEPS
from clawactors.systems.tasks import FINAL
from clawactors.systems.tasks import commands as tc
from clawactors.systems.tasks import events as te
from tests.projections.cluster import CLUSTER
from tests.projections.histories import AT, FUTURE, History, joined, random_history, run

Known = dict[tuple[str, str], tuple[Snapshot[Any], dict[str, int]]]


def snapshots_of(feed: Feed) -> ViewSnapshots:
    return ViewSnapshots(lambda: feed.projector.store, feed, CLUSTER)


def answering(record: Record, *ids: str) -> Record:
    return Record(
        record.seq, record.at_ns, record.subject, record.body, f"NATS/1.0\r\nClaw-Answers: {' '.join(ids)}\r\n".encode()
    )


def folded(records: list[Record]) -> Known:
    """What the kernel's fold makes of a log, and every command that was answered."""
    known: Known = {}
    for record in records:
        commit = DECODER.decode(record)
        if commit.id and commit.kind in KINDS:
            kind = KINDS[commit.kind]
            before, answered = known.get((commit.kind, commit.id), (Snapshot(kind.decider.initial), {}))
            after = fold(kind, before, record)
            is_new = after.state is not kind.decider.initial
            believed = kind.believes(commit.id, before.state, writer_of(record.subject))
            if is_new and believed and not (commit.fault or after.frozen):
                answered = answered | dict.fromkeys(answered_by(record), record.seq)
            known[commit.kind, commit.id] = (after, answered)
    return known


def agree(snapshots: ViewSnapshots, known: Known) -> None:
    for (kind, id), (expected, answered) in known.items():
        found, found_answers = snapshots.get(kind, id)
        assert (found.state, found.version, bool(found.frozen)) == (
            expected.state,
            expected.version,
            bool(expected.frozen),
        ), id
        moved = kind == "task" and expected.state.life.archived is not None
        assert found_answers == answered or moved, id  # of a task that has moved they are dropped with its rows


@pytest.mark.parametrize("seed", range(6))
async def test_snapshots_are_the_fold_of_everything_that_was_put_written_or_not(
    projector: Projector, seed: int
) -> None:
    history, r = random_history(seed, 300), random.Random(seed)
    records = history.records
    feed = Feed(projector)
    snapshots = snapshots_of(feed)
    at = 0
    while at < len(records):
        to = at + r.randrange(1, 60)
        await feed.put([DECODER.decode(record) for record in records[at:to]])
        known, at = folded(records[:to]), to
        agree(snapshots, known)
        if r.random() < 0.5:
            await feed.flush()
            agree(snapshots, known)
    assert snapshots.get("task", "nobody") == (Snapshot(KINDS["task"].decider.initial, 0), {})
    await feed.aclose()


@pytest.mark.parametrize("seed", range(3))
async def test_a_brief_state_is_the_whole_one_without_its_journal(projector: Projector, seed: int) -> None:
    history = random_history(seed, 300)
    feed = Feed(projector)
    snapshots = snapshots_of(feed)
    for batch in itertools.batched(history.records, 37):
        await feed.put([DECODER.decode(record) for record in batch])
        for flushed in (False, True):
            if flushed:
                await feed.flush()
            for id in history.tasks:
                whole, brief = snapshots.get("task", id), snapshots.get("task", id, brief=True)
                assert brief == (replace(whole[0], state=KINDS["task"].brief(whole[0].state)), whole[1])
    await feed.aclose()


async def test_a_brief_state_reads_no_journal(projector: Projector) -> None:
    feed, history = Feed(projector), History()
    run(history, "t", steps=3)
    await feed.put([DECODER.decode(record) for record in history.records])
    await feed.flush()
    with projector.store.write() as txn:
        cursor = txn.cursor(STEPS)
        assert cursor.first()
        txn.put(STEPS, cursor.key(), b"damaged")
    snapshots = snapshots_of(feed)
    assert snapshots.get("task", "t", brief=True)[0].state.life.status == "completed"
    with pytest.raises(Corrupt):
        snapshots.get("task", "t")
    await feed.aclose()


async def test_nothing_is_missing_while_a_batch_is_being_written(projector: Projector) -> None:
    feed, history = Feed(projector), History()
    snapshots = snapshots_of(feed)
    for n in range(300):
        since = len(history.records)
        run(history, f"t{n}", steps=2)
        await feed.put([DECODER.decode(record) for record in history.records[since:]])
        writing = asyncio.create_task(feed.flush())
        while not writing.done():
            await asyncio.sleep(0)
            assert snapshots.get("task", f"t{n}")[0].version == len(history.records)
    await feed.aclose()


async def test_what_could_not_be_written_is_still_known(projector: Projector, monkeypatch: pytest.MonkeyPatch) -> None:
    feed, history = Feed(projector), History()
    snapshots = snapshots_of(feed)

    def fails(*_: object) -> None:
        raise OSError("no disk")

    with monkeypatch.context() as patched:
        patched.setattr(feed, "_apply", fails)
        run(history, "t")
        await feed.put([DECODER.decode(record) for record in history.records[:2]])
        with pytest.raises(OSError, match="no disk"):
            await feed.flush()
        await feed.put([DECODER.decode(record) for record in history.records[2:]])
        assert snapshots.get("task", "t")[0].version == 3
    await feed.flush()
    assert feed.unwritten("task", "t") == ()
    assert snapshots.get("task", "t")[0].state == history.tasks["t"]
    await feed.aclose()


async def test_an_id_that_strangers_wrote_to_has_a_version_and_may_still_be_born(projector: Projector) -> None:
    feed, history = Feed(projector), History()
    snapshots = snapshots_of(feed)
    for kind in ("task", "node", "schedule"):
        history.publish(f"claw.{kind}.x.log", b"garbage")
    await feed.put([DECODER.decode(record) for record in history.records])
    await feed.flush()
    assert [snapshots.get(kind, "x")[0].version for kind in ("task", "node", "schedule")] == [1, 2, 3]
    run(history, "x")
    history.node("x", joined())
    history.publish("claw.schedule.x.log", FUTURE)
    await feed.put([DECODER.decode(record) for record in history.records[3:]])
    await feed.flush()
    agree(snapshots, folded(history.records))
    with projector.store.snapshot() as reading:
        assert reading.count("uncreated") == 1
    await feed.aclose()


async def test_answers_of_the_last_ten_minutes_and_at_least_a_hundred_are_remembered(projector: Projector) -> None:
    """Many a batch or few: the same ids are left."""
    feed, history = Feed(projector), History()
    snapshots = snapshots_of(feed)
    history.command("t", tc.Submit(te.Spec(skill="echo")))
    body = te.CODEC.encode((te.Signalled("go", 1),))
    minute_ns = 60 * 1_000_000_000
    signals = [Record(n + 2, AT + n * minute_ns // 100, "claw.task.t.log", body) for n in range(400)]
    late = Record(402, AT + 1000 * minute_ns, "claw.task.t.log", body)
    records = [
        answering(history.records[0], "first"),
        *(answering(signal, f"a{n}", f"b{n}") for n, signal in enumerate(signals)),
        answering(late, "late"),
    ]
    for at in range(0, 402, 67):
        await feed.put([DECODER.decode(record) for record in records[at : at + 67]])
        await feed.flush()
        if at == 67 * 4:
            assert "first" in snapshots.get("task", "t")[1], "four minutes are no ten"
    answered = snapshots.get("task", "t")[1]
    assert len(answered) in (ANSWERS_MIN, ANSWERS_MIN + 1)
    assert answered["late"] == 402
    assert answered["a399"] == answered["b399"] == 401
    assert "a300" not in answered
    await feed.aclose()


async def test_ended_tasks_are_found_together_written_or_not(projector: Projector) -> None:
    feed, history = Feed(projector), random_history(7, 500)
    snapshots = snapshots_of(feed)
    half = len(history.records) // 2
    await feed.put([DECODER.decode(record) for record in history.records[:half]])
    await feed.flush()
    await feed.put([DECODER.decode(record) for record in history.records[half:]])
    expected = {
        id: EndedTask(life.status, snapshot.version, life.result, life.error)
        for (kind, id), (snapshot, _) in folded(history.records).items()
        if kind == "task" and (life := snapshot.state.life).status in FINAL
    }
    assert len(expected) > 5
    assert snapshots.ended([*history.tasks, "nobody"]) == expected
    specs = {id: snapshots.get("task", id)[0].state.spec for id in history.tasks}
    assert snapshots.specs_of([*history.tasks, "nobody"]) == {id: spec for id, spec in specs.items() if spec}
    await feed.aclose()


async def test_a_snapshot_of_a_small_task_costs_little(projector: Projector) -> None:
    feed, history = Feed(projector), History()
    snapshots = snapshots_of(feed)
    for n in range(2000):
        run(history, f"t{n}", steps=1)
    await feed.put([DECODER.decode(record) for record in history.records])
    await feed.flush()
    took = []
    for n in range(2000):
        began = time.perf_counter()
        snapshots.get("task", f"t{n * 7 % 2000}")
        took.append(time.perf_counter() - began)
    took.sort()
    print(f"p50 {took[1000] * 1e6:.1f} us, p99 {took[1980] * 1e6:.1f} us")
    assert took[1000] < 300e-6, "60 us on an idle machine"
    await feed.aclose()
