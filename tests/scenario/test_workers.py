"""R-O4 on real processes: workers in other languages below nodes that die, and a host that is a node by cron alone."""

import asyncio
import csv
import json
import os
import shlex
import shutil
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from clawactors.app.clusterplan import ClusterPlan
from tests.scenario.claw import ROOT
from tests.scenario.system import PATIENCE_S, System, running, until

ODD = Path(ROOT, "tests", "clawactors", "runtime", "workers", "odd.js")
CRON = Path(ROOT, "examples", "workers", "php", "cron.php")

pytestmark = [
    pytest.mark.nats,
    pytest.mark.soak,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not (shutil.which("php") and shutil.which("node")), reason="php and node.js are not here"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    plan = ClusterPlan(nodes=1, slots=3, workers=(f"node {ODD}",))
    async with running(tmp_path_factory.mktemp("workers"), plan) as system:
        yield system


def lines(trace: Path) -> list[str]:
    return trace.read_text().split() if trace.exists() else []


async def test_no_step_runs_twice_when_the_node_is_killed(system: System, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    refs = [
        await system.client.submit("steps", {"trace": f"{trace}{number}", "pause": 60, "count": 8})
        for number in range(3)
    ]
    await until(lambda: "s2" in lines(Path(f"{trace}0")), "the first steps are done")
    before = psutil.Process(system.pid("n1")).children(recursive=True)
    assert any(each.name() == "node" for each in before)
    system.signal("n1", signal.SIGKILL)
    for ref in refs:
        assert await ref.result(PATIENCE_S) == [2 * number for number in range(8)]
    for number in range(3):
        ran = Counter(lines(Path(f"{trace}{number}")))
        assert set(ran) == {f"s{step}" for step in range(8)}
        assert ran.total() <= 9, "only the one in which it was killed runs again"
    await until(lambda: not any(each.is_running() for each in before), "the worker has gone with its node")
    [offered] = [row for row in await system.client.skills_known() if row.name == "steps"]
    assert offered.nodes == ("n1",)


def group_of(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


async def cron(system: System, folder: Path, seconds: int) -> asyncio.subprocess.Process:
    claw = " ".join(map(shlex.quote, system.claw.command()))
    options = ("--node", "web1", "--for", str(seconds), "--claw", claw, "--state", str(folder / "state.json"))
    return await asyncio.create_subprocess_exec(
        "php", str(CRON), *options, env=system.claw.env, stdout=asyncio.subprocess.PIPE, start_new_session=True
    )


async def test_a_host_goes_on_with_interrupted_tasks_by_cron(system: System, tmp_path: Path) -> None:
    source, target, trace = tmp_path / "s.csv", tmp_path / "t.csv", tmp_path / "trace"
    with source.open("w", newline="") as file:
        csv.writer(file).writerows([number, f"row {number}"] for number in range(1000))
    params = {"source": str(source), "target": str(target), "trace": str(trace), "pause_ms": 50}
    ref = await system.client.submit("php-migrate-table", params, id="m")
    first = await cron(system, tmp_path, 60)
    second = await cron(system, tmp_path, 0)
    assert (await second.communicate())[0] == b"", "one at a time"
    await until(lambda: len(lines(trace)) >= 3, "some batches are copied")
    os.killpg(first.pid, signal.SIGKILL)
    await first.wait()
    await until(_interrupted(system), "the loss of the host is known")
    next_minute = await cron(system, tmp_path, 60)
    assert (await ref.result(PATIENCE_S))["rows"] == 1000
    os.kill(next_minute.pid, signal.SIGTERM)
    report = json.loads((await next_minute.communicate())[0].splitlines()[0])
    assert report["interrupted"] == ["m"]
    assert not [
        each for each in psutil.process_iter(["cmdline"]) if str(tmp_path) in " ".join(each.info["cmdline"] or ())
    ]
    with target.open(newline="") as file:
        assert [int(row[0]) for row in csv.reader(file)] == list(range(1000))
    ran = Counter(lines(trace))
    assert (len(ran), ran.total() <= 11) == (10, True)


def _interrupted(system: System) -> Callable[[], Awaitable[bool]]:
    async def known() -> bool:
        return [row.id for row in await system.client.tasks(interrupted=True, fresh=True)] == ["m"]

    return known
