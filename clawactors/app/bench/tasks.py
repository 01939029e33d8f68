"""Whole tasks through the real processes: throughput, latency, recovery, what idling costs."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from clawactors.app.bench.figures import Figure, machine_conditions, percentile
from clawactors.app.bench.skills import noop, spin, steps
from clawactors.runtime.client.client import Client, Wish
from clawactors.runtime.naming import new_id
from clawactors.skills import Skill
from clawactors.tasks.submission import spec_of
from eventlog.measure import measure_appends

__all__ = ["SKILLS", "latency", "step_rate", "task_rate"]

SKILLS = (noop, steps, spin)
_APPENDS_A_TASK = 3


async def _run_all(client: Client, skill: Skill, params: dict[str, Any], n: int) -> float:
    """Seconds from the first submit of a batch to the last task's end."""
    run = new_id()
    wishes = [Wish(f"{run}-{number}", spec_of(skill.name, params)) for number in range(n)]
    client.skills.learn([skill.offer])
    begin = time.perf_counter()
    client.waiting.expect([wish.id for wish in wishes])
    batch = await client.submit_many(wishes)
    if batch.submitted != n:
        raise RuntimeError(f"only {batch.submitted} of {n} tasks were submitted: {batch.refused[:3]}")
    async for id in client.waiting.each([wish.id for wish in wishes]):
        client.waiting.forget(id)
    return time.perf_counter() - begin


async def _limit(client: Client) -> float:
    """Appends a second that the log takes from one process, batches and guards as in real life."""
    return (await measure_appends(client.log, 30_000)).per_s


async def task_rate(client: Client, n: int, conditions: dict[str, Any]) -> Figure:
    """No-op tasks, submitted as one batch, until all are completed."""
    await _run_all(client, noop, {}, min(n, 1000))
    seconds = await _run_all(client, noop, {}, n)
    limit = await _limit(client) / _APPENDS_A_TASK
    return Figure(name="tasks", n=n, per_s=n / seconds, limit_per_s=limit, conditions=machine_conditions() | conditions)


async def step_rate(client: Client, n: int, conditions: dict[str, Any], steps_each: int = 5) -> Figure:
    """Steps of tasks with five steps each."""
    tasks = max(1, n // steps_each)
    await _run_all(client, steps, {"n": steps_each}, min(tasks, 500))
    seconds = await _run_all(client, steps, {"n": steps_each}, tasks)
    limit = await _limit(client) / _APPENDS_A_TASK * steps_each
    return Figure(
        name="steps",
        n=tasks * steps_each,
        per_s=tasks * steps_each / seconds,
        limit_per_s=limit,
        conditions=machine_conditions() | conditions | {"steps_a_task": steps_each},
    )


async def latency(client: Client, n: int, conditions: dict[str, Any]) -> Figure:
    """One task at a time, from submit to the result in hand."""
    client.skills.learn([noop.offer])
    took_s: list[float] = []
    for number in range(n + 50):
        begin = time.perf_counter()
        await client.run(noop.name)
        if number >= 50:
            took_s.append(time.perf_counter() - begin)
    return Figure(
        name="latency",
        n=n,
        per_s=n / sum(took_s),
        p50_ms=percentile(took_s, 0.5) * 1e3,
        p99_ms=percentile(took_s, 0.99) * 1e3,
        conditions=machine_conditions() | conditions,
    )
