"""What every store of output keeps, on every adapter."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from clawactors.eventlog import Follower, Record, writer_of
from clawactors.eventlog.jetstream import JetStreamOutputs
from clawactors.eventlog.outputs import InProcessOutputs, Outputs
from tests.logs import open_log

PATIENCE_S = 15


@pytest.fixture(params=["inprocess", pytest.param("jetstream", marks=pytest.mark.nats)])
async def outputs(request: pytest.FixtureRequest) -> AsyncIterator[Outputs]:
    """An empty store of output."""
    if request.param == "inprocess":
        yield InProcessOutputs()
    else:
        async with await open_log(request.getfixturevalue("nats_url"), "test") as log:
            yield JetStreamOutputs(log.connection)


async def first(follower: Follower, count: int) -> list[tuple[int, bytes]]:
    """That many records, as they come."""
    found: list[tuple[int, bytes]] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(found) < count:
            found += [(record.seq, record.body) for record in await anext(follower)]
    return found


async def test_what_was_said_comes_in_order_and_from_any_place(outputs: Outputs) -> None:
    for number in range(5):
        await outputs.publish("t", "out", "n1", b"%d" % number, f"t/{number}")
        await outputs.publish("other", "out", "n2", b"x", f"other/{number}")
        await outputs.publish("t", "log", "n1", b"y", f"log/{number}")
    async with aclosing(await outputs.follow("t", "out")) as follower:
        said = await first(follower, 5)
        assert [body for _, body in said] == [b"0", b"1", b"2", b"3", b"4"]
        await outputs.publish("t", "out", "n1", b"5", "t/5")
        assert [body for _, body in await first(follower, 1)] == [b"5"]
    async with aclosing(await outputs.follow("t", "out", after=said[2][0])) as follower:
        assert [body for _, body in await first(follower, 3)] == [b"3", b"4", b"5"]


async def test_what_is_said_again_under_its_name_is_kept_once(outputs: Outputs) -> None:
    for body in (b"a", b"a", b"b"):
        await outputs.publish("t", "out", "n1", body, f"t/{body.decode()}")
    async with aclosing(await outputs.follow("t", "out")) as follower:
        assert [body for _, body in await first(follower, 2)] == [b"a", b"b"]


async def test_the_end_is_known_where_nothing_was_said(outputs: Outputs) -> None:
    await outputs.publish("other", "out", "n2", b"x", "x")
    async with aclosing(await outputs.follow("t", "out")) as follower, asyncio.timeout(PATIENCE_S):
        await follower.caught_up()


async def test_each_node_has_a_subject_of_its_own(outputs: Outputs) -> None:
    await outputs.publish("t", "out", "n1", b"1", "t/1")
    await outputs.publish("t", "out", "n2", b"2", "t/2")
    async with aclosing(await outputs.follow("t", "out")) as follower:
        async with asyncio.timeout(PATIENCE_S):
            said: list[Record] = []
            while len(said) < 2:
                said += await anext(follower)
    assert [(record.subject, record.body) for record in said] == [
        ("claw.output.t.out.from.n1", b"1"),
        ("claw.output.t.out.from.n2", b"2"),
    ]
    assert [writer_of(record.subject) for record in said] == ["n1", "n2"]
    assert await outputs.remove(["t"]) == 1
    assert [records async for records in outputs.read()] == []


@pytest.mark.nats
async def test_what_an_earlier_release_stored_is_read_in_its_place(nats_url: str) -> None:
    async with await open_log(nats_url, "test") as log:
        outputs = JetStreamOutputs(log.connection)
        await log.connection.ask("claw.output.t.out", b"old")
        await log.connection.ask("claw.output.t.log", b"another stream")
        await outputs.publish("t", "out", "n1", b"new", "t/1")
        async with aclosing(await outputs.follow("t", "out")) as follower:
            said = [body for _, body in await first(follower, 2)]
            assert said == [b"old", b"new"]
            await log.connection.ask("claw.output.t.out", b"of a node that is not upgraded yet")
            assert [body for _, body in await first(follower, 1)] == [b"of a node that is not upgraded yet"]
        assert await outputs.remove(["t"]) == 1
