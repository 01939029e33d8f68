"""The log and the fold of it: appends, and views rebuilt from the first event."""

import tempfile
from pathlib import Path

from clawactors.app.bench.figures import Figure
from clawactors.app.bench.scene import Scene
from clawactors.app.bench.skills import noop, steps
from clawactors.app.bench.tasks import run_all
from clawactors.app.projections import CLUSTER
from clawactors.eventlog.measure import measure_appends, measure_read, measure_single_appends
from clawactors.projections.engine.replay import replay

__all__ = ["append_rate", "replay_rate"]


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
    """Events a second from the first one on into fresh views, reading included."""
    client, tasks = scene.client, (n or 200_000) // 13
    await run_all(client, noop, {}, tasks)
    await run_all(client, steps, {"n": 5}, tasks)
    read = await measure_read(scene.log, CLUSTER.patterns)
    with tempfile.TemporaryDirectory(prefix="claw-bench-") as folder:
        replayed = await replay(scene.log, Path(folder) / "views", CLUSTER)
    events_a_record = replayed.events / read.n
    return Figure(
        name="replay",
        n=replayed.events,
        per_s=replayed.per_s,
        limit_per_s=read.per_s * events_a_record,
        conditions=scene.conditions(
            tasks=2 * tasks, mix="half no-op, half five steps", limit="reading alone", records=read.n
        ),
    )
