"""Histories move to the archive: killed anywhere, raced by retries, a history is never in neither place."""

import asyncio
import io
import os
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, BinaryIO, override

import pytest

from clawactors import skill
from clawactors.app.projections import CLUSTER
from clawactors.eventlog import InProcessLog, Missing, Record, Unavailable
from clawactors.eventlog.archive.archive import Archive
from clawactors.eventlog.archive.log import ArchivedLog
from clawactors.eventlog.archive.store import InProcessArchiveStore
from clawactors.kernel.errors import Refused
from clawactors.projections.engine.digest import digest
from clawactors.projections.engine.inprocess import InProcessStore
from clawactors.projections.engine.projector import Projector
from clawactors.runtime.archiving import ArchivedBlobs, ArchiveReport, archived_in
from clawactors.runtime.client.archiving import last_failure
from clawactors.runtime.client.client import ClusterClient
from clawactors.runtime.client.waiting import TaskFailed
from clawactors.runtime.control import Control
from clawactors.runtime.control.archiving import gathering, mover
from clawactors.runtime.control.archiving.keeper import ArchiveKeeper
from clawactors.runtime.control.archiving.mover import Mover
from clawactors.runtime.node.context import TaskContext
from clawactors.runtime.sweep import sweep
from clawactors.systems.tasks.payload import INLINE_MAX_BYTES
from tests.clawactors.runtime.cluster import Cluster

FAR_NS = 2**62


class WholeLog(InProcessLog):
    """Remembers what was ever in it."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.ever: list[Record] = []

    @override
    def publish(self, subject: str, body: bytes, headers: bytes = b"") -> int:
        seq = super().publish(subject, body, headers)
        self.ever.append(self._records[-1])  # type: ignore[arg-type]
        return seq

    async def opened(self) -> list[Record]:
        """All of it, as it is read."""
        return await self.sealer.open(list(self.ever))


class Killed(BaseException):
    """The process of the mover is killed here."""


class Points:
    """Counts places where a kill may come, and kills at one of them."""

    def __init__(self, at: int = -1) -> None:
        self.at, self.count = at, 0

    def pass_one(self) -> None:
        self.count += 1
        if self.count == self.at:
            raise Killed

    async def pause(self, _took_s: float) -> None:
        self.pass_one()


class KillingStore(InProcessArchiveStore):
    points = Points()

    @override
    async def put(self, name: str, content: BinaryIO) -> None:
        self.points.pass_one()
        await super().put(name, content)
        self.points.pass_one()


class KillingLog(ArchivedLog):
    """Of the mover: kills before and after a purge; several are under way then."""

    points = Points()

    @override
    async def purge(self, kind: str, id: str, before: int) -> int:
        self.points.pass_one()
        purged = await super().purge(kind, id, before)
        self.points.pass_one()
        return purged


@skill("echo")
async def echo(_task: TaskContext, text: str) -> str:
    return text


@skill("parent")
async def parent(task: TaskContext, children: int) -> int:
    for n in range(children):
        await task.run("echo", {"text": str(n)})
    await task.signal("go")
    return children


async def until(condition: Callable[[], bool]) -> None:
    """What comes by itself within some turns of the loop."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


def views_of(records: Sequence[Record]) -> str:
    """The digest of the cluster's views over these records."""
    store = InProcessStore(CLUSTER.tables)
    projector = Projector.on(store, CLUSTER, "test")
    projector.apply(records)
    with store.snapshot() as reading:
        return digest(reading, CLUSTER)


async def everything(log: ArchivedLog, *patterns: str) -> list[Record]:
    return [record async for records in log.read(patterns or ("claw.*.>",)) for record in records]


class Stage:
    """A cluster in memory with an archive."""

    def __init__(self, cluster: Cluster, store: InProcessArchiveStore | None = None) -> None:
        self.cluster, self.archive = cluster, Archive(store or InProcessArchiveStore())
        assert isinstance(cluster.log, WholeLog)
        self.log = cluster.log
        self.whole = ArchivedLog(cluster.log, self.archive, archived_in)

    async def control(self) -> Control:
        self._control = control = await self.cluster.control()
        control.records._log = self.whole
        control.blobs._blobs = ArchivedBlobs(self.cluster.blobs, self.archive)
        await until(lambda: control.leadership.leading)
        await control.snapshots.fresh()
        return control

    async def take_over(self) -> Control:
        """Kills the control process and starts another."""
        [name] = self.cluster.controls
        link = self.cluster.links[name]
        del self.cluster.controls[name]
        await self.cluster.kill(name)
        await link.expire()
        return await self.control()

    def mover(self, control: Control, points: Points | None = None) -> Mover:
        log: Any = self.log
        if points is not None:
            log = KillingLog(self.log, self.archive, archived_in)
            log.points = points
            assert isinstance(self.archive.store, KillingStore)
            self.archive.store.points = points
        return Mover(
            log, self.archive, self.cluster.blobs, control.dispatcher, control.snapshots, control.views,
            control.state.tasks, rest_s=0,
        )  # fmt: skip

    async def move(self, control: Control, points: Points | None = None, **options: Any) -> ArchiveReport:
        report, points = ArchiveReport(), points or Points()
        await self.mover(control, points if points.at >= 0 else None).run(FAR_NS, report, points.pause, **options)
        return report


async def staged(cluster: Cluster, tasks: int = 9, store: InProcessArchiveStore | None = None) -> tuple[Stage, Control]:
    """Tasks that have ended in all ways, and one that is open."""
    stage = Stage(cluster, store)
    control = await stage.control()
    await cluster.node("n1", [echo, parent])
    client = cluster.client("client/ada")
    refs = [await client.submit("echo", {"text": str(n)}, id=f"t{n}", user="ada") for n in range(tasks)]
    for ref in refs:
        await ref.result(10)
    for id in ("cancelled", "deleted", "open"):
        await client.submit("nobody-has-it", id=id)
    await client.cancel("cancelled")
    await client.delete("deleted")
    await control.snapshots.fresh()
    return stage, control


async def test_ended_tasks_move_and_are_still_found() -> None:
    async with Cluster(log=WholeLog) as cluster:
        stage, control = await staged(cluster)
        client = cluster.client("client/eve")
        told = {id: [entry.row for entry in await client.history(id)] for id in ("t3", "cancelled", "deleted", "open")}
        assert (await stage.move(control, dry_run=True)).found == 11
        report = await stage.move(control)
        assert (report.archived, report.left, report.files) == (11, 0, 1)
        assert report.purged == report.records > 20
        assert await everything(stage.whole) == await stage.log.opened()
        assert views_of(await everything(stage.whole)) == views_of(await stage.log.opened())
        assert cluster.named("t3") == ["task.archived"]
        assert cluster.named("open") == ["task.submitted"]
        for id, entries in told.items():
            history = [entry.row for entry in await client.history(id)]
            assert history[: len(entries)] == entries
            assert [entry["type"] for entry in history[len(entries) :]] == ["task.archived"] * (id != "open")
        row = await client.task("t3")
        assert (row.status, row.ended, row.result, row.user) == ("archived", "completed", "3", "ada")
        assert await client.task("t3", at_seq=row.version) == row
        whole = await client.difference("t3")
        assert {name: whole.changed[name].after for name in ("status", "result", "user")} == {
            "status": "archived",
            "result": "3",
            "user": "ada",
        }
        moved = await client.difference("t3", from_seq=row.version - 1)
        assert set(moved.changed) == {"status", "ended", "archived_in"}
        assert (await client.difference("t3", from_seq=row.version)).changed == {}
        assert (await client.task("deleted")).ended == "deleted"
        assert (await client.task("t3", at_seq=told["t3"][0]["seq"])).status == "scheduled"
        assert (await stage.move(control)).found == 0
        assert await client.ref("t3").result(10) == "3"
        with pytest.raises(TaskFailed, match="is cancelled"):
            await client.ref("cancelled").result(10)


async def test_an_id_in_the_archive_stays_taken_and_a_repeat_is_quiet() -> None:
    async with Cluster(log=WholeLog) as cluster:
        stage, control = await staged(cluster)
        await stage.move(control)
        await stage.take_over()  # folds tombstones only
        client = cluster.client("client/ada")
        end = stage.log.last_seq
        await client.submit("echo", {"text": "3"}, id="t3", user="ada")
        with pytest.raises(Refused, match="t3 was archived, and had been submitted with something else"):
            await client.submit("echo", {"text": "4"}, id="t3", user="ada")
        for change in (client.retry, client.cancel, client.delete):
            with pytest.raises(Refused, match="the task is archived"):
                await change("t3")
        assert stage.log.last_seq == end


@pytest.mark.parametrize("seed", range(4))
async def test_killed_at_any_point_and_raced_the_next_run_completes_it(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name, value in ((mover, "_TOMBSTONES", 3), (mover, "_PURGES", 2), (gathering, "_TOGETHER", 7)):
        monkeypatch.setattr(module, name, value)
    r = random.Random(seed)
    for _ in range(20):
        async with Cluster(log=WholeLog) as cluster:
            stage, control = await staged(cluster, store=KillingStore())
            client = cluster.client("client/ada")
            points = Points(r.randrange(1, 45))
            racing = asyncio.create_task(_race(client, r.randrange(30)))
            try:
                await stage.move(control, points, batch=r.choice((4, 20)))
            except Killed:
                history = await everything(stage.whole)  # while a retry may be under way
                assert history == (await stage.log.opened())[: len(history)], f"killed at {points.at}"
            await racing
            await stage.move(await stage.take_over())
            history = await everything(stage.whole)
            assert history == await stage.log.opened(), f"killed at {points.at}"
            tombstones = [record.subject.split(".")[2] for record in stage.log.ever if archived_in(record)]
            assert len(tombstones) == len(set(tombstones)) == 11 - (cluster.task("cancelled").life.status == "pending")
            for id in tombstones:
                assert cluster.named(id) == ["task.archived"], f"killed at {points.at}: {id} was not purged"
            assert await stage.archive.unfinished() == []


async def _race(client: ClusterClient, turns: int) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)
    with suppress(Refused):  # the archive was first
        await client.retry("cancelled")


async def test_what_open_tasks_need_stays() -> None:
    async with Cluster(log=WholeLog) as cluster:
        stage, control = await staged(cluster, 1)
        client = cluster.client("client/ada")
        ref = await client.submit("parent", {"children": 2}, id="p")
        await client.submit("nobody-has-it", id="after", after=["cancelled"])
        await until(lambda: cluster.task("p").life.waiting_for == "signal")
        await control.snapshots.fresh()
        report = await stage.move(control)
        assert report.left >= 2
        children = [id for id in _ids(cluster) if id not in ("p", "t0", "cancelled", "deleted", "open", "after")]
        assert len(children) == 2
        assert all(cluster.task(id).life.status == "completed" for id in children)
        await ref.signal("go")
        assert await ref.result(10) == 2
        await control.snapshots.fresh()
        await stage.move(control)
        assert all(cluster.task(id).life.status == "archived" for id in (*children, "p"))
        assert await everything(stage.whole) == await stage.log.opened()


def _ids(cluster: Cluster) -> set[str]:
    return {commit.id for commit in cluster.commits()}


async def test_records_by_strangers_move_with_the_history_they_belong_to() -> None:
    async with Cluster(log=WholeLog) as cluster:
        cluster.log.publish("claw.task.t1.log", b"garbage before its time")
        stage, control = await staged(cluster, 3)
        cluster.log.publish("claw.task.t2.log", b"garbage behind its end")
        await control.snapshots.fresh()
        await stage.move(control)
        assert views_of(await everything(stage.whole)) == views_of(await stage.log.opened())
        assert await everything(stage.whole) == await stage.log.opened()
        assert len(list(cluster.commits("t1"))) == len(list(cluster.commits("t2"))) == 1


async def test_large_values_move_with_the_histories_that_name_them() -> None:
    async with Cluster(log=WholeLog) as cluster:
        stage, control = await staged(cluster, 0)
        client = cluster.client("client/ada")
        text = "large" * INLINE_MAX_BYTES
        assert await (await client.submit("echo", {"text": text}, id="l")).result(10) == text
        await client.submit("nobody-has-it", {"text": "kept" * INLINE_MAX_BYTES}, id="keeps")
        await control.snapshots.fresh()
        report = await stage.move(control)
        assert report.blobs == 2
        swept = await sweep(cluster.log, cluster.blobs, cluster.outputs, -1)
        assert (swept.removed, len(cluster.blobs.kept)) == (2, 1)
        row = await client.task("l")
        assert await client.payloads.load_payload(row.result) == text
        stage.archive.store.kept = {}  # type: ignore[attr-defined]
        with pytest.raises(Missing):
            await stage.archive.history((await client.task("l")).archived_in or "", "task/l")


async def test_the_parts_of_a_file_move_with_the_task_that_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clawactors.runtime.files.FILE_PART_BYTES", 1000)
    async with Cluster(log=WholeLog) as cluster:
        stage, control = await staged(cluster, 0)
        client = cluster.client("client/ada")
        body = os.urandom(2500)
        await client.run("echo", {"text": "hi"}, files={"data": body}, id="f", wait_s=10)
        await control.snapshots.fresh()
        assert (await stage.move(control)).blobs == 4, "three parts and their list"
        await sweep(cluster.log, cluster.blobs, cluster.outputs, -1)
        assert not cluster.blobs.kept
        [row] = await client.files.of("f")
        assert b"".join([part async for part in client.files.read(row.file)]) == body


async def test_a_store_that_fails_stops_the_run_and_nothing_is_lost() -> None:
    class Full(InProcessArchiveStore):
        @override
        async def put(self, name: str, content: BinaryIO) -> None:
            raise Unavailable("the disk is full")

    async with Cluster(log=WholeLog) as cluster:
        stage, control = await staged(cluster, store=Full())
        keeper = ArchiveKeeper(control, stage.log, stage.archive, cluster.blobs, rest_s=0)
        serving = cluster.spawn("control/1", keeper.serve())
        client = cluster.client("client/ada")
        await until(lambda: bool(keeper._serving))
        with pytest.raises(Refused, match="archiving stopped: the disk is full"):
            await client.archive(0)
        assert await last_failure(client.questions) == "archiving stopped: the disk is full"
        assert [record for record in stage.log._records if record] == stage.log.ever
        stage.archive.store = InProcessArchiveStore()
        told: list[int] = []
        assert (await client.archive(0, progress=lambda report: told.append(report.archived))).archived == 11
        assert await everything(stage.whole) == await stage.log.opened()
        assert await last_failure(client.questions) == ""
        serving.cancel()


async def test_two_leaders_at_once_do_no_harm() -> None:
    async with Cluster(log=WholeLog) as cluster:
        stage, control = await staged(cluster)
        first, second = ArchiveReport(), ArchiveReport()

        async def pause(_: float) -> None:
            await asyncio.sleep(0)

        await asyncio.gather(*(stage.mover(control).run(FAR_NS, each, pause) for each in (first, second)))
        assert first.archived + second.archived == 11
        assert await everything(stage.whole) == await stage.log.opened()
        assert len(stage.log.ever) - len([record for record in stage.log._records if record]) == first.records


async def test_a_damaged_file_of_a_killed_run_does_not_stop_the_next_ones() -> None:
    async with Cluster(log=WholeLog) as cluster:
        stage, control = await staged(cluster)
        await stage.archive.store.put("000000000001-bad.jsonl.zst", io.BytesIO(b"cut short"))
        assert (await stage.move(control)).archived == 11
        assert await everything(stage.whole) == await stage.log.opened()
