"""A real cluster for a test: its processes by pid, a client, and what has to hold when it is over."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from clawactors.app.client import Client
from clawactors.app.cluster import ClusterSupervisor
from clawactors.app.clusterplan import ClusterPlan
from clawactors.app.discovery import discover
from clawactors.eventlog import Unavailable
from clawactors.eventlog.jetstream import JetStreamLog
from clawactors.runtime.client.submitting import TaskRequest
from clawactors.systems.tasks.submission import spec_of
from tests.scenario.audit import Audit, read_all
from tests.scenario.claw import ROOT, Claw
from tests.waiting import PATIENCE_S, until

SKILLS = str(Path(__file__).with_name("skills.py"))
"""After this a test gives up waiting for something that should have happened long ago."""


class System:
    """A running cluster and a client of it."""

    def __init__(self, cluster: ClusterSupervisor, client: Client, log: JetStreamLog, folder: Path) -> None:
        self.cluster, self.client, self.log, self.folder = cluster, client, log, folder
        self.claw = Claw(cluster.path)
        self.trace = folder / "trace"
        self.submitted: list[str] = []
        """Ids whose submit was acknowledged."""

    # Tasks

    async def submit(self, count: int, skill: str = "work", prefix: str = "t", **params: Any) -> list[str]:
        """That many tasks with a trace; returns their ids once all are acknowledged."""
        spec = spec_of(skill, {"trace": str(self.trace), **params})
        requests = [TaskRequest(f"{prefix}{number}", spec) for number in range(count)]
        batch = await self.client.submit_many(requests)
        assert not batch.refused, batch.refused
        ids = [request.id for request in requests]
        self.submitted += ids
        return ids

    async def ended(self, ids: Iterable[str], patience_s: float = PATIENCE_S) -> None:
        """Returns when all these tasks have ended."""
        waiting = set(ids)
        try:
            async with asyncio.timeout(patience_s):
                async for id in self.client.ended(list(waiting)):
                    waiting.discard(id)
        except TimeoutError:
            lives = [(id, (await self.client.snapshot(id)).state.life) for id in sorted(waiting)[:3]]
            raise AssertionError(f"{len(waiting)} tasks have not ended within {patience_s:g} s: {lives}") from None

    async def ask(self, name: str, **question: Any) -> Any:
        """The answer of the views."""
        return msgspec.json.decode(await self.client.ask(name, question))

    async def run_claw(self, *arguments: str, module: str = "main") -> "Ended":
        """A command of the command line, with `--json`, while the cluster is looked after."""
        process = await asyncio.create_subprocess_exec(
            *self.claw.command(*arguments, "--json", module=module),
            env=self.claw.env,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return Ended(process.returncode or 0, msgspec.json.decode(out) if out else None, err.decode())

    # Processes

    def pid(self, name: str) -> int:
        """Of `server`, `control` or a node; 0 while it does not run."""
        pids = self.cluster.run.pids
        return {"server": pids.server, "control": pids.control, **pids.nodes}[name]

    def signal(self, name: str, number: signal.Signals) -> int:
        """Sends a signal to one process; its pid, 0 where there was none to send it to."""
        return signal_pid(self.pid(name), number)

    async def online(self, *nodes: str) -> None:
        """Returns when exactly these nodes take work."""
        await until(lambda: self._take_work(set(nodes)), f"nodes {nodes} take work")

    async def _take_work(self, wanted: set[str]) -> bool:
        try:
            rows = (await self.ask("nodes", fresh=True))["rows"]
        except Unavailable:
            return False
        return {row["id"] for row in rows if row["status"] in ("online", "busy")} == wanted

    # What has to hold

    async def audit(self, *, left_open: Iterable[str] = ()) -> Audit:
        """Fails with all that the log and the traces show to be wrong."""
        audit = await read_all(self.log)
        audit.check_submits(self.submitted)
        audit.check_ends(left_open)
        audit.check_traces(self.trace)
        assert not audit.problems, f"{len(audit.problems)} problems: {audit.problems[:10]}"
        return audit

    async def replay_is_equal(self) -> None:
        """Fails where the views differ from what the log says."""
        replayed = await self.run_claw("--verify", module="replay")
        assert replayed.code == 0, replayed
        assert replayed.answer["equal"] is True


class Ended(msgspec.Struct, frozen=True):
    """How a command ended."""

    code: int
    answer: Any
    err: str


def signal_pid(pid: int, number: signal.Signals) -> int:
    """Sends a signal to a process; its pid, 0 where there is none to send it to."""
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
            return pid
    return 0


def family(pids: Iterable[int]) -> list[psutil.Process]:
    """These processes and all below them."""
    found: set[psutil.Process] = set()
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            found |= {process, *process.children(recursive=True)}
    return list(found)


def are_gone(processes: Iterable[psutil.Process], patience_s: float = 10.0) -> list[str]:
    """Those that still run after that time, and ends them, so that no test leaves any behind."""
    _, left = psutil.wait_procs(list(processes), patience_s)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    return [str(process) for process in left]


@contextlib.asynccontextmanager
async def running(folder: Path, plan: ClusterPlan) -> AsyncIterator[System]:
    """A cluster for as long as the block lasts; fails where it leaves a process behind."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", ROOT)
        cluster = ClusterSupervisor(folder / "data", plan)
        processes: list[psutil.Process] = []
        try:
            async with cluster:
                async with Client.of(discover(data=str(cluster.path)), user="test") as client:
                    yield System(cluster, client, await JetStreamLog.over(client.connection), folder)
                pids = cluster.run.pids
                processes = family(pid for pid in (pids.server, pids.control, *pids.nodes.values()) if pid)
                for process in processes:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.resume()
        finally:
            left = await asyncio.to_thread(are_gone, processes)
        assert not left, left
