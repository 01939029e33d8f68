"""A cluster of two releases: an upgrade process by process, and what an older control process leaves alone.

The older release is this one without the events that it does not know.
"""

import asyncio
import functools
import operator
from typing import Any

import pytest
from msgspec.structs import replace

from clawactors import Refused, Task, skill
from clawactors.eventlog.codec import Codec
from clawactors.kernel.kind import Kinds
from clawactors.kinds import KINDS
from clawactors.runtime.control import Control
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.kind import TASKS
from clawactors.testing.inprocess import InProcessCluster

PATIENCE_S = 10.0
NEW = ("task.approval_asked", "task.approval_answered", "task.approval_withdrawn")


def older() -> Kinds:
    members: tuple[Any, ...] = e.TaskEvent.__value__.__args__ if hasattr(e.TaskEvent, "__value__") else ()
    known = [member for member in members if member.__struct_config__.tag not in NEW]
    tasks = replace(TASKS, codec=Codec(functools.reduce(operator.or_, known)))
    return Kinds(tasks if kind is TASKS else kind for kind in KINDS)


@skill("steps")
async def steps(task: Task, n: int) -> int:
    for number in range(n):
        await task.step(f"s{number}", str, number)
    return n


@skill("asks")
async def asks(task: Task) -> str:
    answer = await task.approve("may it?", name="go")
    return "yes" if answer.approved else "no"


async def control_of(cluster: InProcessCluster, kinds: Kinds) -> tuple[str, Control]:
    cluster.kinds = kinds
    before = set(cluster.controls)
    control = await cluster.control()
    (name,) = set(cluster.controls) - before
    return name, control


async def leads(control: Control) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not control.leadership.leading:  # noqa: ASYNC110 # a lease has no event
            await asyncio.sleep(0.005)


async def end(cluster: InProcessCluster, name: str) -> None:
    link = cluster.links[name]
    del cluster.controls[name]
    await cluster.kill(name)
    await link.expire()


async def status(client: Any, id: str, wanted: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while (await client.task(id)).status != wanted:  # noqa: ASYNC110 # it is what a client sees
            await asyncio.sleep(0.005)


async def test_control_first_then_nodes_loses_nothing() -> None:
    async with InProcessCluster() as cluster:
        old, control = await control_of(cluster, older())
        await leads(control)
        await cluster.node("n1", [steps, asks])
        client = cluster.client()
        before = await client.submit("steps", {"n": 3}, id="before")
        assert await before.result(timeout_s=PATIENCE_S) == 3
        _, control = await control_of(cluster, KINDS)
        across = await client.submit("steps", {"n": 20}, id="across")
        await end(cluster, old)
        await leads(control)
        assert await across.result(timeout_s=PATIENCE_S) == 20
        asked = await client.submit("asks", id="asked")
        await status(client, "asked", "waiting")
        await client.approve("asked", "go")
        assert await asked.result(timeout_s=PATIENCE_S) == "yes"
        assert (await client.task("before")).result == 3


async def test_an_older_control_process_harms_nothing_that_it_does_not_know() -> None:
    async with InProcessCluster() as cluster:
        new, control = await control_of(cluster, KINDS)
        await leads(control)
        await cluster.node("n1", [steps, asks])
        client = cluster.client()
        asked = await client.submit("asks", id="asked")
        await status(client, "asked", "waiting")
        version = (await client.task("asked")).version
        old, control = await control_of(cluster, older())
        await end(cluster, new)
        await leads(control)
        with pytest.raises(Refused, match=r"newer release|later release"):
            await client.cancel("asked")
        other = await client.submit("steps", {"n": 2}, id="other")
        assert await other.result(timeout_s=PATIENCE_S) == 2
        _, control = await control_of(cluster, KINDS)
        await end(cluster, old)
        await leads(control)
        assert (await client.task("asked")).version == version, "nothing was appended meanwhile"
        await client.approve("asked", "go")
        assert await asked.result(timeout_s=PATIENCE_S) == "yes"
