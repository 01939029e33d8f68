"""What every projection owes: rows that follow from the log alone, whatever happens between two of its batches."""

import random
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawactors.eventlog import Draft, EventLog, InProcessLog, Record, parse_subject
from clawactors.projections.engine.digest import StoreDigest, digest, store_digest
from clawactors.projections.engine.projector import Projector
from clawactors.projections.engine.replay import replay, verify
from clawactors.projections.engine.revisions import Revisions
from clawactors.projections.live import LiveViews, live_store
from tests.projections.cluster import CLUSTER
from tests.projections.histories import FUTURE, History, random_history, run

IDENTITY = "log-1"


async def append_all(log: EventLog, history: History) -> None:
    """Puts a history into a log, as far as it lies under proper subjects."""
    versions: dict[tuple[str, str], int] = {}
    for n, record in enumerate(history.records):
        parsed = parse_subject(record.subject)
        if parsed is None or len(parsed[1]) > 128 or "*" in parsed[1]:
            continue
        kind, id, to = parsed
        expected = versions.get((kind, id), 0)
        draft = Draft(kind=kind, id=id, body=record.body, commit=f"c{n}", to=to)
        versions[kind, id] = await log.append(draft, expected)


async def records_of(log: EventLog) -> list[Record]:
    return [record async for batch in log.read(CLUSTER.patterns) for record in batch]


def digest_of(projector: Projector) -> str:
    with projector.store.snapshot() as reading:
        return digest(reading, CLUSTER)


def digest_after(records: list[Record], batch: int = 1024) -> str:
    with TemporaryDirectory() as folder:
        projector = Projector.open(CLUSTER, Path(folder), IDENTITY)
        projector.apply(records, batch=batch)
        try:
            return digest_of(projector)
        finally:
            projector.close()


async def test_what_was_fed_live_is_what_a_replay_makes(log: EventLog, tmp_path: Path) -> None:
    await append_all(log, random_history(11, 300))
    live = Projector.open(CLUSTER, tmp_path / "live", (await log.head()).identity)
    records = await records_of(log)
    cut = random.Random(1)
    while records:
        count = cut.randrange(1, 20)
        live.apply(records[:count])
        records = records[count:]
    replayed = await replay(log, tmp_path / "replayed", CLUSTER)
    assert replayed.digest == digest_of(live)
    assert (replayed.position, replayed.events) == (live.position, live.state.events)
    verified = await verify(log, store_digest(live.store, CLUSTER), CLUSTER, folder=tmp_path)
    assert verified.equal
    live.close()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1 << 30), st.integers(1, 60), st.randoms(use_true_random=False))
def test_rows_do_not_depend_on_batches_nor_on_repetition(seed: int, batch: int, cut: random.Random) -> None:
    records = random_history(seed, 150).records
    with TemporaryDirectory() as folder:
        projector = Projector.open(CLUSTER, Path(folder), IDENTITY)
        at = 0
        while at < len(records):
            until = cut.randrange(at + 1, len(records) + 1)
            projector.apply(records[cut.randrange(at + 1) : until], batch=batch)
            projector.apply(records[:until])
            at = until
        assert digest_of(projector) == digest_after(records)
        assert projector.state.events == sum_of_events(records)
        projector.close()


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 1 << 30), st.randoms(use_true_random=False))
def test_rows_do_not_depend_on_the_order_of_aggregates_in_long_batches(seed: int, cut: random.Random) -> None:
    records = random_history(seed, 200).records
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("clawactors.projections.engine.projector._LONG", 1)
        projector = Projector.open(CLUSTER, Path(folder), IDENTITY)
        at = 0
        while at < len(records):
            until = cut.randrange(at + 1, len(records) + 1)
            projector.apply_long(records[cut.randrange(at + 1) : until])
            at = until
        assert digest_of(projector) == digest_after(records)
        assert projector.state.events == sum_of_events(records)
        projector.close()


def test_a_record_of_a_known_aggregate_decodes_as_any_other() -> None:
    records = random_history(4, 300).records
    for name in ("claw.task.a b.log", "claw.task.a.log", "claw.task.a.to.", "claw.task.a.from.n1", "claw.task.a.x"):
        records += [msgspec.structs.replace(record, subject=name) for record in records[:3]]
    decode = CLUSTER.kinds.decoder.decode
    quick = CLUSTER.kinds.decoder.decoder_of("task")
    tasks = [(record, record.subject.split(".", 3)) for record in records if record.subject.startswith("claw.task.")]
    tasks = [(record, tokens) for record, tokens in tasks if len(tokens) > 3]
    assert [quick(record, tokens[2]) for record, tokens in tasks] == [decode(record) for record, _ in tasks]


def sum_of_events(records: list[Record]) -> int:
    with TemporaryDirectory() as folder:
        projector = Projector.open(CLUSTER, Path(folder), IDENTITY)
        projector.apply(records)
        projector.close()
        return projector.state.events


def test_a_store_that_is_opened_again_goes_on_where_it_was(tmp_path: Path) -> None:
    records = random_history(5, 300).records
    for begin in range(0, len(records), 37):
        projector = Projector.open(CLUSTER, tmp_path, IDENTITY)
        assert projector.position == (records[begin - 1].seq if begin else 0)
        projector.apply(records[begin : begin + 37])
        projector.close()
    projector = Projector.open(CLUSTER, tmp_path, IDENTITY)
    assert digest_of(projector) == digest_after(records)
    projector.close()


def test_two_writers_of_one_store_apply_a_record_once(tmp_path: Path) -> None:
    """The second is another process; what it finds written, it takes as written."""
    records = random_history(6, 200).records
    projector = Projector.open(CLUSTER, tmp_path / "views", IDENTITY)
    projector.apply(records[:50])
    with child(tmp_path, records) as other:
        assert other.wait(30) == 0
    projector.apply(records)
    assert digest_of(projector) == digest_after(records)
    projector.close()


def child(folder: Path, records: list[Record]) -> "subprocess.Popen[str]":
    """A process that applies the records in small batches and tells how far it is."""
    (folder / "records").write_bytes(msgspec.msgpack.encode(records))
    code = (
        "import sys, msgspec; from pathlib import Path\n"
        "from clawactors.eventlog import Record; from tests.projections.cluster import CLUSTER\n"
        "from clawactors.projections.engine.projector import Projector\n"
        "folder = Path(sys.argv[1])\n"
        "records = msgspec.msgpack.decode((folder / 'records').read_bytes(), type=list[Record])\n"
        f"projector = Projector.open(CLUSTER, folder / 'views', {IDENTITY!r})\n"
        "print(projector.position, flush=True)\n"
        "for record in records[projector.position :]:\n"
        "    projector.apply([record]); print(projector.position, flush=True)\n"
        "projector.close()\n"
    )
    return subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True)


def test_kill_9_while_it_writes_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    records = random_history(9, 3000).records
    positions = []
    roll = random.Random(4)
    for _ in range(6):
        with child(tmp_path, records) as process:
            try:
                assert process.stdout is not None
                positions.append(int(process.stdout.readline()))
                for _ in range(roll.randrange(5, 60)):
                    process.stdout.readline()
            finally:
                process.kill()
        assert process.returncode == -signal.SIGKILL
    projector = Projector.open(CLUSTER, tmp_path / "views", IDENTITY)
    positions.append(projector.position)
    assert positions == sorted(positions)
    assert len(set(positions)) == len(positions)
    assert digest_of(projector) == digest_after([record for record in records if record.seq <= projector.position])
    projector.apply(records)
    assert digest_of(projector) == digest_after(records)
    projector.close()


async def test_a_replay_stops_at_a_sequence_and_shows_the_state_of_then(log: EventLog, tmp_path: Path) -> None:
    history = random_history(21, 200)
    await append_all(log, history)
    records = await records_of(log)
    for until in (1, len(records) // 2, records[-1].seq):
        replayed = await replay(log, tmp_path / f"until-{until}", CLUSTER, until=until)
        assert replayed.position == until
        assert replayed.digest == digest_after([record for record in records if record.seq <= until])


async def test_a_replay_stops_at_a_time(log: EventLog, tmp_path: Path) -> None:
    await append_all(log, random_history(22, 60))
    records = await records_of(log)
    at = len(records) // 2
    kept = [record for record in records if record.at_ns <= records[at].at_ns]
    replayed = await replay(log, tmp_path / "then", CLUSTER, until_ns=records[at].at_ns)
    assert replayed.position == kept[-1].seq
    assert replayed.digest == digest_after(kept)
    assert (await replay(log, tmp_path / "before", CLUSTER, until_ns=records[0].at_ns - 1)).events == 0


async def test_an_interrupted_replay_goes_on(tmp_path: Path) -> None:
    async with InProcessLog() as log:
        await append_all(log, random_history(23, 300))
        whole = await replay(log, tmp_path / "whole", CLUSTER)
        await replay(log, tmp_path / "twice", CLUSTER, until=70)
        assert (await replay(log, tmp_path / "twice", CLUSTER)).digest == whole.digest


async def test_a_replay_tells_its_progress(tmp_path: Path) -> None:
    async with InProcessLog() as log:
        await append_all(log, random_history(24, 100))
        told: list[tuple[int, int]] = []
        await replay(log, tmp_path / "r", CLUSTER, progress=lambda at, end: told.append((at, end)))
        last = (await log.head()).last_seq
        assert told[-1] == (last, last)


NAMED = {
    "trigger": b'{"v":1,"events":[{"type":"trigger.added","on":["task.completed"],"publish":"done"}]}',
    "workflow": b'{"v":1,"events":[{"type":"workflow.added","version":1,"definition":{"workflow":"w","steps":[]}}]}',
    "backup": b'{"v":1,"events":[{"type":"backup.made","file":"f","size_bytes":1,"last_seq":1}]}',
    "bridge": b'{"v":1,"events":[{"type":"bridge.advanced","place":"1"}]}',
    "identity": b'{"v":1,"events":[{"type":"identity.invited","role":"node","sha256":"00","expires_ns":1}]}',
    "apikey": b'{"v":1,"events":[{"type":"apikey.added","sha256":"00"}]}',
    "alarm": b'{"v":1,"events":[{"type":"alarm.raised","reason":"full"}]}',
    "erasure": b'{"v":1,"events":[{"type":"erasure.begun","request":"r","keys":["k"]}]}',
    "setting": b'{"v":1,"events":[{"type":"setting.changed","changes":{"node.slots":5}}]}',
}


@pytest.mark.parametrize("table", CLUSTER.tables)
def test_the_digest_sees_every_row_of_every_table(tmp_path: Path, table: str) -> None:
    history = random_history(31, 800)
    history.publish("claw.task.t.log", FUTURE)
    for kind, body in NAMED.items():
        for name in ("t1", "t2", "t3"):  # every third commit carries answers
            history.publish(f"claw.{kind}.{name}.log", body)
    projector = Projector.open(CLUSTER, tmp_path, IDENTITY)
    projector.apply(history.records)
    before = digest_of(projector)
    with projector.store.snapshot() as reading:
        key, value = next(iter(reading.cursor(table)))
    for change in (value + b"x", None):
        with projector.store.write() as txn:
            txn.delete(table, key) if change is None else txn.put(table, key, change)
        assert digest_of(projector) != before
        with projector.store.write() as txn:
            txn.put(table, key, value)
        assert digest_of(projector) == before
    projector.close()


async def test_verify_finds_a_changed_row_and_says_what_is_incomplete(tmp_path: Path) -> None:
    async with InProcessLog() as log:
        await append_all(log, random_history(32, 100, strangers=False))
        live = Projector.open(CLUSTER, tmp_path / "live", (await log.head()).identity)
        live.apply(await records_of(log))
        assert (await verify(log, store_digest(live.store, CLUSTER), CLUSTER, folder=tmp_path)).equal
        with live.store.write() as txn:
            txn.put("task.counts", b"x", b"y")
        verified = await verify(log, store_digest(live.store, CLUSTER), CLUSTER, folder=tmp_path)
        assert not verified.equal
        assert verified.replayed.incomplete == 0
        assert (
            await verify(
                log, store_digest(live.store, CLUSTER, views=("nodes",)), CLUSTER, views=("nodes",), folder=tmp_path
            )
        ).equal
        log.publish("claw.task.new.log", FUTURE)
        assert (await replay(log, tmp_path / "r", CLUSTER)).incomplete == 1
        other = StoreDigest("another log", verified.live.position, verified.replayed.digest)
        assert not (await verify(log, other, CLUSTER, folder=tmp_path)).equal
        live.close()


async def test_another_log_of_that_name_is_built_anew(tmp_path: Path) -> None:
    expected = ""
    for seed in (41, 42):
        async with InProcessLog() as log:
            await append_all(log, random_history(seed, 100))
            views = await LiveViews.open(log, tmp_path, CLUSTER, heartbeat=lambda _: None, now_ns=lambda: 0)
            expected = (await replay(log, tmp_path / f"replay-{seed}", CLUSTER)).digest
            assert store_digest(views.store, CLUSTER).digest == expected
            await views.aclose()
    store = live_store(tmp_path, CLUSTER)
    assert store_digest(store, CLUSTER).digest == expected
    store.close()
    assert Revisions(tmp_path, "cluster").numbers() == [2]


async def test_views_ahead_of_the_log_are_built_anew(tmp_path: Path) -> None:
    async with InProcessLog() as log:
        history = History()
        run(history, "t")
        await append_all(log, history)
        head = await log.head()
        ahead = Projector.open(CLUSTER, tmp_path / "cluster@1", head.identity)
        more = History()
        for n in range(5):
            run(more, f"t{n}")
        ahead.apply(more.records)
        ahead.close()
        (tmp_path / "cluster.live").write_text("1")
        views = await LiveViews.open(log, tmp_path, CLUSTER, heartbeat=lambda _: None, now_ns=lambda: 0)
        assert views.position == head.last_seq
        assert store_digest(views.store, CLUSTER).digest == (await replay(log, tmp_path / "replay", CLUSTER)).digest
        await views.aclose()
