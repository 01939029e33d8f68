"""Questions: what they take in process and over the wire, how far views lag, beside what was promised."""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from clawactors.app.bench.figures import Figure, Target, percentile
from clawactors.app.bench.history import BEGAN_NS, filled_views
from clawactors.app.bench.scene import Scene
from clawactors.app.bench.skills import noop
from clawactors.app.bench.tasks import run_all
from clawactors.app.projections import CLUSTER
from clawactors.projections.engine.questions import Queries
from clawactors.runtime.client.submitting import TaskRequest
from clawactors.runtime.naming import new_id
from clawactors.runtime.questions import read_log_end
from clawactors.systems.tasks.submission import spec_of

__all__ = ["FILTERS", "measure_pages", "query"]

_TASKS: Final = 10_000
_ROUNDS: Final = 100
_SPREAD_S: Final = 3.0
_POLL_S: Final = 0.004

FILTERS: Final[Mapping[str, dict[str, Any]]] = {
    "none": {},
    "status": {"status": ["dead"]},
    "two statuses": {"status": ["completed", "dead"]},
    "skill": {"skill": "train"},
    "user": {"user": "user-0"},
    "node": {"node": "n1"},
    "tag": {"tag": "nightly"},
    "error": {"error": "timeout"},
    "text": {"text": "customer 7"},
    "beginning": {"text": "refu*"},
    "status, skill": {"status": ["dead"], "skill": "train"},
    "status, user": {"status": ["dead"], "user": "user-0"},
    "status, skill, node": {"status": ["completed"], "skill": "report", "node": "n1"},
    "status, tag, user": {"status": ["completed"], "tag": "nightly", "user": "user-0"},
    "silent": {"silent_s": 5.0},
    "time, status": {"since_ns": BEGAN_NS + 2_000_000_000, "until_ns": BEGAN_NS + 8_000_000_000, "status": ["dead"]},
}
"""What pages of 100 tasks are asked by."""


def measure_pages(
    folder: Path, tasks: int, clock_s: Callable[[], float] = time.perf_counter
) -> tuple[float, dict[str, float]]:
    """Median ms of a question about one task, and of a page by each filter, in views of so many tasks."""
    projector = filled_views(folder, tasks)
    try:
        queries = Queries(CLUSTER.questions, lambda: projector.store, lambda _: None, lambda: BEGAN_NS + 10**15)

        def median_ms(name: str, **question: Any) -> float:
            body, took_s = msgspec.json.encode(question), list[float]()
            for _ in range(_ROUNDS):
                began = clock_s()
                answer = queries.reply(name, body)
                took_s.append(clock_s() - began)
            if b'"error":{"code"' in answer[:40]:
                raise RuntimeError(answer.decode())
            return percentile(took_s, 0.5) * 1e3

        point = median_ms("task", id=f"t-{tasks // 2:08x}")
        return point, {name: median_ms("tasks", limit=100, **wanted) for name, wanted in FILTERS.items()}
    finally:
        projector.close()


async def query(scene: Scene, n: int | None) -> Figure:
    """`p50` and `p99` are of a question about one task over the wire; `n` is how many tasks the pages are taken of."""
    n, client = n or _TASKS, scene.client
    with tempfile.TemporaryDirectory(prefix="claw-bench-") as folder:
        point_ms, pages_ms = await asyncio.to_thread(measure_pages, Path(folder) / "views", n)
    slowest = max(pages_ms, key=lambda name: pages_ms[name])
    per_s = 2000 / await run_all(client, noop, {}, 2000)
    lags_ms = await _lags_ms(scene, per_s / 2)
    ref = await client.submit(noop.name)
    await ref.result()
    node = (await client.nodes())[0]
    asked = await _took_ms(lambda: client.views.answer(dict[str, Any], "task", id=ref.id))
    created = await _took_ms(lambda: client.submit(noop.name))
    got = await _took_ms(lambda: client.task(ref.id))
    updated = await _took_ms(lambda: client.set_node(node.id, slots=node.slots))
    listed = await _took_ms(lambda: client.tasks(limit=100))
    status = await client.status(fresh=True)
    tasks = sum(status.tasks.values())
    mixed_s = sum(sum(each) for each in (created, got, updated, listed)) / 1e3
    targets = (
        Target("one task, in process, p50", point_ms, 0.05, "ms"),
        Target("one task, over the wire, p50", percentile(asked, 0.5), 1, "ms"),
        Target(f"page of 100 of {n:,} tasks, p50 of the slowest filter ({slowest})", pages_ms[slowest], 2, "ms"),
        Target(f"lag of views at half load ({per_s / 2:,.0f} tasks/s), p99", percentile(lags_ms, 0.99), 100, "ms"),
        Target("create a task, p50", percentile(created, 0.5), 10, "ms"),
        Target("get a task with all that is in the log, p50", percentile(got, 0.5), 5, "ms"),
        Target("update a node, p50", percentile(updated, 0.5), 10, "ms"),
        Target("list 100 tasks, p50", percentile(listed, 0.5), 50, "ms"),
        Target("these four in turn, one at a time", 4 * _ROUNDS / mixed_s, 100, "per s", at_least=True),
        Target("views a task", status.projection.bytes / tasks, 1024, "bytes"),
    )
    return Figure(
        name="query",
        n=n,
        p50_ms=percentile(asked, 0.5),
        p99_ms=percentile(asked, 0.99),
        targets=targets,
        conditions=scene.conditions(rounds=_ROUNDS, full_load_per_s=round(per_s)),
    )


class _Position(msgspec.Struct):
    position: int


async def _took_ms(call: Callable[[], Awaitable[Any]]) -> list[float]:
    took: list[float] = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        await call()
        took.append((time.perf_counter() - began) * 1e3)
    return took


async def _lags_ms(scene: Scene, per_s: float) -> list[float]:
    """How long the views need to hold what was in the log, while so many tasks a second are submitted."""
    client, run, began, sent = scene.client, new_id(), time.perf_counter(), 0
    ends: list[tuple[int, float]] = []
    lags_ms: list[float] = []
    async with asyncio.TaskGroup() as group:
        while ends or time.perf_counter() - began < _SPREAD_S:
            if (passed := time.perf_counter() - began) < _SPREAD_S:
                due = range(sent, max(sent, int(passed * per_s)))
                requests = [TaskRequest(f"{run}-{number}", spec_of(noop.name)) for number in due]
                group.create_task(client.submit_many(requests))
                sent += len(due)
                ends.append(((await read_log_end(client.questions)).last_seq, time.perf_counter()))
            position = (await client.views.answer(_Position, "status")).position
            now = time.perf_counter()
            lags_ms += [(now - at) * 1e3 for seq, at in ends if seq <= position]
            ends = [end for end in ends if end[0] > position]
            await asyncio.sleep(_POLL_S)
    return lags_ms
