"""Long steps: a node speaks for what it runs; code that asks for a tighter watch has to show that it lives."""

import asyncio
import threading
from typing import Any

import pytest

from clawactors.runtime.clock import SystemClock
from clawactors.runtime.node import signs
from clawactors.runtime.node.context import TaskContext
from clawactors.runtime.node.synccontext import SyncTaskContext
from clawactors.systems.placement.silence import Silence
from clawactors.systems.skills import skill
from clawactors.systems.tasks import TaskStatus
from clawactors.systems.tasks.retry import Retry
from tests.clawactors.runtime.cluster import PATIENCE_S, Cluster, WallClock

NOW_S = 1_700_000_000.0


@skill("echo")
async def echo(task: Any, text: str = "") -> str:
    return text


async def test_a_long_step_in_a_live_node_is_alive_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signs, "SIGN_S", 0.01)
    clock, go = WallClock(NOW_S), asyncio.Event()

    @skill("long")
    async def long(task: Any) -> int:
        await task.step("wait", go.wait)
        attempt: int = task.attempt
        return attempt

    async with Cluster(clock) as cluster:
        control = await cluster.control()
        await cluster.node("n1", [long, echo])
        client = cluster.client()
        await client.submit("long", id="t")
        await cluster.until_status("t", "running")
        heard = asyncio.Event()
        await cluster.requests.subscribe("claw.alive.n1.t", lambda subject, body: heard.set())
        for number in range(3):
            clock.move(800)
            await client.submit("echo", id=f"a{number}")
            await cluster.until_status(f"a{number}", "completed")
            heard.clear()
            async with asyncio.timeout(5):
                await heard.wait()
        assert control.state.silence.next_check_ns() is not None
        go.set()
        task = await cluster.until_status("t", "completed")
        assert task.life.result == 1


@pytest.mark.parametrize(("node", "silent"), [("n1", False), ("n2", True)])
def test_only_the_node_that_has_an_attempt_keeps_it_alive(node: str, silent: bool) -> None:
    silence, second = Silence(limit_s=10), 1_000_000_000
    life = TaskStatus(status="running", node="n1", attempt=1, updated_ns=second)
    silence.runs("t", life, None)
    silence.heard("t", node, 9 * second)
    assert bool(silence.verdict("t", life, 12 * second)) is silent


def _silent(task: SyncTaskContext, over: threading.Event) -> None:
    for _ in range(3):
        over.wait(0.15)
        task.heartbeat()
    over.wait(PATIENCE_S)


async def test_silent_code_fails_where_its_skill_asks_for_heartbeats() -> None:
    over = threading.Event()

    @skill("silent", heartbeat_s=0.3, retry=Retry(max_retries=0))
    async def silent(task: TaskContext) -> None:
        for _ in range(3):
            await asyncio.sleep(0.15)
            task.heartbeat()
        await asyncio.sleep(PATIENCE_S)

    @skill("silent-thread", heartbeat_s=0.3, retry=Retry(max_retries=0))
    def silent_thread(task: SyncTaskContext) -> None:
        _silent(task, over)

    async with Cluster(SystemClock()) as cluster:
        await cluster.control()
        await cluster.node("n1", [silent, silent_thread])
        try:
            for each in ("silent", "silent-thread"):
                began_s = asyncio.get_running_loop().time()
                await cluster.client().submit(each, id=each, max_retries=0)
                error = (await cluster.until_status(each, "dead", "failed")).life.error
                assert error is not None
                assert (error.kind, "no heartbeat for 0.3 s" in error.message) == ("timeout", True)
                assert asyncio.get_running_loop().time() - began_s > 0.7
        finally:
            over.set()
