"""`claw bench NAME`: measures on a scratch cluster of its own, or with `--nats` on one that is there."""

import contextlib
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from clawactors.app.bench.figures import Figure, table
from clawactors.app.bench.scene import Scene
from clawactors.app.client import Client
from clawactors.app.cluster import ClusterSupervisor
from clawactors.app.clusterplan import ClusterPlan
from clawactors.app.discovery import discover
from clawactors.eventlog.jetstream import JetStreamLog
from clawactors.kernel.errors import Refused

__all__ = ["run"]

_SKILLS: Final = ("clawactors.app.bench.skills",)


def run(options: Any) -> int:
    """Measures and prints the figures."""
    import uvloop

    names = list(_benches()) if options.name == "all" else [options.name]
    for name in names:
        if name not in _benches():
            raise Refused(f"there is no bench {name!r}; there are {', '.join(_benches())} and all")
    figures = uvloop.run(_measure(names, options))
    if options.json:
        document = figures if options.name == "all" else figures[0]
        sys.stdout.write(msgspec.json.encode(document).decode() + "\n")
    else:
        sys.stdout.write(table(figures) + "\n")
    return 0


def _benches() -> dict[str, Any]:
    from clawactors.app.bench import archive, backup, log, memory, parking, processes, queries, tasks, workflows

    return {
        "tasks": tasks.task_rate,
        "awaited": tasks.awaited_rate,
        "read": tasks.read_states,
        "steps": tasks.step_rate,
        "children": tasks.child_rate,
        "workflows": workflows.workflow_rate,
        "parking": parking.wake_rate,
        "latency": tasks.latency,
        "recovery": processes.recovery,
        "idle": processes.idle,
        "query": queries.query,
        "append": log.append_rate,
        "replay": log.replay_rate,
        "archive": archive.archive_rate,
        "backup": backup.backup_rate,
        "memory": memory.memory,
    }


async def _measure(names: list[str], options: Any) -> list[Figure]:
    figures = []
    for name in names:
        async with _scene(name, options) as scene:
            sys.stderr.write(f"measuring {name} …\n")
            if options.records:
                sys.stderr.write(f"filling the log with {options.records} records …\n")
                await scene.fill(options.records)
            figures.append(await _benches()[name](scene, options.n))
    return figures


@asynccontextmanager
async def _scene(name: str, options: Any) -> AsyncIterator[Scene]:
    """A fresh cluster for each figure, so that none runs on the leftovers of another."""
    if options.nats:
        async with Client.of(discover(nats=options.nats), user="bench") as client:
            yield Scene(client, await JetStreamLog.over(client.connection), None)
        return
    plan = {
        "recovery": ClusterPlan(nodes=2, slots=5, skills=_SKILLS),
        "idle": ClusterPlan(nodes=2, slots=5, skills=_SKILLS),
    }.get(name, ClusterPlan(nodes=1, slots=1000, skills=_SKILLS))
    folder = Path(tempfile.mkdtemp(prefix="claw-bench-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        async with (
            ClusterSupervisor(folder / "cluster", plan) as cluster,
            Client.of(discover(nats=cluster.nats_url), user="bench") as client,
        ):
            yield Scene(client, await JetStreamLog.over(client.connection), cluster)
