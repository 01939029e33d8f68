"""Adding a system edits two lists beside its own files: a toy system works on both logs, and replay is equal."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from clawactors.app import client as app
from clawactors.app.discovery import discover
from clawactors.app.processes.control import serve
from clawactors.app.processes.start import ControlStart
from clawactors.eventlog import EventLog
from clawactors.eventlog.jetstream import Address, JetStreamLog
from clawactors.kernel.errors import Refused
from clawactors.kinds import KINDS as OURS
from clawactors.projections.engine.digest import store_digest
from clawactors.projections.engine.replay import replay
from clawactors.projections.live import LiveViews, live_store
from clawactors.runtime.client import ClusterClient
from tests.clawactors.runtime.cluster import Cluster
from tests.toy.counters.kind import RaiseRequest, ResetRequest
from tests.toy.lists import CLUSTER, KINDS

PATIENCE_S = 20.0


async def use(client: ClusterClient) -> None:
    """What a client does with counters; the last one stands at 5 after 3 commits."""
    sender = client.sender
    async with asyncio.timeout(PATIENCE_S):
        raised = await sender.ask("counter", "c1", RaiseRequest(amount=3, id="k1"), state=True)
        assert msgspec.json.decode(raised.state)["value"] == 3
        again = await sender.ask("counter", "c1", RaiseRequest(amount=3, id="k1"))
        assert (again.version, again.changed) == (raised.version, True), "the same command takes effect once"
        await sender.ask("counter", "c1", ResetRequest(id="k2"))
        last, *_ = await asyncio.gather(*(sender.ask("counter", "c1", RaiseRequest(id=f"r{n}")) for n in range(5)))
        assert last.version > raised.version
        with pytest.raises(Refused, match="the counter is at 5, and 1000 is the most"):
            await sender.ask("counter", "c1", RaiseRequest(amount=996, id="k3"))


async def is_equal(log: EventLog, views: Path, folder: Path) -> None:
    """A replay of the log makes the rows that the live views have."""
    store = live_store(views, CLUSTER)
    try:
        live = store_digest(store, CLUSTER)
    finally:
        store.close()
    assert (await replay(log, folder, CLUSTER)).digest == live.digest


@asynccontextmanager
async def views_of(log: EventLog, folder: Path) -> AsyncIterator[LiveViews]:
    views = await LiveViews.open(log, folder, CLUSTER, heartbeat=lambda _: None, now_ns=lambda: 0, gather_s=0)
    serving = asyncio.create_task(views.serve())
    try:
        yield views
    finally:
        serving.cancel()
        await asyncio.wait([serving])
        await views.aclose()


async def test_a_toy_system_is_decided_shown_and_replayed_in_one_process(tmp_path: Path) -> None:
    async with Cluster(kinds=KINDS) as cluster:
        async with views_of(cluster.log, tmp_path / "views") as views:
            await cluster.control("control/0", views)
            await use(cluster.client())
            question = msgspec.json.encode({"id": "c1", "fresh": True})
            answer = msgspec.json.decode(await views.answer("counter", question))
            assert answer["row"]["value"] == 5
            missing = msgspec.json.decode(await views.answer("counter", b'{"id": "c2"}'))
            assert missing["error"]["code"] == "not_found"
            await cluster.kill("control/0")
        await is_equal(cluster.log, tmp_path / "views", tmp_path / "replayed")


@pytest.mark.nats
async def test_a_toy_system_is_decided_shown_and_replayed_on_a_server(nats_url: str, tmp_path: Path) -> None:
    ready = asyncio.Event()
    start = ControlStart(address=Address.of(nats_url), data=str(tmp_path), name="c")
    control = asyncio.create_task(serve(start, ready.set, KINDS, CLUSTER))
    try:
        async with asyncio.timeout(PATIENCE_S):
            await ready.wait()
            async with app.Client.of(discover(nats_url), user="ada") as client:
                await use(client)
                await client.connection.ask("claw.cmd.counter.c1", b'{"type": "counter.raise", "amount": 2}')
                row: dict[str, Any] = {}
                while row.get("value") != 7:
                    answer = await client.ask("counter", {"id": "c1", "fresh": True})
                    row = msgspec.json.decode(answer)["row"]
            async with await JetStreamLog.connect(nats_url, "test", kinds=KINDS.names) as log:
                await stop(control)
                await is_equal(log, tmp_path / "views", tmp_path / "replayed")
    finally:
        await stop(control)


async def stop(process: asyncio.Task[None]) -> None:
    process.cancel()
    await asyncio.wait([process])


def test_the_toy_is_in_no_list_of_ours() -> None:
    assert "counter" not in OURS
    assert "counter" in KINDS
