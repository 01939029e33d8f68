"""When a client leaves a server that is there: one that hangs, is cut off from its cluster, or answers nothing."""

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from clawactors.eventlog import NoResponders
from clawactors.eventlog.jetstream import Connection
from clawactors.eventlog.jetstream.wire import pool
from tests.servers import Cluster, NatsServer
from tests.waiting import until

pytestmark = pytest.mark.nats


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path / "three")
    try:
        yield cluster.start()
    finally:
        cluster.kill()


def server_of(cluster: Cluster, connection: Connection) -> NatsServer:
    return next(server for server in cluster.servers if server.name == connection.server_name)


async def test_a_server_of_three_that_hangs_is_left_within_seconds(three: Cluster) -> None:
    async with await Connection.open(three.url("")) as connection:
        server = server_of(three, connection)
        lost = asyncio.Event()
        connection.on_lost.append(lost.set)
        server.freeze()
        try:
            async with asyncio.timeout(3 * pool.PING_AMONG_MANY_S + 3):
                await lost.wait()
            await connection.wait_online(5)
            assert connection.server_name != server.name
        finally:
            server.signal(signal.SIGCONT)


async def test_a_server_that_sees_no_other_any_more_is_left_and_the_last_one_is_not(three: Cluster) -> None:
    async with await Connection.open(three.url("")) as connection:
        stayed = server_of(three, connection)
        info = connection._client.server_info
        await connection._client._process_info(info | {"connect_urls": info["connect_urls"][:1]})
        await until(lambda: connection.online and connection.server_name != stayed.name, "it has moved", 10)
        left = server_of(three, connection)
        for server in three.servers:
            if server is not left:
                server.kill()
        await until(lambda: server_of(three, connection) is left and connection.online, "the last one is used", 20)


async def test_a_server_that_answers_nothing_for_long_is_left(three: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "UNANSWERED_S", 0.2)
    async with await Connection.open(three.url("")) as connection:
        server = server_of(three, connection)
        lost = asyncio.Event()
        connection.on_lost.append(lost.set)
        while not lost.is_set():
            with contextlib.suppress(NoResponders):
                await connection.ask("claw.nobody")
            await asyncio.sleep(0.02)
        await connection.wait_online(5)
        assert connection.server_name != server.name


async def test_the_only_server_is_never_left(nats_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "UNANSWERED_S", 0.0)
    async with await Connection.open(nats_url) as connection:
        for _ in range(3):
            with pytest.raises(NoResponders):
                await connection.ask("claw.nobody")
        assert connection.online
        assert connection._client.options["ping_interval"] == pool.PING_S
