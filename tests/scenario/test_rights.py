"""A cluster whose processes have the rights of their roles and no more does all that tasks ask for, refused nothing."""

import asyncio
import shlex
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from clawactors import TaskFailed
from clawactors.app.client import Client
from clawactors.eventlog import PermissionDenied
from clawactors.runtime.questions import read_log_end
from tests.scenario.claw import ROOT
from tests.scenario.held import HeldCluster, accounts, held_cluster
from tests.scenario.system import signal_pid
from tests.servers import NatsServer
from tests.waiting import until

PATIENCE_S = 60
WORKER = shlex.join([sys.executable, str(Path(ROOT, "tests", "clawactors", "runtime", "workers", "raw.py")), "well"])

pytestmark = pytest.mark.nats


@pytest.fixture
async def cluster(own_server: Callable[..., NatsServer], tmp_path: Path) -> AsyncIterator[HeldCluster]:
    async with held_cluster(
        own_server(accounts()), tmp_path, "c1", "c2", "memory", "n1", "n2", workers=(WORKER,)
    ) as held:
        yield held


async def everything(ada: Client, number: int) -> None:
    """A task that uses all that there is."""
    ref = await ada.submit("uses-everything", {"large": "xyz" * 100_000})
    await ref.signal("go", number)

    async def asks() -> bool:
        return bool((await ref.snapshot()).state.life.approvals)

    await until(asks, "it asks for approval")
    await ref.approve()
    result = await ref.result(PATIENCE_S)
    assert len(result.pop("text")) == 300_000
    assert "the blue door opens at noon" in result.pop("found")
    assert result == {
        "word": number,
        "approved": True,
        "read": 300_000,
        "children": [40, 1, 2, 3],
    }
    assert [chunk.value async for chunk in ref.stream()] == ["half"]
    assert {chunk.value["text"] async for chunk in ref.stream("log")} == {"begins\n"}
    assert len(await ada.history(ref.id)) > 10


async def answers_and_is_cancelled(ada: Client) -> None:
    ref = await ada.submit("waits-for-word")
    assert await ref.ask("how") == "well"
    await ref.cancel()
    with pytest.raises(TaskFailed, match="cancelled"):
        await ref.result(PATIENCE_S)


async def node_of(ada: Client, id: str) -> str:
    """The node that runs the task, once one does."""
    found = ""

    async def runs() -> bool:
        nonlocal found
        life = (await ada.snapshot(id)).state.life
        found = life.node if life.status == "running" and life.steps_completed else ""
        return bool(found)

    await until(runs, f"{id} runs")
    return found


async def test_all_that_tasks_ask_for_needs_no_right_but_those_of_the_tables(cluster: HeldCluster) -> None:
    async with cluster.client("ada") as ada:
        await asyncio.gather(*(everything(ada, number) for number in range(2)), answers_and_is_cancelled(ada))
        retried, odd = await ada.submit("fails-once"), await ada.submit("odd")
        assert [await each.result(PATIENCE_S) for each in (retried, odd)] == [2, "survived"]
        assert await ada.remember("the red door is shut")
        held = await ada.submit("holds-its-slot")
        lost = await node_of(ada, held.id)
        signal_pid(cluster.children[lost].pid, signal.SIGKILL)
        assert await held.result(PATIENCE_S) == 2
        leader = ((await read_log_end(ada.questions)).leader or "").rpartition("/")[2]
        signal_pid(cluster.children[leader].pid, signal.SIGKILL)
        assert await (await ada.submit("fails-once")).result(PATIENCE_S) == 2
        [left] = {"n1", "n2"} - {lost}
        waits = await ada.submit("waits-for-word")
        await until(lambda: _waits(ada, waits.id), "it waits")
        async with cluster.client("admin") as admin:
            await admin.drain(left)
        await cluster.children[left].stop()
        await cluster.start(lost)
        await waits.signal("go", "on")
        assert await waits.result(PATIENCE_S) == "on"
        await reads(cluster, waits.id)
    assert cluster.violations() == []
    async with cluster.client("eve") as eve:
        with pytest.raises(PermissionDenied):
            await eve.submit("fails-once")
    assert cluster.violations()


async def reads(cluster: HeldCluster, id: str) -> None:
    """An observer sees what there is."""
    async with cluster.client("eve") as eve:
        assert await eve.ref(id).result(PATIENCE_S) == "on"
        assert len(await eve.history(id)) > 3
        assert [chunk async for chunk in eve.ref(id).stream("log")] == []
        assert (await eve.status()).tasks["completed"] > 5
        assert isinstance(await eve.recall("which door is shut?"), list)


async def _waits(ada: Client, id: str) -> bool:
    return (await ada.snapshot(id)).state.life.status == "waiting"
