"""Dead letters, the server's advisories, and live records, against a real server."""

import asyncio

import pytest

from clawactors.eventlog import Record, Unavailable
from clawactors.eventlog.jetstream import Connection, Disconnects, JetStreamDeadLetters, JetStreamLog
from clawactors.eventlog.jetstream.wire.api import call, check, message_at
from tests.servers import NatsServer

pytestmark = pytest.mark.nats


async def test_a_bad_record_is_kept_once_with_where_it_came_from_and_why(jetstream_log: JetStreamLog) -> None:
    letters = JetStreamDeadLetters(jetstream_log.connection, jetstream_log.identity)
    bad = Record(7, 1, "claw.task.x.log", b"\x00garbage")
    await letters.copy(bad, "no\r\ncommit")
    await letters.copy(bad, "seen by another reader")
    await letters.copy(Record(8, 1, "odd subject", b""), "x" * 10_000)
    await letters.copy(Record(9, 1, "claw.task.x.log", b"x" * (1 << 20)), "large")
    state = (await call(jetstream_log.connection, "STREAM.INFO.CLAW_DEAD"))["state"]
    assert state["messages"] == 3
    first = await message_at(jetstream_log.connection, "CLAW_DEAD", 1)
    assert first is not None
    kept = Record(1, 0, first.subject, first.data, first.hdrs)
    assert (kept.subject, kept.body) == ("claw.dead.task", b"\x00garbage")
    assert [kept.header(f"Claw-{name}") for name in ("Subject", "Seq", "Reason")] == [
        "claw.task.x.log",
        "7",
        "no commit",
    ]
    second = await message_at(jetstream_log.connection, "CLAW_DEAD", 2)
    assert second is not None
    assert second.subject == "claw.dead.unknown"


async def test_the_server_tells_whose_connection_has_ended(nats_server: NatsServer, nats_url: str) -> None:
    gone: asyncio.Queue[str] = asyncio.Queue()
    async with await Disconnects.open(nats_server.url("sys"), gone.put_nowait):
        connection = await Connection.open(nats_url, "claw-node/n1/inc7")
        await connection.aclose()
        async with asyncio.timeout(5):
            while await gone.get() != "claw-node/n1/inc7":
                pass


def test_a_cluster_that_has_lost_most_of_its_servers_is_told_as_that() -> None:
    error = b'{"error": {"code": 503, "err_code": 10008, "description": "JetStream system temporarily unavailable"}}'
    with pytest.raises(Unavailable, match=r"most servers of the cluster are away.*start those that are down"):
        check("$JS.API.INFO", error)
