"""What every store of output keeps, on every adapter."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from clawactors.eventlog import Follower
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
        await outputs.publish("t", "out", b"%d" % number, f"t/{number}")
        await outputs.publish("other", "out", b"x", f"other/{number}")
        await outputs.publish("t", "log", b"y", f"log/{number}")
    async with aclosing(await outputs.follow("t", "out")) as follower:
        said = await first(follower, 5)
        assert [body for _, body in said] == [b"0", b"1", b"2", b"3", b"4"]
        await outputs.publish("t", "out", b"5", "t/5")
        assert [body for _, body in await first(follower, 1)] == [b"5"]
    async with aclosing(await outputs.follow("t", "out", after=said[2][0])) as follower:
        assert [body for _, body in await first(follower, 3)] == [b"3", b"4", b"5"]


async def test_what_is_said_again_under_its_name_is_kept_once(outputs: Outputs) -> None:
    for body in (b"a", b"a", b"b"):
        await outputs.publish("t", "out", body, f"t/{body.decode()}")
    async with aclosing(await outputs.follow("t", "out")) as follower:
        assert [body for _, body in await first(follower, 2)] == [b"a", b"b"]


async def test_the_end_is_known_where_nothing_was_said(outputs: Outputs) -> None:
    await outputs.publish("other", "out", b"x", "x")
    async with aclosing(await outputs.follow("t", "out")) as follower, asyncio.timeout(PATIENCE_S):
        await follower.caught_up()
