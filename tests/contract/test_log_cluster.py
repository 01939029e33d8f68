"""The rules of the guard on three servers, where answers come from different machines and leaders change."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clawactors.app.upkeep.backup import make_backup
from clawactors.app.upkeep.container import BackupReader
from clawactors.app.upkeep.restore import checked_backup, restore_streams
from clawactors.eventlog import Draft, EventLogError, Record, Unavailable, WrongVersion
from clawactors.eventlog.jetstream import Connection, JetStreamLog, syncs_always
from clawactors.eventlog.jetstream.log.peers import ServersReport, ask_servers
from clawactors.eventlog.jetstream.wire.api import call
from tests.logs import open_log
from tests.servers import Cluster, accounts
from tests.waiting import until

pytestmark = pytest.mark.nats
ALL = ("claw.>",)
RAISED = ("CLAW_EVENTS", "KV_claw-keys", "OBJ_claw-blobs", "KV_claw-live")
_users = itertools.count()


def draft(id: str, commit: str) -> Draft:
    return Draft("task", id, b'{"v":1,"events":[{"type":"x"}]}', commit)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster"), accounts(10))
    try:
        yield cluster.start()
    finally:
        cluster.kill()


async def connect(url: str, name: str) -> JetStreamLog:
    """Waits for the servers to have elected whoever they need."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await open_log(url, name)
            except Unavailable:
                await asyncio.sleep(0.2)


@pytest.fixture
def user() -> str:
    return f"t{next(_users)}"


async def read_all(log: JetStreamLog) -> list[Record]:
    return [record async for batch in log.read(ALL) for record in batch]


async def leader_of(log: JetStreamLog) -> str:
    leader: str = (await call(log.connection, "STREAM.INFO.CLAW_EVENTS"))["cluster"]["leader"]
    return leader


async def test_rules_1_and_2_rivals_at_different_servers_never_both_win(cluster: Cluster, user: str) -> None:
    async with (
        await connect(cluster.servers[0].url(user), "one") as one,
        await connect(cluster.servers[1].url(user), "two") as two,
    ):
        assert (await call(one.connection, "STREAM.INFO.CLAW_EVENTS"))["config"]["num_replicas"] == 3
        for burst in (1, 2, 60):  # single against single, against batch, batch against batch
            appends = [
                log.append(draft(f"r{burst}-{n}", f"{name}-{burst}-{n}"), 0)
                for n in range(burst)
                for name, log in (("one", one), ("two", two))
            ]
            results = await asyncio.gather(*appends, return_exceptions=True)
            for first, second in itertools.batched(results, 2):
                assert {type(first), type(second)} == {int, WrongVersion}
        records = await read_all(one)
        assert len({record.subject for record in records}) == len(records) == 63


async def test_all_servers_are_asked_whether_they_sync(cluster: Cluster, user: str) -> None:
    async with await connect(cluster.url(user), "test"):  # by now the servers know each other
        system = await Connection.open(cluster.servers[0].url("sys"), "test")
        assert await syncs_always(system) is True
        await system.aclose()


async def test_reading_sees_what_was_just_appended_through_another_server(cluster: Cluster, user: str) -> None:
    async with (
        await connect(cluster.servers[0].url(user), "writer") as writer,
        await connect(cluster.servers[1].url(user), "reader") as reader,
        await connect(cluster.servers[2].url(user), "third") as third,
    ):
        follower = await third.follow(["claw.task.other.>"])
        for n in range(30):
            version = await writer.append(draft(f"t{n}", "c"), 0)
            (record,) = [each async for batch in reader.read([f"claw.task.t{n}.>"]) for each in batch]
            assert record.seq == version
        async with asyncio.timeout(5):
            await follower.caught_up()
        await follower.aclose()


async def test_rule_3_a_leader_that_steps_down_loses_and_doubles_nothing(cluster: Cluster, user: str) -> None:
    async with await connect(cluster.url(user), "test") as log, await connect(cluster.url(user), "reader") as reader:
        follower = await reader.follow(ALL, after=0)
        acknowledged = await _write_while(log, lambda: _step_down(log), times=3)
        await _check(log, follower, acknowledged)


async def test_rule_3_a_killed_leader_loses_and_doubles_nothing(cluster: Cluster, user: str) -> None:
    async with await connect(cluster.url(user), "test") as log, await connect(cluster.url(user), "reader") as reader:
        follower = await reader.follow(ALL, after=0)

        async def kill_leader() -> None:
            name = await leader_of(log)
            victim = next(server for server in cluster.servers if server.name == name)
            victim.kill()
            await victim.restart()

        acknowledged = await _write_while(log, kill_leader, times=1)
        await _check(log, follower, acknowledged)


async def test_streams_that_were_stored_once_are_stored_three_times(cluster: Cluster, user: str) -> None:
    async with await connect(cluster.url(user), "test") as log:
        kept = [draft(f"t{number}", f"c{number}") for number in range(20)]
        await log.append_many([(each, 0) for each in kept])
        for name in RAISED:  # as another tool may have restored them
            config = (await call(log.connection, f"STREAM.INFO.{name}"))["config"]
            await call(log.connection, f"STREAM.UPDATE.{name}", config | {"num_replicas": 1})
    async with await connect(cluster.url(user), "test") as log:
        for name in RAISED:
            assert (await call(log.connection, f"STREAM.INFO.{name}"))["config"]["num_replicas"] == 3, name
        assert len(await read_all(log)) == len(kept)


async def test_one_server_becomes_three_by_a_backup_and_its_first_machine_may_die(
    cluster: Cluster, user: str, nats_url: str, tmp_path: Path
) -> None:
    async with await open_log(nats_url) as one:
        await one.append_many([(draft(f"t{number}", f"c{number}"), 0) for number in range(200)])
        made = await make_backup(one.connection, tmp_path, digests=dict)
        before = await read_in_the_end(one)
    async with await Connection.open(cluster.url(user)) as connection:
        with BackupReader(made.path) as reader:
            await restore_streams(connection, reader, checked_backup(reader))
    async with await connect(cluster.url(user), "test") as log:
        await until(lambda: is_whole(log), "three servers have all of the log", 20.0)
        cluster.servers[0].kill()
        try:
            async with asyncio.timeout(30):
                assert await read_in_the_end(log) == before
                await log.append(draft("after", "c"), 0)
        finally:
            await cluster.servers[0].restart()


@pytest.mark.soak  # servers are given up only after ten seconds
async def test_it_is_known_which_server_may_stop(cluster: Cluster, user: str) -> None:
    async with await connect(cluster.servers[0].url(user), "test") as log:
        report = await reported(log, lambda report: len(report.safe_to_stop) == 3)
        assert {stream for peer in report.servers for stream in peer.leads} == {each.stream for each in report.streams}
        cluster.servers[2].kill()
        try:
            report = await reported(log, lambda report: not report.problem and not report.safe_to_stop)
            assert "n2 is away" in report.text
            cluster.servers[1].kill()
            report = await reported(log, lambda report: bool(report.problem))
            assert report.safe_to_stop == ()
        finally:
            await cluster.servers[1].restart()
            await cluster.servers[2].restart()
        await reported(log, lambda report: len(report.safe_to_stop) == 3)


async def reported(log: JetStreamLog, is_so: Callable[[ServersReport], bool]) -> ServersReport:
    """The first report of which that is true."""
    async with asyncio.timeout(40):
        while True:
            with contextlib.suppress(Unavailable):
                if is_so(report := await ask_servers(log.connection)):
                    return report
            await asyncio.sleep(0.2)


async def read_in_the_end(log: JetStreamLog) -> list[tuple[str, bytes]]:
    """Where the machine that died led all three, nobody gives out readers until another leads."""
    while True:
        try:
            return [(record.subject, record.body) for record in await read_all(log)]
        except Unavailable:
            await asyncio.sleep(0.2)


async def is_whole(log: JetStreamLog) -> bool:
    """Three servers have all of the log."""
    copies = (await call(log.connection, "STREAM.INFO.CLAW_EVENTS"))["cluster"]["replicas"]
    return len(copies) == 2 and all(copy["current"] for copy in copies)


async def test_who_knows_one_server_finds_the_others(cluster: Cluster, user: str) -> None:
    async with await connect(cluster.servers[2].url(user), "test") as log:
        await log.append(draft("a", "c1"), 0)
        cluster.servers[2].kill()
        try:
            async with asyncio.timeout(20):
                await log.append(draft("b", "c2"), 0)
        finally:
            await cluster.servers[2].restart()


async def _step_down(log: JetStreamLog) -> None:
    await call(log.connection, "STREAM.LEADER.STEPDOWN.CLAW_EVENTS")


async def _write_while(log: JetStreamLog, disturb, times: int) -> dict[str, int]:  # type: ignore[no-untyped-def]
    """What 40 writers got acknowledged while the cluster was disturbed; they go on until each disturbance is over."""
    acknowledged: dict[str, int] = {}
    more, stop = asyncio.Condition(), asyncio.Event()

    async def write(name: int) -> None:
        number = 0
        while not stop.is_set():
            commit = f"{name}-{number}"
            acknowledged[commit] = await log.append(draft(commit, commit), 0)
            number += 1
            async with more:
                more.notify_all()

    async def goes_on(count: int) -> None:
        goal = len(acknowledged) + count
        async with asyncio.timeout(30), more:
            await more.wait_for(lambda: len(acknowledged) >= goal)

    writing = [asyncio.ensure_future(write(name)) for name in range(40)]
    for _ in range(times):
        await goes_on(200)
        while True:
            try:
                await disturb()
                break
            except EventLogError:
                await asyncio.sleep(0.1)
        await goes_on(200)
    stop.set()
    async with asyncio.timeout(30):
        await asyncio.gather(*writing)
    return acknowledged


async def _check(log: JetStreamLog, follower, acknowledged: dict[str, int]) -> None:  # type: ignore[no-untyped-def]
    stored = await read_all(log)
    assert {record.commit: record.seq for record in stored} == acknowledged
    assert len(stored) == len(acknowledged)
    seen: list[Record] = []
    async with asyncio.timeout(30):
        while len(seen) < len(stored):
            seen += await anext(follower)
    assert seen == stored
    await follower.aclose()
