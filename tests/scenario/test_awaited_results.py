"""Thousands of results that are awaited at once, through the client that users have: none is lost."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest

from clawactors.app.cluster import ClusterPlan
from tests.scenario.system import System, running, until

pytestmark = pytest.mark.nats

COUNT = 2000
ROUNDS = 2
ENDS_S = 90.0
"""So long every round may take on a machine that others use as well; it takes 2 s on a free one."""


async def results(system: System, prefix: str, *, kill: bool) -> list[Any]:
    """The results of tasks that are submitted together and then awaited together."""
    client = system.client
    numbers = range(COUNT)
    async with asyncio.timeout(ENDS_S):
        refs = await asyncio.gather(*(client.submit("echo", {"text": str(n)}, id=f"{prefix}{n}") for n in numbers))
        if kill:
            system.signal("control", signal.SIGKILL)
        return await asyncio.gather(*(ref.result() for ref in refs))


@pytest.mark.parametrize("kill", [False, True], ids=["undisturbed", "control is killed in between"])
async def test_of_thousands_of_awaited_results_none_is_lost(tmp_path: Path, kill: bool) -> None:
    async with running(tmp_path / "cluster", ClusterPlan(nodes=2, slots=20)) as system:
        for number in range(ROUNDS):
            told = await results(system, f"r{number}-", kill=kill)
            assert told == [str(n) for n in range(COUNT)], f"round {number}"
            if kill:
                await until(lambda: system.pid("control") > 0, "control runs again")
        async with asyncio.timeout(ENDS_S):
            ran = [system.client.run("echo", {"text": str(n)}, id=f"run-{n}") for n in range(COUNT)]
            assert await asyncio.gather(*ran) == [str(n) for n in range(COUNT)]
