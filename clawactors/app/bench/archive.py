"""The archive: how fast ended tasks move to it, and what they take before and after."""

import asyncio

import psutil

from clawactors.app.bench.figures import Figure
from clawactors.app.bench.scene import Scene
from clawactors.app.bench.skills import noop
from clawactors.app.bench.tasks import run_all
from clawactors.runtime.client.summary import ClusterStatus

__all__ = ["archive_rate"]


async def archive_rate(scene: Scene, n: int | None) -> Figure:
    """Tasks a second that move to the archive on request, half of the time at rest; short tasks of three records."""
    client, tasks = scene.client, n or 5000
    await run_all(client, noop, {}, tasks)
    await asyncio.sleep(1.0)  # the last notices are out
    before, before_mb = await client.status(fresh=True), _server_mb(scene)
    report = await client.archive(0.0)
    after = await client.status(fresh=True)
    return Figure(
        name="archive",
        n=report.archived,
        per_s=report.archived / report.seconds if report.seconds else 0.0,
        conditions=scene.conditions(
            records=report.records,
            json_bytes_a_task=round(report.bytes / max(1, report.archived)),
            file_bytes_a_task=round(report.stored_bytes / max(1, report.archived)),
            log_bytes_a_task=[_log_bytes(before, tasks), _log_bytes(after, tasks)],
            server_mb=[before_mb, _server_mb(scene)],
        ),
    )


def _log_bytes(status: ClusterStatus, tasks: int) -> int:
    return round(status.log.bytes / tasks)


def _server_mb(scene: Scene) -> int:
    rss: int = psutil.Process(scene.cluster.run.pids.server).memory_info().rss
    return rss // 1_000_000
