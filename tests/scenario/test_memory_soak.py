"""Extraction on real processes while memory's is dead: six attempts with their waits, then dead and visible."""

import os
import signal
from pathlib import Path

import pytest

from clawactors.app.client import Client
from clawactors.app.cluster import ClusterSupervisor
from clawactors.app.clusterplan import ClusterPlan
from clawactors.app.discovery import discover
from clawactors.eventlog import aggregate_pattern
from clawactors.eventlog.jetstream import JetStreamLog
from clawactors.kinds import DECODER
from clawactors.systems.tasks import events as e
from tests.scenario.claw import ROOT, Claw

pytestmark = [pytest.mark.nats, pytest.mark.soak]


async def test_an_extraction_that_finds_no_memory_has_its_six_attempts_and_is_dead_and_visible(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", ROOT)
    async with (
        ClusterSupervisor(tmp_path / "data", ClusterPlan(nodes=1, restart=False)) as cluster,
        Client.of(discover(nats=cluster.nats_url)) as client,
    ):
        os.kill(cluster.run.pids.memory, signal.SIGKILL)
        job = {"key": "k", "user": "ada", "conversation": "c", "message": "m", "seq": 1}
        await client.submit("memory.extract", job, id="job", user="ada")
        async for _ in client.ended(["job"]):
            pass
        commits = [
            DECODER.decode(record)
            async for batch in (await JetStreamLog.over(client.connection)).read([aggregate_pattern("task", "job")])
            for record in batch
        ]
        failed = [
            (commit.record.at_ns, event)
            for commit in commits
            for event in commit.events
            if isinstance(event, e.AttemptFailed)
        ]
        assert [event.then for _, event in failed] == ["retry"] * 5 + ["dead"]
        waits = [round((event.retry_at_ns - at_ns) / 1e9) for at_ns, event in failed[:-1]]
        assert waits == [1, 2, 4, 8, 16]
        assert all(0 < len(event.error.message) <= 2000 for _, event in failed)
        (row,) = Claw(cluster.path)("memory", "jobs", "--json").answer
        assert (row["status"], row["attempt"], row["user"]) == ("dead", 6, "ada")
