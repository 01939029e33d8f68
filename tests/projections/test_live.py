"""The live views of a running process: fed, fresh on demand, whole after every sort of end, rebuilt beside."""

import asyncio
import io
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from clawactors.eventlog import Draft, InProcessLog, Misconfigured, Unavailable
from clawactors.eventlog.archive.archive import Archive
from clawactors.eventlog.archive.log import ArchivedLog
from clawactors.eventlog.archive.store import InProcessArchiveStore
from clawactors.eventlog.archive.writer import ArchiveWriter
from clawactors.eventlog.decoding import Commit
from clawactors.kinds import DECODER
from clawactors.projections.engine import feed
from clawactors.projections.engine.digest import digest, store_digest
from clawactors.projections.engine.feed import Feed
from clawactors.projections.engine.projector import Projector
from clawactors.projections.engine.replay import replay
from clawactors.projections.engine.store import META
from clawactors.projections.live import LiveViews, live_store
from clawactors.runtime.archiving import archived_in
from clawactors.systems.placement import ClusterState, Placement, slim
from clawactors.systems.tasks import OPEN, TASK
from clawactors.systems.tasks import commands as tc
from clawactors.systems.tasks import events as te
from tests.projections.cluster import CLUSTER
from tests.projections.histories import FUTURE, History, joined, random_history, run

LONG_S = 20.0


def publish(log: InProcessLog, history: History, since: int = 0) -> None:
    for record in history.records[since:]:
        log.clock = lambda at_ns=record.at_ns: at_ns  # type: ignore[misc]
        log.publish(record.subject, record.body, record.headers)


async def commits_of(log: InProcessLog, after: int = 0) -> list[Commit]:
    return [DECODER.decode(record) async for batch in log.read(CLUSTER.patterns, after=after) for record in batch]


@asynccontextmanager
async def live(log: InProcessLog, folder: Path, gather_s: float = LONG_S) -> AsyncIterator[LiveViews]:
    """Views that serve and follow; they gather so long that a test ends before they write by themselves."""
    views = await LiveViews.open(log, folder, CLUSTER, heartbeat=lambda _: None, now_ns=lambda: 0, gather_s=gather_s)
    follower = await log.follow(CLUSTER.patterns, after=views.position)

    async def follow() -> None:
        async for records in follower:
            await views.apply([DECODER.decode(record) for record in records], follower.position)

    tasks = [asyncio.create_task(views.serve()), asyncio.create_task(follow())]
    try:
        yield views
    finally:
        await follower.aclose()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await views.aclose()


async def taken(views: LiveViews, seq: int) -> None:
    """Returns once the views were given everything up to there, written or not."""
    given = asyncio.Event()
    put = views.feed.put

    async def telling(commits: Sequence[Commit], upto: int = 0) -> None:
        await put(commits, upto)
        given.set()

    views.feed.put = telling  # type: ignore[method-assign]
    while views.feed.taken < seq:
        given.clear()
        await given.wait()


async def ask(views: LiveViews, name: str, **question: Any) -> dict[str, Any]:
    answer: dict[str, Any] = msgspec.json.decode(await views.answer(name, msgspec.json.encode(question)))
    return answer


async def test_a_fresh_question_sees_what_was_appended_before_it(tmp_path: Path) -> None:
    async with InProcessLog() as log, live(log, tmp_path) as views:
        history = History()
        for n in range(20):
            since = len(history.records)
            run(history, f"t{n}")
            publish(log, history, since)
            if n % 3 == 0:
                log.publish("claw.chat.c.log", b"of a kind that no view is about")
            async with asyncio.timeout(5):
                row = (await ask(views, "task", id=f"t{n}", fresh=True))["row"]
            assert row["status"] == "completed"


async def test_a_question_waits_for_the_version_that_it_asks_for(tmp_path: Path) -> None:
    async with InProcessLog() as log, live(log, tmp_path) as views:
        history = History()
        run(history, "t")
        asked = asyncio.create_task(ask(views, "task", id="t", at_least=3))
        publish(log, history)
        async with asyncio.timeout(5):
            assert (await asked)["row"]["version"] == 3


async def test_a_version_that_never_comes_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clawactors.projections.live._FRESH_S", 0.01)
    async with InProcessLog() as log, live(log, tmp_path) as views:
        assert (await ask(views, "status", at_least=9))["error"]["code"] == "unavailable"


async def test_what_was_put_is_written_within_the_interval_without_being_asked(tmp_path: Path) -> None:
    async with InProcessLog() as log, live(log, tmp_path, gather_s=0.01) as views:
        history = History()
        run(history, "t")
        publish(log, history)
        async with asyncio.timeout(5):
            await views.feed.reached(3)
        assert (await ask(views, "status"))["tasks"]["completed"] == 1


async def test_what_is_held_is_written_at_the_end(tmp_path: Path) -> None:
    async with InProcessLog() as log:
        history = random_history(1, 200)
        async with live(log, tmp_path) as views:
            publish(log, history)
            async with asyncio.timeout(5):
                await taken(views, len(history.records))
        store = live_store(tmp_path, CLUSTER)
        with store.snapshot() as reading:
            found = digest(reading, CLUSTER)
        store.close()
        assert found == (await replay(log, tmp_path / "r", CLUSTER)).digest


async def test_faults_that_came_while_nobody_was_there_are_reported(tmp_path: Path) -> None:
    async with InProcessLog() as log:
        async with live(log, tmp_path):
            pass
        log.publish("claw.task.t.log", b"garbage")
        async with live(log, tmp_path) as views:
            reported: list[int] = []
            views.feed.on_fault = lambda record, _: reported.append(record.seq)
            await views.feed.flush()
            assert reported == [1]


async def test_a_rebuild_fills_a_new_revision_while_the_old_one_answers(tmp_path: Path) -> None:
    async with InProcessLog() as log, live(log, tmp_path, gather_s=0.001) as views:
        history = random_history(2, 500)
        publish(log, history)
        await views.fresh()
        before, path = store_digest(views.store, CLUSTER), views.store.path
        answers: list[dict[str, Any]] = []

        async def asking() -> None:
            while True:
                answers.append(await ask(views, "status"))
                await asyncio.sleep(0)

        asker = asyncio.create_task(asking())
        since = len(history.records)
        run(history, "meanwhile")
        await asyncio.gather(views.rebuild(), asyncio.to_thread(lambda: None))
        publish(log, history, since)
        await views.fresh()
        asker.cancel()
        with suppress(asyncio.CancelledError):
            await asker
        assert all("error" not in answer for answer in answers)
        assert views.store.path != path
        assert not path.exists()
        assert before.digest == (await replay(log, tmp_path / "before", CLUSTER, until=before.position)).digest
        assert store_digest(views.store, CLUSTER).digest == (await replay(log, tmp_path / "after", CLUSTER)).digest


async def test_placement_starts_from_the_views_as_if_it_had_folded_the_log(tmp_path: Path) -> None:
    async with InProcessLog() as log, live(log, tmp_path) as views:
        history = random_history(3, 400, strangers=False)
        publish(log, history)
        await views.fresh()
        snapshot = views.snapshot()
        assert snapshot.position == len(history.records)
        opened = {id: slim(task) for id, task in history.tasks.items() if task.life.status in OPEN}
        assert {id: (task.spec, task.life) for id, _, task in snapshot.open_tasks()} == {
            id: (task.spec, task.life) for id, task in opened.items()
        }
        assert all(entry.result is None for _, _, task in snapshot.open_tasks() for entry in task.journal)
        assert {id: node for id, _, node in snapshot.nodes()} == {
            id: node for id, node in history.nodes.items() if node.status != "removed"
        }
        versions = {record.subject.split(".")[2]: record.seq for record in history.records}
        assert {id: version for id, version, _ in snapshot.open_tasks()} == {id: versions[id] for id in opened}
        placement = Placement(ClusterState())
        placement.state.load(snapshot)
        assert placement.state.position == len(history.records)


async def test_placement_is_told_what_needs_an_upgrade(tmp_path: Path) -> None:
    async with InProcessLog() as log, live(log, tmp_path) as views:
        history = History()
        history.node("n1", joined())
        history.command("t", tc.Submit(te.Spec(skill="echo")))
        history.publish("claw.task.t.log", FUTURE)
        history.publish("claw.node.n1.log", b'{"v":2,"events":[{"type":"node.joined"}]}')
        publish(log, history)
        await views.fresh()
        snapshot = views.snapshot()
        assert sorted(snapshot.frozen()) == [("node", "n1"), ("task", "t")]
        placement = Placement(ClusterState())
        placement.state.load(snapshot)
        assert list(placement.orders(0)) == []


async def test_faults_are_reported_once_with_their_records(tmp_path: Path) -> None:
    async with InProcessLog() as log, live(log, tmp_path) as views:
        reported: list[tuple[int, str]] = []
        views.feed.on_fault = lambda record, reason: reported.append((record.seq, reason.partition(":")[0]))
        history = History()
        run(history, "t")
        history.publish("claw.task.t.log", b"garbage")
        history.task("t", te.Started(), te.Completed())
        history.publish("claw.task.t.log", FUTURE)
        publish(log, history)
        await views.fresh()
        run(history, "u")
        publish(log, history, 6)
        await views.fresh()
        assert reported == [(4, "malformed"), (5, "illegal"), (6, "future")]


async def test_a_start_opens_what_is_there_and_reads_only_the_rest(tmp_path: Path) -> None:
    async with InProcessLog() as log:
        history = random_history(4, 100)
        publish(log, history)
        async with live(log, tmp_path) as views:
            path, events = views.store.path, views.feed.projector.state.events
        async with live(log, tmp_path) as views:
            assert (views.store.path, views.feed.projector.state.events) == (path, events)


@pytest.mark.parametrize("harm", ["cut", "overwritten", "foreign", "pointer", "other schema", "gone"])
async def test_harmed_views_are_built_anew_at_the_start(
    tmp_path: Path, harm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with InProcessLog() as log:
        publish(log, random_history(5, 100))
        async with live(log, tmp_path) as views:
            right = store_digest(views.store, CLUSTER)
        file = tmp_path / "cluster@1" / "data.mdb"
        match harm:
            case "cut":
                os.truncate(file, file.stat().st_size // 2)
            case "overwritten":
                file.write_bytes(b"\0" * file.stat().st_size)
            case "foreign":
                file.write_bytes(b"SQLite format 3\0" * 1000)
            case "pointer":
                (tmp_path / "cluster.live").write_bytes(b"\xff\0")
            case "other schema":
                projector = Projector.open(CLUSTER, tmp_path / "cluster@1", right.identity)
                state = msgspec.structs.replace(projector.state, schema="older")
                with projector.store.write() as txn:
                    txn.put(META, b"state", msgspec.json.encode(state))
                projector.close()
            case _:
                file.unlink()
        async with live(log, tmp_path) as views:
            assert store_digest(views.store, CLUSTER) == right
            assert views.health._revisions.live() == views.store.path


async def test_a_newer_release_thaws_what_an_older_one_froze(tmp_path: Path) -> None:
    async with InProcessLog() as log:
        history = History()
        history.command("t", tc.Submit(te.Spec(skill="echo")))
        history.publish("claw.task.t.log", FUTURE)
        publish(log, history)
        async with live(log, tmp_path) as views:
            path, state = views.store.path, views.feed.projector.state
        async with live(log, tmp_path) as views:
            assert views.store.path == path
            with views.store.write() as txn:  # as if another release had made it
                older = msgspec.structs.replace(state, tags="older")
                txn.put(META, b"state", msgspec.json.encode(older))
        async with live(log, tmp_path) as views:
            assert views.store.path != path


async def test_a_rebuild_that_was_interrupted_goes_on(tmp_path: Path) -> None:
    async with InProcessLog() as log:
        history = random_history(6, 300)
        publish(log, history)
        unfinished = Projector.open(CLUSTER, tmp_path / "cluster@1", (await log.head()).identity)
        unfinished.apply(history.records[:100])
        unfinished.close()
        told: list[int] = []
        views = await LiveViews.open(
            log, tmp_path, CLUSTER, heartbeat=lambda _: None, now_ns=lambda: 0, progress=lambda at, end: told.append(at)
        )
        assert views.store.path == tmp_path / "cluster@1"
        assert store_digest(views.store, CLUSTER).digest == (await replay(log, tmp_path / "r", CLUSTER)).digest
        await views.aclose()


async def test_a_full_disk_is_waited_out(projector: Projector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "_PAUSE_S", 0.01)
    history = random_history(7, 100)
    failures = 3
    apply = projector.apply_commits

    def failing(commits: Sequence[Commit], upto: int = 0, batch: int = 1024) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise Unavailable("no space left on device")
        apply(commits, upto, batch)

    monkeypatch.setattr(projector, "apply_commits", failing)
    fed = Feed(projector, 0)
    serving = asyncio.create_task(fed.serve())
    await fed.put([DECODER.decode(record) for record in history.records])
    async with asyncio.timeout(5):
        await fed.reached(len(history.records))
    assert failures == 0
    assert fed.trouble == ""
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving
    await fed.aclose()


async def test_the_reader_waits_while_too_much_is_held(projector: Projector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "HELD_MAX", 50)
    history = History()
    for n in range(40):
        run(history, f"t{n}")
    commits = [DECODER.decode(record) for record in history.records]
    fed = Feed(projector, LONG_S)
    await fed.put(commits[:49])
    putting = asyncio.create_task(fed.put(commits[49:]))
    await asyncio.sleep(0)
    assert not putting.done()
    await fed.flush()
    async with asyncio.timeout(5):
        await putting
    await fed.aclose()
    assert projector.position == len(commits)


@pytest.mark.parametrize("gather_s", [-1.0, 31.0])
def test_views_are_written_at_least_every_30_seconds(projector: Projector, gather_s: float) -> None:
    with pytest.raises(Misconfigured):
        Feed(projector, gather_s)


async def test_a_map_that_is_full_grows_in_the_midst_of_a_batch(tmp_path: Path) -> None:
    history = random_history(8, 300)
    small = Projector.open(CLUSTER, tmp_path / "small", "log-1", map_bytes=1 << 18)
    large = Projector.open(CLUSTER, tmp_path / "large", "log-1")
    for projector in (small, large):
        projector.apply(history.records, batch=50)
        for n in range(100):
            run(history, f"more{n}", result="x" * 5000)
        projector.apply(history.records, batch=50)
    small.apply(history.records)
    large.apply(history.records)
    assert store_digest(small.store, CLUSTER) == store_digest(large.store, CLUSTER)
    small.close()
    large.close()


async def test_a_history_that_was_archived_before_it_was_read_has_the_views_made_again(tmp_path: Path) -> None:
    log, archive = InProcessLog(), Archive(InProcessArchiveStore())
    whole, history = ArchivedLog(log, archive, archived_in), History()
    run(history, "t1")
    views = await LiveViews.open(whole, tmp_path, CLUSTER, heartbeat=lambda _: None, now_ns=lambda: 0, gather_s=0)
    publish(log, history)
    records = [record async for batch in log.read(["claw.>"]) for record in batch]
    out = io.BytesIO()
    writer = ArchiveWriter(out, "log", 0)
    for record in records:
        writer.add(record)
    writer.finish({"task/t1"})
    out.seek(0)
    await archive.add("f1", out)
    body = te.CODEC.encode(tuple(TASK.decide(tc.ArchiveTask("f1", 1), history.tasks["t1"])))
    await log.append(Draft("task", "t1", body, "archived"), records[-1].seq)
    await log.purge("task", "t1", records[-1].seq + 1)
    made, loop = asyncio.Event(), asyncio.get_running_loop()

    def exchanged() -> None:
        loop.call_soon_threadsafe(made.set)

    views.on_exchanged = exchanged
    serving = asyncio.create_task(views.serve())
    [tombstone] = await commits_of(log)
    await views.apply([tombstone], tombstone.record.seq)
    async with asyncio.timeout(10):
        await made.wait()
    replayed = await replay(whole, tmp_path / "replayed", CLUSTER)
    assert store_digest(views.store, CLUSTER).digest == replayed.digest
    assert replayed.events == 5, "submitted, scheduled; started with completed; archived"
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    await views.aclose()


async def test_compacting_keeps_the_rows_and_gives_back_the_space_of_others(tmp_path: Path) -> None:
    async with InProcessLog() as log, live(log, tmp_path, 0.0) as views:
        history = History()
        for n in range(60):
            run(history, f"t{n}", steps=3, result="x" * 3000)
        for n in range(60):
            history.command(f"t{n}", tc.ArchiveTask("f1", 1 + n))
        publish(log, history)
        await views.fresh()
        before = store_digest(views.store, CLUSTER)
        sizes = await views.compact()
        assert sizes[1] < sizes[0]
        assert store_digest(views.store, CLUSTER) == before
        run(history, "later")
        publish(log, history, len(history.records) - 3)
        assert (await ask(views, "task", id="later", fresh=True))["row"]["status"] == "completed"
        assert (await views.compact())[1] == views.store.size_bytes
    assert len([name for name in os.listdir(tmp_path) if "@" in name]) == 1
