"""`claw demo`: a cluster of its own, the main job on it, the report."""

import asyncio
import logging
import os
import shutil
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from clawactors.app.client import Client
from clawactors.app.cluster import ClusterSupervisor
from clawactors.app.clusterplan import ClusterPlan
from clawactors.app.demo.progress import Progress
from clawactors.app.demo.report import text_of
from clawactors.app.demo.run import run_demo
from clawactors.app.discovery import discover
from clawactors.app.problem import EXITS
from clawactors.eventlog.jetstream import JetStreamLog

__all__ = ["run"]


class _Stage:
    """The demo's cluster: its processes are this one's children."""

    def __init__(self, cluster: ClusterSupervisor, client: Client, log: JetStreamLog) -> None:
        self._cluster, self.client, self.log = cluster, client, log

    async def kill_node(self, id: str) -> None:
        """Sends SIGKILL to the node's process."""
        os.kill(self._cluster.nodes[id].pid, signal.SIGKILL)

    async def replay(self) -> Mapping[str, Any]:
        """What `claw-replay --verify --json` says of the cluster."""
        command = [sys.executable, "-P", "-m", "clawactors.app.cli.replay", "--verify", "--json"]
        process = await asyncio.create_subprocess_exec(
            *command, "--data", str(self._cluster.path), stdout=PIPE, stderr=PIPE
        )
        try:
            answer, errors = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        try:
            said: dict[str, Any] = msgspec.json.decode(answer, type=dict[str, Any])
        except msgspec.MsgspecError:
            return {"error": errors.decode(errors="replace").strip()[-500:] or "claw-replay said nothing"}
        problem = said.get("error")
        return {"error": problem["message"]} if problem else said


def run(options: Any) -> int:
    """Runs the demo and prints its report; 0 only where everything in it is true.

    It works in the given data folder, or in a temporary one that is kept only when something did not hold.
    """
    import uvloop

    logging.basicConfig(level=logging.ERROR)  # that the killed node is started again is no news here
    progress = Progress(sys.stderr)
    folder = Path(options.data).expanduser().absolute() if options.data else None
    place = folder or Path(tempfile.mkdtemp(prefix="claw-demo-"))
    keep = True
    try:
        report: dict[str, Any] = uvloop.run(_in(place, progress))
        keep = folder is not None or not report["ok"]
    except KeyboardInterrupt:
        keep = folder is not None
        raise
    finally:
        if keep:
            progress.say(f"Everything of it is kept in {place}")
        else:
            shutil.rmtree(place, ignore_errors=True)
    sys.stdout.write((msgspec.json.encode(report).decode() if options.json else text_of(report)) + "\n")
    return 0 if report["ok"] else EXITS["failed"]


async def _in(folder: Path, progress: Progress) -> dict[str, Any]:
    progress.say("Starting a nats-server, control and two nodes …")
    async with ClusterSupervisor(folder / "cluster", ClusterPlan(nodes=2)) as cluster:
        url = cluster.nats_url
        async with Client.of(discover(nats=url), user="demo") as client:
            log = await JetStreamLog.over(client.connection)
            return await run_demo(_Stage(cluster, client, log), folder / "work", progress)
