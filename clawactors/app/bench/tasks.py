"""Whole tasks through the real processes, by the calls that users write: throughput and latency."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

from clawactors.app.bench.figures import Figure, percentile
from clawactors.app.bench.scene import Scene
from clawactors.app.bench.skills import fan, noop, steps
from clawactors.eventlog.measure import measure_appends, measure_single_appends
from clawactors.runtime.client.client import ClusterClient
from clawactors.runtime.client.submitting import TaskRequest
from clawactors.runtime.naming import new_id
from clawactors.systems.skills import Skill
from clawactors.systems.tasks.submission import spec_of

__all__ = ["awaited_rate", "child_rate", "latency", "read_states", "run_all", "step_rate", "task_rate"]

_APPENDS_A_TASK: Final = 2
_STEPS_A_TASK: Final = 5
_WARM_UP: Final = 1000
_ROUNDS: Final = 9


async def run_all(client: ClusterClient, skill: Skill, params: Mapping[str, Any], n: int) -> float:
    """Seconds from the first submit of one batch to the end of its last task."""
    run = new_id()
    requests = [TaskRequest(f"{run}-{number}", spec_of(skill.name, params)) for number in range(n)]
    client.skills.add([skill.offer])
    begin = time.perf_counter()
    batch = await client.submit_many(requests)
    if batch.submitted != n:
        raise RuntimeError(f"only {batch.submitted} of {n} tasks were submitted: {batch.refused[:3]}")
    async for _ in client.ended(request.id for request in requests):
        pass
    return time.perf_counter() - begin


async def _limit(scene: Scene) -> float:
    """Appends a second that a log takes from one process, batched and guarded as in real life."""
    async with scene.bare_log() as log:
        return (await measure_appends(log, 20_000)).per_s


async def task_rate(scene: Scene, n: int | None) -> Figure:
    """No-op tasks, submitted as one batch, until all are completed."""
    n = n or 10_000
    await run_all(scene.client, noop, {}, _WARM_UP)
    seconds = await run_all(scene.client, noop, {}, n)
    return Figure(
        name="tasks",
        n=n,
        per_s=n / seconds,
        limit_per_s=await _limit(scene) / _APPENDS_A_TASK,
        conditions=scene.conditions(skill="no-op", limit="strict appends / 2"),
    )


async def awaited_rate(scene: Scene, n: int | None) -> Figure:
    """As many tasks as users gather: `submit` all, then `result` of all; the median of some rounds."""
    n, client = n or 1000, scene.client
    took_s: list[float] = []
    for _ in range(_ROUNDS + 1):
        begin = time.perf_counter()
        refs = await asyncio.gather(*(client.submit(noop.name) for _ in range(n)))
        results = await asyncio.gather(*(ref.result() for ref in refs))
        took_s.append(time.perf_counter() - begin)
        if len(results) != n:
            raise RuntimeError(f"{n - len(results)} results are missing")
    took_s = took_s[1:]  # the first one warms up
    return Figure(
        name="awaited",
        n=n,
        per_s=n / percentile(took_s, 0.5),
        limit_per_s=await _limit(scene) / _APPENDS_A_TASK,
        conditions=scene.conditions(
            skill="no-op",
            rounds=_ROUNDS,
            slowest_per_s=round(n / max(took_s)),
            fastest_per_s=round(n / min(took_s)),
            limit="strict appends / 2",
        ),
    )


async def read_states(scene: Scene, n: int | None) -> Figure:
    """One task read at a time, with everything that is in the log by then."""
    n, client = n or 1000, scene.client
    ref = await client.submit(noop.name)
    await ref.result()
    took_s: list[float] = []
    for _ in range(n):
        begin = time.perf_counter()
        await ref.snapshot()
        took_s.append(time.perf_counter() - begin)
    return Figure(
        name="read_states",
        n=n,
        per_s=n / sum(took_s),
        p50_ms=percentile(took_s, 0.5) * 1e3,
        p99_ms=percentile(took_s, 0.99) * 1e3,
        conditions=scene.conditions(records=(await scene.log.head()).messages),
    )


async def step_rate(scene: Scene, n: int | None) -> Figure:
    """Steps of tasks that have five each."""
    tasks = max(1, (n or 20_000) // _STEPS_A_TASK)
    await run_all(scene.client, steps, {"n": _STEPS_A_TASK}, _WARM_UP)
    seconds = await run_all(scene.client, steps, {"n": _STEPS_A_TASK}, tasks)
    return Figure(
        name="steps",
        n=tasks * _STEPS_A_TASK,
        per_s=tasks * _STEPS_A_TASK / seconds,
        limit_per_s=await _limit(scene) / _APPENDS_A_TASK * _STEPS_A_TASK,
        conditions=scene.conditions(steps_a_task=_STEPS_A_TASK, limit="strict appends / 2 x 5"),
    )


async def child_rate(scene: Scene, n: int | None) -> Figure:
    """One task that runs so many children and waits for all of them; the limit is the rate of as many plain tasks."""
    n, client = n or 10_000, scene.client
    client.skills.add([fan.offer])
    await client.run(fan.name, {"n": _WARM_UP})
    plain_s = await run_all(client, noop, {}, n)
    begin = time.perf_counter()
    if await client.run(fan.name, {"n": n}) != n:
        raise RuntimeError("some children are missing")
    return Figure(
        name="children",
        n=n,
        per_s=n / (time.perf_counter() - begin),
        limit_per_s=n / plain_s,
        conditions=scene.conditions(skill="no-op", limit="the same number of plain tasks in one batch"),
    )


async def latency(scene: Scene, n: int | None) -> Figure:
    """One task at a time, from submit to its result."""
    n, client = n or 1000, scene.client
    client.skills.add([noop.offer])
    took_s: list[float] = []
    for number in range(n + 50):
        begin = time.perf_counter()
        await client.run(noop.name)
        if number >= 50:
            took_s.append(time.perf_counter() - begin)
    async with scene.bare_log() as log:
        single = await measure_single_appends(log, 500)
    return Figure(
        name="latency",
        n=n,
        per_s=n / sum(took_s),
        p50_ms=percentile(took_s, 0.5) * 1e3,
        p99_ms=percentile(took_s, 0.99) * 1e3,
        limit_per_s=single.per_s / _APPENDS_A_TASK,
        conditions=scene.conditions(skill="no-op", limit="single strict appends / 2", append_p50_ms=single.p50_ms),
    )
