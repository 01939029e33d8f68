"""Three servers that replicate, and a cluster of ours at them: one server after the other goes, work goes on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clawactors.app.clusterplan import ClusterPlan
from clawactors.eventlog import Unavailable
from clawactors.eventlog.jetstream import Address
from clawactors.eventlog.jetstream.log import streams
from clawactors.eventlog.jetstream.wire.api import call
from tests import servers
from tests.logs import open_log
from tests.scenario.system import SKILLS, System, running, until

pytestmark = pytest.mark.nats


@pytest.fixture
def three(tmp_path: Path) -> Iterator[servers.Cluster]:
    folder = tmp_path / "servers"
    folder.mkdir()
    three = servers.Cluster(folder, servers.accounts(1))
    try:
        yield three.start()
    finally:
        three.kill()


async def is_elected(url: str) -> bool:
    """True when the servers take clients."""
    try:
        async with await open_log(url, "test"):
            return True
    except Unavailable:
        return False


async def all_are_current(system: System) -> bool:
    """True when each stream is whole on all three servers: only then may the next one go."""
    connection = system.client.connection
    try:
        for name in (streams.EVENTS, streams.LIVE):
            cluster = (await call(connection, f"STREAM.INFO.{name}"))["cluster"]
            if not cluster.get("leader") or not all(replica["current"] for replica in cluster["replicas"]):
                return False
    except Unavailable:
        return False
    return True


async def all_are_completed(system: System) -> bool:
    """What the views say, which follow the log as well as they can."""
    try:
        tasks = (await system.ask("status"))["tasks"]
    except Unavailable:
        return False
    return bool(tasks["completed"] == len(system.submitted))


@pytest.mark.soak
async def test_tasks_go_on_while_one_of_three_servers_is_away(tmp_path: Path, three: servers.Cluster) -> None:
    await until(lambda: is_elected(three.url("t0")), "the servers have elected whoever they need")
    async with running(
        tmp_path, ClusterPlan(nodes=2, slots=5, address=Address.of(three.url("t0")), skills=(SKILLS,))
    ) as system:
        for number, server in enumerate(three.servers):
            await system.submit(20, prefix=f"before-{number}-", steps=4, seconds=0.1)
            server.kill()
            await system.submit(20, prefix=f"meanwhile-{number}-", steps=2, seconds=0.02)
            await until(lambda: all_are_completed(system), "all tasks are completed")
            await server.restart()
            await until(lambda: all_are_current(system), "the server that came back has caught up")
        await system.audit()
        await system.replay_is_equal()
