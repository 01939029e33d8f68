"""What processes cost and how soon the death of one is made good."""

import asyncio
import os
import signal
import time
from typing import Final

import msgspec
import psutil

from clawactors.app.bench.figures import Figure, percentile
from clawactors.app.bench.scene import Scene
from clawactors.app.bench.skills import spin
from clawactors.eventlog import aggregate_pattern
from clawactors.runtime.client import ClusterClient
from clawactors.runtime.naming import new_id
from clawactors.systems.tasks import events as e

__all__ = ["idle", "recovery"]

_SETTLE_S: Final = 2.0
_IDLE_S: Final = 15.0


async def recovery(scene: Scene, n: int | None) -> Figure:
    """From the kill -9 of a node to the next step of its task on record, on another node."""
    n = n or 10
    took_s = [await _kill_once(scene) for _ in range(n)]
    return Figure(
        name="recovery",
        n=n,
        p50_ms=percentile(took_s, 0.5) * 1e3,
        p99_ms=percentile(took_s, 0.99) * 1e3,
        conditions=scene.conditions(from_="kill -9", to="running elsewhere", worst_ms=round(max(took_s) * 1e3, 1)),
    )


async def _kill_once(scene: Scene) -> float:
    client, nodes = scene.client, scene.cluster.nodes
    id = f"bench-{new_id()}"
    following = await scene.log.follow([aggregate_pattern("task", id)])
    await client.submit(spin.name, {"steps": 100_000, "seconds": 0.01}, id=id)
    killed_s, seen, attempt, node, victim = 0.0, 0, 0, "", ""
    async for batch in following:
        for record in batch:
            for event in e.CODEC.decode(record.body):
                match event:
                    case e.Scheduled():
                        node, attempt = event.node, event.attempt
                    case e.StepCompleted() if not killed_s:
                        seen += 1
                        if seen == 20:
                            victim = node
                            killed_s = time.perf_counter()
                            os.kill(nodes[victim].pid, signal.SIGKILL)
                    case e.Started() if killed_s and attempt > 1:
                        took_s = time.perf_counter() - killed_s
                        await following.aclose()
                        await _end(client, id)
                        await _alive(scene, victim)
                        return took_s
    raise RuntimeError("the log ended")


async def _end(client: ClusterClient, id: str) -> None:
    await client.cancel(id)
    async for _ in client.ended((id,)):
        pass


async def _alive(scene: Scene, id: str) -> None:
    """Returns when the killed node is back."""
    while True:
        answer = msgspec.json.decode(await scene.client.ask("node", {"id": id, "fresh": True}))
        if answer["row"]["status"] == "online":
            return
        await asyncio.sleep(0.1)


async def idle(scene: Scene, n: int | None) -> Figure:
    """CPU of all processes of a cluster that has nothing to do, and the memory of a node."""
    pids = scene.cluster.run.pids
    processes = [psutil.Process(pid) for pid in (*pids.here, os.getpid())]
    await asyncio.sleep(_SETTLE_S)
    before = sum(sum(process.cpu_times()[:2]) for process in processes)
    await asyncio.sleep(_IDLE_S)
    used_s = sum(sum(process.cpu_times()[:2]) for process in processes) - before
    node_mb = max(psutil.Process(pid).memory_info().rss for pid in pids.nodes.values()) / 1e6
    return Figure(
        name="idle",
        n=len(processes),
        conditions=scene.conditions(
            seconds=_IDLE_S, percent_of_a_core=round(used_s / _IDLE_S * 100, 2), node_mb=round(node_mb, 1)
        ),
    )
