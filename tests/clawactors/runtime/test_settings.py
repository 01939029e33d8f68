"""Settings through a cluster in one loop: set, guarded, rolled back, watched; and what each does where it is read."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import pytest

from clawactors.app.cli.checks import check_settings
from clawactors.app.gauges import disk_gauge, lag_gauge
from clawactors.app.processes.start import log_as_set
from clawactors.eventlog import Draft, InProcessLog, PermissionDenied, Record
from clawactors.kernel.errors import InvalidQuery, NotFound, Refused
from clawactors.runtime.client import settings as client_settings
from clawactors.runtime.client.settingrows import SettingChange
from clawactors.runtime.client.settings import ClusterConfig
from clawactors.runtime.control import settings as control_settings
from clawactors.runtime.control.alarms import AlarmKeeper
from clawactors.runtime.control.archiving import keeper as archive_keeper
from clawactors.runtime.control.archiving.keeper import ArchiveKeeper
from clawactors.runtime.control.backups import BackupKeeper
from clawactors.runtime.settings import Layer, LiveSettings
from clawactors.systems.backups import BackupPlan
from clawactors.systems.backups.commands import NoteBackup
from clawactors.systems.settings import DEFAULTS, REGISTRY, Settings
from clawactors.systems.skills import skill
from clawactors.systems.tasks.retry import Retry
from tests.clawactors.runtime.cluster import Cluster, WallClock
from tests.clawactors.runtime.test_archive import WholeLog, staged

DAY = 86_400.0


@pytest.fixture
async def config(cluster: Cluster) -> ClusterConfig:
    """The settings of a cluster of one control process."""
    await cluster.control()
    return cluster.client("client/ada").config


async def heard(cluster: Cluster, config: ClusterConfig) -> None:
    """Returns when control and the node know all that is set."""
    version = await config.version()
    lives = [each.settings.live for each in cluster.controls.values()] + [each.live for each in cluster.nodes.values()]
    for live in lives:
        assert await live.after(version - 1, 10) == version


# Set, read, guarded


async def test_what_was_set_says_who_when_and_why_and_what_it_does(config: ClusterConfig) -> None:
    row = await config.set("archive.after", "7d", reason="the disk is nearly full")
    assert (row.value, row.text, row.set, row.default) == (7 * DAY, "7d", True, 30 * DAY)
    assert (row.by, row.reason, row.version) == ("client/ada", "the disk is nearly full", 1)
    assert row.set_at is not None
    assert row.takes_effect == "at once"
    assert (await config.get("archive.after")).text == "7d"
    assert (await config.settings()).archive_after == 7 * DAY
    assert [row.name for row in await config.list()] == list(REGISTRY)
    assert await config.set("archive.after", 7 * DAY) == await config.get("archive.after"), "nothing has changed"
    assert (await config.unset("archive.after", reason="more disks")) is not None
    assert (await config.get("archive.after")).text == "30d"


async def test_of_many_who_have_seen_the_same_version_one_changes_it(config: ClusterConfig) -> None:
    await config.set("node.slots", 1)

    async def attempt(slots: int) -> bool:
        try:
            return (await config.set("node.slots", slots, if_version=1)).value == slots
        except Refused:
            return False

    won = await asyncio.gather(*(attempt(slots) for slots in range(2, 22)))
    assert sum(won) == 1
    assert [change.version for change in await config.history("node.slots")] == [1, 2]
    await config.set("node.parked", 5, if_version=2)


async def test_mistakes_are_refused_and_change_nothing(config: ClusterConfig) -> None:
    for name, value in (("archive.afte", "7d"), ("archive.after", "soon"), ("api_key", "x"), ("backup.folder", "a")):
        with pytest.raises(Refused):
            await config.set(name, value)
    for wrong in (-1, True, "1", 1.0):
        with pytest.raises(InvalidQuery):
            await config.set("node.slots", 3, if_version=wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidQuery, match="unset"):
        await config.set("node.slots", None)
    for call in (config.get("nodes.slots"), config.history("nodes.slots")):
        with pytest.raises(Refused, match=r"did you mean node\.slots"):
            await call
    for number in (1, 7):
        with pytest.raises(NotFound, match=f"no version {number} of the settings"):
            await config.rollback(number)
    assert await config.history() == []
    assert await config.version() == 0
    with pytest.raises(InvalidQuery, match="at version 0: nothing comes after 3"):
        await anext(aiter(config.watch(3)))  # of another cluster, or of before a restore


async def test_other_programs_set_with_a_message(cluster: Cluster, config: ClusterConfig) -> None:
    body = b'{"type": "setting.change", "changes": {"node.slots": "9", "log.level": "INFO"}, "by": "cron"}'
    cluster.commands_in.publish("claw.cmd.setting.cluster", body)
    changes = aiter(config.watch(0))
    (change,) = [await anext(changes)]
    assert {name: value.after for name, value in change.changes.items()} == {"log.level": "info", "node.slots": 9}
    assert change.by == "cron"


# Their history


async def test_a_rollback_is_a_change_like_any_other(config: ClusterConfig) -> None:
    await config.change({"archive.after": "7d", "node.slots": 9}, reason="try")
    await config.set("node.slots", 10)
    await config.unset("archive.after")
    await config.rollback(1, reason="it was better")
    assert {row.name: row.value for row in await config.list() if row.set} == {
        "archive.after": 7 * DAY,
        "node.slots": 9,
    }
    last = (await config.history())[-1]
    assert (last.version, last.rolled_back_to, last.reason) == (4, 1, "it was better")
    assert (last.changes["node.slots"].before, last.changes["node.slots"].after) == (10, 9)
    await config.rollback(1)
    assert await config.version() == 4, "it is so already"
    await config.rollback(0)
    assert not any(row.set for row in await config.list())
    assert set(await config.difference(1, 3)) == {"archive.after", "node.slots"}
    assert set(await config.difference(4)) == {"archive.after", "node.slots"}
    assert await config.difference(1, 4) == {}


async def test_the_settings_of_a_past_moment(config: ClusterConfig) -> None:
    await config.set("node.slots", 9)
    (change,) = await config.history()
    await config.set("node.slots", 10)
    assert (await config.get("node.slots", at_seq=change.seq)).value == 9
    assert (await config.get("node.slots", at=change.at)).value == DEFAULTS.node_slots, "to the microsecond before it"
    assert (await config.get("node.slots", at_seq=change.seq - 1)).set is False
    with pytest.raises(InvalidQuery):
        await config.list(origins=True, at_seq=1)


async def test_a_watcher_gets_every_change_once_across_a_dead_leader(
    cluster: Cluster, config: ClusterConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_settings, "_ANSWER_S", 0.2)
    monkeypatch.setattr(control_settings, "_WAIT_S", 0.1)
    got: list[SettingChange] = []

    async def follow() -> None:
        async for change in config.watch():
            got.append(change)  # noqa: PERF401 # it never ends

    following = asyncio.create_task(follow())
    await asyncio.sleep(0)
    for number in range(1, 4):
        await config.set("node.slots", number)
    name = next(iter(cluster.controls))
    link = cluster.links[name]
    await cluster.kill(name)
    await link.expire()
    await cluster.control("control/2")
    for number in range(4, 7):
        await config.set("node.slots", number)
    await cluster.until(lambda: len(got) >= 5)
    following.cancel()
    assert [change.version for change in got] == list(range(got[0].version, 7))


# Of another release, and damaged


async def test_what_this_release_does_not_know_stays_and_stops_nobody(cluster: Cluster, config: ClusterConfig) -> None:
    await config.set("node.slots", 9)
    seq = (await config.history())[-1].seq
    body = b'{"v":1,"events":[{"type":"setting.changed","changes":{"of.later":{"a":[1]},"log.level":"trace"}}]}'
    await cluster.log.append(Draft("setting", "cluster", body, "later"), seq)
    rows = {row.name: row for row in await config.list()}
    assert rows["of.later"].value == {"a": [1]}
    assert rows["of.later"].problem == "this release has no such setting"
    assert "can't be 'trace'" in rows["log.level"].problem
    assert (rows["log.level"].value, rows["node.slots"].value) == ("warning", 9)
    await config.rollback(1)
    assert {row.name for row in await config.list() if row.set} == {"node.slots", "of.later"}, "it is not ours"
    check = await check_settings(cluster.client())  # type: ignore[arg-type] # as claw doctor does
    assert (check.verdict, "of.later: this release has no such setting" in check.detail) == ("warning", True)
    await config.unset("of.later")
    assert "of.later" not in {row.name for row in await config.list()}
    await heard(cluster, config)


async def test_an_event_of_a_later_release_freezes_the_settings_and_nothing_else(
    cluster: Cluster, config: ClusterConfig
) -> None:
    await config.set("task.silence", "2m")
    seq = (await config.history())[-1].seq
    await cluster.log.append(Draft("setting", "cluster", b"garbage", "g"), seq)
    await cluster.log.append(
        Draft("setting", "cluster", b'{"v":1,"events":[{"type":"setting.locked"}]}', "later"), seq + 1
    )
    with pytest.raises(Refused, match="newer release"):
        await config.set("node.slots", 9)
    (control,) = cluster.controls.values()
    assert control.settings.live.current.task_silence == 120
    assert (await config.get("task.silence")).text == "2m"
    assert not cluster.mains[next(iter(cluster.controls))].done()


# What each does


@skill("fails")
async def fails(task: Any) -> None:
    raise RuntimeError("no")


@skill("persists", retry=Retry(max_retries=1, wait_s=0))
async def persists(task: Any) -> None:
    raise RuntimeError("no")


async def test_task_retries_counts_for_skills_that_name_none(cluster: Cluster, config: ClusterConfig) -> None:
    await cluster.node("n1", [fails, persists])
    await config.set("task.retries", 0)
    await heard(cluster, config)
    client = cluster.client()
    await client.submit("fails", id="a")
    await client.submit("persists", id="b")
    assert (await cluster.until_status("a", "dead")).life.attempt == 1
    assert (await cluster.until_status("b", "dead")).life.attempt == 2


async def test_task_timeout_counts_where_neither_task_nor_skill_says(cluster: Cluster, config: ClusterConfig) -> None:
    go = asyncio.Event()

    @skill("waits", retry=Retry(max_retries=0))
    async def waits(task: Any) -> None:
        await go.wait()

    @skill("patient", retry=Retry(max_retries=0), timeout_s=100)
    async def patient(task: Any) -> str:
        await go.wait()
        return "done"

    await cluster.node("n1", [waits, patient])
    await config.set("task.timeout", "20ms")
    await heard(cluster, config)
    client = cluster.client()
    await client.submit("patient", id="b")
    await client.submit("waits", id="c", timeout_s=100)
    await client.submit("waits", id="a")
    task = await cluster.until_status("a", "dead")
    assert task.life.error is not None
    assert "longer than 0.02 s" in task.life.error.message
    go.set()
    for id in "bc":
        await cluster.until_status(id, "completed")


async def test_task_silence_ends_attempts_that_run_already() -> None:
    clock, go = WallClock(), asyncio.Event()

    @skill("hangs", retry=Retry(max_retries=0))
    async def hangs(task: Any) -> None:
        await go.wait()

    async with Cluster(clock) as cluster:
        control = await cluster.control()
        await cluster.node("n1", [hangs])
        config = cluster.client().config
        await cluster.client().submit("hangs", id="t")
        await cluster.until_status("t", "running")
        await config.set("task.silence", "1m")
        await heard(cluster, config)
        clock.move(61)
        await config.set("node.parked", 1)  # the log has shown its time
        await cluster.until_event("t", "task.interrupted")
        assert control.state.silence.limit_s == 60
        go.set()


async def test_queue_order_holds_at_once_and_for_the_next_leader(cluster: Cluster, config: ClusterConfig) -> None:
    client, ran = cluster.client(), list[str]()
    await client.submit("notes", id="urgent", priority="urgent")
    await client.submit("notes", id="late", deadline_ns=2**62 + 1)
    await client.submit("notes", id="soon", deadline_ns=2**62, priority="low")
    await config.set("queue.order", "deadline")
    await heard(cluster, config)
    await cluster.kill(next(iter(cluster.controls)))
    heir = await cluster.control("control/heir")
    await cluster.until(lambda: heir.leadership.leading, "another leads")

    @skill("notes")
    async def notes(task: Any) -> None:
        ran.append(task.id)

    await cluster.node("n1", [notes], slots=1)
    for id in ("urgent", "late", "soon"):
        await cluster.until_status(id, "completed")
    assert ran == ["soon", "late", "urgent"]


async def test_archive_after_moves_tasks_by_itself_once_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_keeper, "_LOOK_S", 0.01)
    async with Cluster(log=WholeLog) as cluster:
        stage, control = await staged(cluster)
        keeper = ArchiveKeeper(control, stage.log, stage.archive, cluster.blobs, rest_s=0)
        serving = cluster.spawn("control/1", keeper.serve())
        config = cluster.client().config
        await config.set("archive.after", "off")
        await heard(cluster, config)
        store: Any = stage.archive.store
        assert not store.kept
        await config.set("archive.after", "1s")
        await cluster.until(lambda: bool(store.kept))
        serving.cancel()


async def test_backups_are_planned_by_settings_and_the_later_word_counts(
    cluster: Cluster, config: ClusterConfig
) -> None:
    made: list[BackupPlan] = []

    async def make(plan: BackupPlan) -> NoteBackup:
        made.append(plan)
        return NoteBackup(file=f"{plan.folder}/1.tar", size_bytes=1, last_seq=1, seconds=0, planned=True)

    (control,) = cluster.controls.values()
    await cluster.until(lambda: control.leadership.leading)
    keeper = BackupKeeper(control.dispatcher, lambda: True, make, control.settings.live)
    assert await keeper.check() is False
    await config.change({"backup.folder": "/a", "backup.every": "2h", "backup.keep": 3})
    await heard(cluster, config)
    assert await keeper.check() is True
    assert made == [BackupPlan(folder="/a", every_s=7200, copies=3)]
    backups = cluster.client().backups
    await backups.plan("/b", 60.0)
    assert await keeper.check() is True
    assert made[-1].folder == "/b", "what somebody asks for counts, until the settings change"
    await config.set("backup.keep", 4)
    await heard(cluster, config)
    assert await keeper.check() is True
    assert made[-1] == BackupPlan(folder="/a", every_s=7200, copies=4)
    await config.set("backup.every", "off")
    await heard(cluster, config)
    assert await keeper.check() is False
    assert cluster.named("cluster", "backup")[-1] == "backup.stopped"


async def test_alarms_are_raised_at_the_limits_that_are_set(
    cluster: Cluster, config: ClusterConfig, tmp_path: Path
) -> None:
    (control,) = cluster.controls.values()
    await cluster.until(lambda: control.leadership.leading)
    keeper = AlarmKeeper(control.dispatcher, lambda: True, (), lambda happening: None)
    log, trouble = control.context.log, ["nothing fits"]

    def gauge(settings: Settings) -> None:
        disk = disk_gauge(tmp_path, lambda: trouble[0], settings.alarm_disk)
        keeper.use((lag_gauge(log, lambda: 0, settings.alarm_lag), disk))

    control.settings.live.watch(gauge)
    for number in range(12):
        await config.set("node.slots", number)
    for _ in range(2):
        await keeper.check()
    assert (cluster.named("lag", "alarm"), cluster.named("disk", "alarm")) == ([], ["alarm.raised"])
    await config.set("alarm.lag", 10)
    await heard(cluster, config)
    for _ in range(2):
        await keeper.check()
    assert cluster.named("lag", "alarm") == ["alarm.raised"]
    assert disk_gauge(tmp_path, lambda: "", 50).raise_at == 50


class Deaf(InProcessLog):
    """A log that this process may not read."""

    def read(self, patterns: Sequence[str], **more: Any) -> AsyncGenerator[list[Record]]:
        raise PermissionDenied("no right to read claw.setting.>")


async def test_a_process_that_may_not_read_them_goes_on_with_what_it_was_given(
    caplog: pytest.LogCaptureFixture,
) -> None:
    given = Layer(origin="environment", source="CLAW_SETTING_NODE_SLOTS", values={"node.slots": "3"})
    live = LiveSettings(Deaf(), (given,), "node")
    await live.open()
    serving = asyncio.create_task(live.serve())
    await asyncio.sleep(0)
    assert not serving.done()
    assert (live.current.node_slots, live.current.node_parked) == (3, DEFAULTS.node_parked)
    assert "no right to read" in caplog.text
    serving.cancel()


def test_log_level_is_that_of_the_process() -> None:
    root, before = logging.getLogger(), logging.getLogger().level
    try:
        for level in REGISTRY["log.level"].choices:
            log_as_set(Settings(log_level=level))
            assert root.level == getattr(logging, level.upper())
    finally:
        root.setLevel(before)


async def test_a_part_that_fails_keeps_no_other_from_a_change(cluster: Cluster, config: ClusterConfig) -> None:
    (control,) = cluster.controls.values()
    heard_of: list[int] = []

    def break_down(settings: Settings) -> None:
        if settings.node_slots != DEFAULTS.node_slots:
            raise RuntimeError("no")

    control.settings.live.watch(break_down)
    control.settings.live.watch(lambda settings: heard_of.append(settings.node_slots))
    await config.set("node.slots", 9)
    await heard(cluster, config)
    assert heard_of == [DEFAULTS.node_slots, 9]


async def test_origins_say_what_counts_in_each_process(cluster: Cluster, config: ClusterConfig) -> None:
    await cluster.node("n1", [fails])
    await config.change({"node.slots": 9, "task.retries": 1})
    await heard(cluster, config)
    rows = {row.name: row for row in await config.list(origins=True)}
    (slots,) = rows["node.slots"].origins or ()
    assert (slots.process, slots.value, slots.pending) == ("node/n1", DEFAULTS.node_slots, True)
    (retries,) = rows["task.retries"].origins or ()
    assert (retries.value, retries.origin, retries.pending) == (1, "setting", False)
    assert [hid["origin"] for hid in retries.hides] == ["default"]
    assert [each.process.partition("/")[0] for each in rows["log.level"].origins or ()] == ["control", "node"]

    cluster.commands_in.publish("claw.cmd.node.n1", b'{"type": "node.configure", "slots": 2}')
    await cluster.until(lambda: cluster.nodes["n1"].slots == 2)
    (slots,) = (await config.get("node.slots", origins=True)).origins or ()
    assert (slots.value, slots.origin) == (2, "claw node set"), "a word to one node"
    assert [hid["value"] for hid in slots.hides] == [DEFAULTS.node_slots, DEFAULTS.node_slots]
