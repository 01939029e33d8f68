"""Kill -9 of everything while timers are open: none lost, none early, each resolved once in the record."""

import asyncio
import contextlib
import itertools
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clawactors.app.client import Client
from clawactors.eventlog.decoding import Commit
from clawactors.eventlog.jetstream import JetStreamLog
from clawactors.kinds import DECODER
from clawactors.systems.schedules import task_id
from clawactors.systems.schedules.events import ScheduleFired
from clawactors.systems.tasks import events as e
from tests.scenario.secondly import record_schedule

ROOT = Path(__file__).parent.parent.parent
SKILLS = Path(__file__).with_name("napping.py")
PATIENCE_S = 25
SECOND = 1_000_000_000


class Everything:
    """A cluster of real processes that can be ended as a power cut does."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.pids: list[int] = []

    def claw(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "clawactors.app.cli.main", "--data", str(self.data), "--json", *words],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )

    def up(self) -> None:
        ready = json.loads(self.claw("up", "--nodes", "2", "--slots", "4", "--skills", str(SKILLS), "--detach").stdout)
        pids, supervisor = ready["pids"], json.loads((self.data / "run.json").read_text())["pid"]
        self.pids = [supervisor, pids["server"], pids["control"], *pids["nodes"].values()]

    def kill(self) -> None:
        """The supervisor first, so that nothing is started again; returns when all are gone."""
        handles = []
        for pid in self.pids:
            with contextlib.suppress(ProcessLookupError):
                handles.append(os.pidfd_open(pid))
                os.kill(pid, signal.SIGKILL)
        self.pids = []
        for handle in handles:
            ended, _, _ = select.select([handle], [], [], 10)
            os.close(handle)
            assert ended


@pytest.fixture
def everything(tmp_path: Path) -> Iterator[Everything]:
    everything = Everything(tmp_path / "claw")
    yield everything
    everything.kill()


async def history(client: Client) -> dict[str, list[tuple[int, Any]]]:
    """The events of each task, and of the schedule, with their times."""
    found: dict[str, list[tuple[int, Any]]] = {}
    log = await JetStreamLog.over(client.connection)
    async for batch in log.read(["claw.task.>", "claw.schedule.>"]):
        for record in batch:
            commit: Commit = DECODER.decode(record)
            found.setdefault(commit.id, []).extend((record.at_ns, event) for event in commit.events)
    return found


def waits(events: list[tuple[int, Any]]) -> Iterator[tuple[int, int]]:
    """`(until, when it went on)` of each wait for a time; a wait that went on twice, or never, fails here."""
    until_ns = 0
    for at_ns, event in events:
        match event:
            case e.Submitted() if event.not_before_ns > at_ns:
                until_ns = event.not_before_ns
            case e.Waiting() if event.until_ns:
                until_ns = event.until_ns
            case e.AttemptFailed() if event.then == "retry":
                until_ns = event.retry_at_ns
            case e.Readied():
                assert until_ns, "it went on twice"
                yield until_ns, at_ns
                until_ns = 0
    assert not until_ns, "it never went on"


@pytest.mark.nats
async def test_timers_survive_the_death_of_everything(everything: Everything) -> None:
    await asyncio.to_thread(everything.up)
    started_ns = time.time_ns()
    names = itertools.count()
    timed: list[str] = []
    doomed: list[str] = []
    async with Client.connect(data=str(everything.data)) as client:
        log = await JetStreamLog.over(client.connection)
        await record_schedule(client, log, "tick", "* * * * * *", "echo", {"text": "tick"}, catch_up="fire")
        for number in range(24):
            ref = await client.submit("echo", {"text": "late"}, id=f"d{next(names)}", delay_s=1 + number / 5)
            timed.append(ref.id)
        for number in range(8):
            skill = ("nap", "nap-sync")[number % 2]
            ref = await client.submit(skill, {"how_long": f"{1000 + 600 * number}ms"}, id=f"n{next(names)}")
            timed.append(ref.id)
        for number in range(4):
            timed.append((await client.submit("stumble", id=f"r{next(names)}")).id)
            deadline_ns = started_ns + (2 + number) * SECOND
            doomed.append((await client.submit("nobody-has-it", id=f"x{next(names)}", deadline_ns=deadline_ns)).id)
        async with asyncio.timeout(PATIENCE_S):
            async for _ in client.ended(timed[:2]):  # timers go off, others are open
                pass
    await asyncio.to_thread(everything.kill)
    killed_ns = time.time_ns()
    await asyncio.to_thread(everything.up)
    async with Client.connect(data=str(everything.data)) as client:
        async with asyncio.timeout(PATIENCE_S):
            async for _ in client.ended([*timed, *doomed]):
                pass
        await client.schedules.remove("tick")
        found = await history(client)

    late_ms = []
    for id in timed:
        [*pairs] = waits(found[id])
        assert pairs, f"{id} waited for nothing"
        assert isinstance(found[id][-1][1], e.Completed), id
        for until_ns, at_ns in pairs:
            assert at_ns >= until_ns, f"{id} went on early"
            late_ms.append((at_ns - until_ns) / 1e6)
    for id in doomed:
        [(at_ns, _)] = [(at_ns, event) for at_ns, event in found[id] if isinstance(event, e.Expired)]
        submitted = found[id][0][1]
        assert at_ns >= submitted.deadline_ns, f"{id} was ended early"
    times = [at_ns for _, event in found["tick"] if isinstance(event, ScheduleFired) for at_ns in event.times]
    assert times == list(range(times[0], times[-1] + 1, SECOND)), "each second once, those of the death too"
    assert any(killed_ns < at_ns for at_ns in times)
    for at_ns in times:
        [*submitted] = [
            (made_ns, event) for made_ns, event in found[task_id("tick", at_ns)] if isinstance(event, e.Submitted)
        ]
        assert len(submitted) == 1
        assert submitted[0][0] >= at_ns
    late_ms.sort()
    print(f"\nlate by ms: p50 {late_ms[len(late_ms) // 2]:.0f}, max {late_ms[-1]:.0f} over the death of everything")
