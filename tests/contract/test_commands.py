"""The queue of commands on a real server: taken in order, again when not done, kept when it can't be used."""

import asyncio

import pytest

from clawactors.eventlog import Record, Unavailable
from clawactors.eventlog.jetstream import Connection, JetStreamCommands, JetStreamLog
from clawactors.eventlog.jetstream.stores import commands
from clawactors.eventlog.jetstream.wire.api import call

pytestmark = pytest.mark.nats

SUBJECT = "claw.cmd.task.t1"


@pytest.fixture
async def connection(jetstream_log: JetStreamLog) -> Connection:
    return jetstream_log.connection


async def publish(connection: Connection, *bodies: bytes) -> None:
    for body in bodies:
        await connection.ask(SUBJECT, body)


async def taken(queue: JetStreamCommands, count: int) -> list[Record]:
    records: list[Record] = []
    async with asyncio.timeout(30):
        while len(records) < count:
            records += await queue.take(1)
    return records


async def left(connection: Connection) -> int:
    return int((await call(connection, "STREAM.INFO.CLAW_COMMANDS"))["state"]["messages"])


async def until_left(connection: Connection, count: int) -> None:
    async with asyncio.timeout(30):
        while await left(connection) != count:
            pass


async def test_commands_are_taken_in_order_and_gone_when_done(connection: Connection) -> None:
    queue = JetStreamCommands(connection)
    assert await queue.take(0.1) == []
    bodies = [b"%d" % number for number in range(300)]
    await publish(connection, *bodies)
    records = await taken(queue, 300)
    assert [record.body for record in records] == bodies
    assert [record.seq for record in records] == list(range(1, 301))
    assert {record.subject for record in records} == {SUBJECT}
    assert await left(connection) == 300
    queue.done(record.seq for record in records)
    await until_left(connection, 0)
    waiting = asyncio.create_task(taken(queue, 1))
    await publish(connection, b"late")
    assert (await waiting)[0].body == b"late"


async def test_what_is_not_done_comes_again_to_another(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "ACK_WAIT_S", 1)
    first, second = JetStreamCommands(connection), JetStreamCommands(connection)
    await publish(connection, b"a", b"b")
    records = await taken(first, 2)
    first.done([records[0].seq])
    assert [record.seq for record in await taken(second, 1)] == [records[1].seq]
    second.done([records[1].seq])
    await until_left(connection, 0)


async def test_what_can_not_be_used_is_kept_once(connection: Connection) -> None:
    queue = JetStreamCommands(connection)
    await publish(connection, b"nonsense")
    [record] = await taken(queue, 1)
    for _ in range(2):
        await queue.bury(record, "it is nonsense")
    state = (await call(connection, "STREAM.INFO.CLAW_DEAD"))["state"]
    assert state["messages"] == 1


async def test_a_queue_that_was_made_anew_is_another_one(connection: Connection) -> None:
    queue = JetStreamCommands(connection)
    await publish(connection, b"a")
    await taken(queue, 1)
    before = queue.identity
    config = (await call(connection, "STREAM.INFO.CLAW_COMMANDS"))["config"]
    await call(connection, "STREAM.DELETE.CLAW_COMMANDS")
    await call(connection, "STREAM.CREATE.CLAW_COMMANDS", config)
    await publish(connection, b"b")
    async with asyncio.timeout(30):
        records: list[Record] = []
        while not records:
            try:
                records = await queue.take(1)
            except Unavailable:
                continue
    assert [record.body for record in records] == [b"b"]
    assert queue.identity != before
