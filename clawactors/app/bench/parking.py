"""Tasks that sleep: how many wake a second, and the memory of a node that one costs while it is parked."""

import asyncio
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
import psutil

from clawactors.app.bench.figures import Figure
from clawactors.app.bench.scene import Scene
from clawactors.app.bench.skills import nap, noop
from clawactors.runtime.client import ClusterClient, Ref
from clawactors.systems.skills import Skill

__all__ = ["wake_rate"]

_WARM_UP: Final = 100
_PARKED_A_SECOND: Final = 400
"""So many tasks park a second at least, also on a slow machine: they sleep until all of them are parked."""
_SETTLE_S: Final = 1.0
_LOOK_AGAIN_S: Final = 0.2


async def wake_rate(scene: Scene, n: int | None) -> Figure:
    """Tasks that are all parked at once and wake together; then as many that sleep for 1 s each, and plain ones.

    The memory comes first: a process keeps what it once had.
    """
    n, client = n or 10_000, scene.client
    [pid] = scene.cluster.run.pids.nodes.values()
    client.skills.add([nap.offer, noop.offer])
    for skill in (noop, nap):
        await _results(await _submit(client, skill, {}, min(n, _WARM_UP)))
    await asyncio.sleep(_SETTLE_S)
    before = _own_bytes(pid)
    until_s = time.time() + n / _PARKED_A_SECOND + _SETTLE_S
    refs = await _submit(client, nap, {"until_s": until_s}, n)
    parked = await _most_parked(client, n, until_s)
    bytes_each = round((_own_bytes(pid) - before) / parked)
    together_per_s = await _ends_a_second(client, refs)
    per_s = await _ends_a_second(client, await _submit(client, nap, {}, n))
    plain_per_s = await _ends_a_second(client, await _submit(client, noop, {}, n))
    return Figure(
        name="parking",
        n=n,
        per_s=per_s,
        limit_per_s=plain_per_s,
        conditions=scene.conditions(
            skill="sleeps 1 s",
            limit="as many plain tasks, from the first end to the last",
            parked_at_once=parked,
            woken_together_per_s=round(together_per_s),
            node_mb=round(before / 1e6, 1),
            bytes_a_parked_task=bytes_each,
        ),
    )


async def _submit(client: ClusterClient, skill: Skill, params: Mapping[str, Any], n: int) -> list[Ref]:
    return await asyncio.gather(*(client.submit(skill.name, params) for _ in range(n)))


async def _results(refs: list[Ref]) -> None:
    await asyncio.gather(*(ref.result() for ref in refs))


async def _ends_a_second(client: ClusterClient, refs: list[Ref]) -> float:
    """Awaits all results; how many tasks ended a second, from the first one to the last as their rows have it."""
    await _results(refs)
    ids = {ref.id for ref in refs}
    ends = [
        datetime.fromisoformat(row.completed_at)
        async for row in client.each_task(status="completed")
        if row.id in ids and row.completed_at
    ]
    if len(ends) != len(refs):
        raise RuntimeError(f"{len(refs) - len(ends)} of {len(refs)} tasks have no end in the list")
    return len(ends) / max((max(ends) - min(ends)).total_seconds(), 1e-3)


async def _most_parked(client: ClusterClient, n: int, until_s: float) -> int:
    """Returns once n tasks wait, or shortly before they wake: how many wait then."""
    while True:
        counts = msgspec.json.decode(await client.ask("status", {"fresh": True}))["tasks"]
        if counts.get("waiting", 0) == n or (time.time() > until_s - _SETTLE_S and counts.get("waiting", 0)):
            return int(counts["waiting"])
        await asyncio.sleep(_LOOK_AGAIN_S)


def _own_bytes(pid: int) -> int:
    """Memory that only this process has."""
    return int(psutil.Process(pid).memory_full_info().uss)
