"""Backups: how fast one is made, beside what the disk can do, and what is left for the work meanwhile."""

import asyncio
import contextlib
import os
import time
from pathlib import Path
from typing import Final

from clawactors.app.bench.figures import Figure
from clawactors.app.bench.scene import Scene
from clawactors.app.bench.skills import noop
from clawactors.app.bench.tasks import run_all
from clawactors.app.upkeep.backup import make_backup
from clawactors.app.upkeep.planned import in_a_process
from clawactors.eventlog.jetstream import JetStreamBlobs
from clawactors.systems.backups import BackupPlan

__all__ = ["backup_rate"]

_MB: Final = 1_000_000
_TASKS: Final = 10_000
_SYNC_MB: Final = 4


async def backup_rate(scene: Scene, n: int | None) -> Figure:
    """MB a second of a log with `n` MB of large values that do not compress; tasks a second alone and beside it."""
    size_mb = n or 300
    blobs = JetStreamBlobs(scene.log.connection)
    for _ in range(size_mb):
        await blobs.put(os.urandom(_MB))
    folder = scene.cluster.path.parent / "backups"
    disk = await asyncio.to_thread(_disk_mb_s, scene.cluster.path.parent / "raw", size_mb)
    make = in_a_process(scene.cluster.address, str(scene.cluster.path))
    plan = BackupPlan(folder=str(folder), every_s=60, copies=1)
    alone = await _tasks_per_s(scene)
    made = await make_backup(scene.log.connection, folder, digests=dict)
    rate = made.size_bytes / _MB / made.seconds
    backups = 0

    async def again() -> None:
        nonlocal backups
        while True:
            await make(plan)
            backups += 1

    working = asyncio.create_task(again())
    beside = await _tasks_per_s(scene)
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working
    return Figure(
        name="backup",
        n=size_mb,
        per_s=rate,
        limit_per_s=disk,
        conditions=scene.conditions(
            unit="MB",
            limit="writing the same with the same syncs",
            tasks=_TASKS,
            tasks_alone_per_s=round(alone),
            tasks_beside_per_s=round(beside),
            kept=round(beside / alone, 2),
            backups_beside=backups,
        ),
    )


async def _tasks_per_s(scene: Scene) -> float:
    return _TASKS / await run_all(scene.client, noop, {}, _TASKS)


def _disk_mb_s(path: Path, size_mb: int) -> float:
    """How fast the disk takes a file of that size."""
    content = os.urandom(_MB)
    began = time.perf_counter()
    with path.open("wb") as file:
        for number in range(size_mb):
            file.write(content)
            if number % _SYNC_MB == _SYNC_MB - 1:
                file.flush()
                os.fsync(file.fileno())
        file.flush()
        os.fsync(file.fileno())
    seconds = time.perf_counter() - began
    path.unlink()
    return size_mb / seconds
