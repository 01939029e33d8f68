"""The log and the fold of it: appends, and views rebuilt from the first event."""

import contextlib
import resource
import tempfile
import time
from pathlib import Path
from typing import Final

from clawactors.app.bench.figures import Figure
from clawactors.app.bench.scene import Scene
from clawactors.app.bench.skills import noop, steps
from clawactors.app.bench.tasks import run_all
from clawactors.app.projections import CLUSTER
from clawactors.eventlog import Record
from clawactors.eventlog.measure import measure_appends, measure_read, measure_single_appends
from clawactors.kinds import DECODER, KINDS
from clawactors.projections.engine.replay import replay

__all__ = ["append_rate", "replay_rate"]

_FOLDED: Final = 200_000
"""Records that are held in memory to be folded alone."""


async def append_rate(scene: Scene, n: int | None) -> Figure:
    """Guarded strict appends of one process, as many at once as the appender takes."""
    n = n or 50_000
    async with scene.bare_log() as log:
        single = await measure_single_appends(log, 1000)
        many = await measure_appends(log, n)
    return Figure(
        name="append",
        n=n,
        per_s=many.per_s,
        p50_ms=single.p50_ms,
        p99_ms=single.p99_ms,
        conditions=scene.conditions(one_at_a_time_per_s=round(single.per_s)),
    )


async def replay_rate(scene: Scene, n: int | None) -> Figure:
    """Events a second from the first one on into fresh views, reading included; beside it what its parts give alone."""
    client, tasks = scene.client, (n or 200_000) // 13
    await run_all(client, noop, {}, tasks)
    await run_all(client, steps, {"n": 5}, tasks)
    read = await measure_read(scene.log, CLUSTER.patterns)
    folded, fold_s = await _fold_alone(scene)
    with tempfile.TemporaryDirectory(prefix="claw-bench-") as folder:
        replayed = await replay(scene.log, Path(folder) / "views", CLUSTER)
    reading_per_s, fold_per_s = read.per_s * replayed.events / read.n, folded / fold_s
    return Figure(
        name="replay",
        n=replayed.events,
        per_s=replayed.per_s,
        limit_per_s=reading_per_s,
        conditions=scene.conditions(
            tasks=2 * tasks,
            mix="half no-op, half five steps",
            limit="reading alone",
            records=read.n,
            reading_alone_per_s=round(reading_per_s),
            decode_and_fold_alone_per_s=round(fold_per_s),
            of_reading_alone=round(replayed.per_s / reading_per_s, 3),
            of_decode_and_fold_alone=round(replayed.per_s / fold_per_s, 3),
            million_tasks_s=round(1_000_000 / (2 * tasks) * replayed.seconds, 1),
            memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
        ),
    )


async def _fold_alone(scene: Scene) -> tuple[int, float]:
    """Events and seconds: the first records, decoded and folded aggregate by aggregate, without rows."""
    records: list[Record] = []
    async with contextlib.aclosing(scene.log.read(CLUSTER.patterns)) as batches:
        async for batch in batches:
            records += batch
            if len(records) >= _FOLDED:
                break
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(record.subject.rsplit(".", record.subject.count(".") - 2)[0], []).append(record)
    events, begin = 0, time.perf_counter()
    for group in groups.values():
        commits = [DECODER.decode(record) for record in group]
        decider = KINDS[commits[0].kind].decider
        state = decider.initial
        for commit in commits:
            for event in commit.events:
                state = decider.evolve(state, event, commit.record.at_ns)
            events += len(commit.events)
    return events, time.perf_counter() - begin
