"""A mirror follows its cluster, and becomes a cluster when that is gone."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from clawactors.app.datafolder import DataFolder
from clawactors.app.server import NatsServer
from clawactors.app.server.config import ServerLink
from clawactors.app.server.identity import free_port
from clawactors.app.upkeep.mirror import checked_address, mirror_streams, states_of_mirror, take_over
from clawactors.eventlog import Draft, Misconfigured, Record, Unavailable
from clawactors.eventlog.jetstream import Address, JetStreamBlobs, JetStreamLog
from clawactors.kinds import KINDS
from tests.logs import open_log

pytestmark = pytest.mark.nats

VALUE = random.Random(1).randbytes(600_000)


@asynccontextmanager
async def server(folder: Path, link: ServerLink) -> AsyncIterator[NatsServer]:
    """The server of a data folder, while the block lasts."""
    with DataFolder.claim(folder) as claimed:
        started = NatsServer(claimed, link=link)
        await started.start()
        try:
            yield started
        finally:
            await started.stop()


def draft(number: int) -> Draft:
    return Draft("task", f"t{number}", b'{"v":1,"events":[]}', f"c{number}")


def content(records: list[Record]) -> list[tuple[Any, ...]]:
    """What a mirror has in common with its log: all but the guards."""
    return [(each.seq, each.at_ns, each.subject, each.body, each.commit) for each in records]


async def all_of(log: JetStreamLog) -> list[Record]:
    return [record async for batch in log.read(["claw.>"]) for record in batch]


async def is_level(address: Address, last_seq: int) -> None:
    """Returns when the mirror has all."""
    async with asyncio.timeout(30):
        while True:
            with suppress(Unavailable):
                states = {state.stream: state for state in await states_of_mirror(address)}
                there = {"CLAW_EVENTS", "OBJ_claw-blobs"} <= states.keys()
                if there and states["CLAW_EVENTS"].last_seq == last_seq and not any(s.lag for s in states.values()):
                    return
            await asyncio.sleep(0.02)


async def test_a_mirror_goes_on_with_the_log_when_its_cluster_is_gone(tmp_path: Path) -> None:
    at = f"127.0.0.1:{free_port()}"
    async with server(tmp_path / "standby", ServerLink(standby=at)) as standby:
        async with (
            server(tmp_path / "primary", ServerLink(mirror=standby.standby_url)) as primary,
            await open_log(primary.access.address()) as log,
        ):
            await log.append(draft(0), 0)
            name = await JetStreamBlobs(log.connection).put(VALUE)
            keeping = asyncio.create_task(mirror_streams(primary.access.address()))
            await is_level(primary.access.address(), 1)
            versions = await log.append_many([(draft(number), 0) for number in range(1, 200)])
            await is_level(primary.access.address(), 200)
            assert versions == list(range(2, 201))
            with pytest.raises(Misconfigured, match="stop it first"):
                await take_over(standby.access.address())
            before = await all_of(log)
            keeping.cancel()
        with pytest.raises(Misconfigured, match="claw up --take-over"):
            await JetStreamLog.connect(standby.access.address(), "test", kinds=KINDS.names)

    async with server(tmp_path / "standby", ServerLink()) as standby:
        assert (await take_over(standby.access.address()))[-1] == "CLAW_EVENTS", "the log is promoted last"
        async with await open_log(standby.access.address()) as log:
            assert content(await all_of(log)) == content(before)
            assert await JetStreamBlobs(log.connection).get(name) == VALUE
            assert await log.append(draft(0), 1) == 201, "versions go on"
        with pytest.raises(Misconfigured, match="no mirror"):
            await take_over(standby.access.address())


@pytest.mark.parametrize("url", ["", "host", "nats://host:1", "http://u:p@host:1", "nats://u:p@host"])
def test_an_address_that_no_server_could_dial_is_refused(url: str) -> None:
    with pytest.raises(Misconfigured, match="claw up --standby"):
        checked_address(url)
