"""Thousands of results that are awaited at once, through the client that users have: none is lost."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest

from clawactors.app.clusterplan import ClusterPlan
from tests.scenario.system import System, running, until

pytestmark = pytest.mark.nats

ENDS_S = 90.0
"""So long every round may take on a machine that others use as well; it takes 2 s on a free one."""


async def results(system: System, count: int, prefix: str, *, kill: bool) -> list[Any]:
    """The results of tasks that are submitted together and then awaited together."""
    client = system.client
    async with asyncio.timeout(ENDS_S):
        refs = await asyncio.gather(*(client.submit("echo", {"text": str(n)}, id=f"{prefix}{n}") for n in range(count)))
        if kill:
            system.signal("control", signal.SIGKILL)
        return await asyncio.gather(*(ref.result() for ref in refs))


@pytest.mark.parametrize(
    ("count", "rounds"),
    [(1200, 1), pytest.param(2000, 2, marks=pytest.mark.soak)],  # more than one question for their ends may name
)
async def test_of_thousands_of_awaited_results_none_is_lost(tmp_path: Path, count: int, rounds: int) -> None:
    """Undisturbed, while control is killed in between, and by the calls that submit and await in one."""
    async with running(tmp_path / "cluster", ClusterPlan(nodes=2, slots=20)) as system:
        wanted = [str(n) for n in range(count)]
        for number in range(2 * rounds):
            kill = number % 2 == 1
            told = await results(system, count, f"r{number}-", kill=kill)
            assert told == wanted, f"round {number}"
            if kill:
                await until(lambda: system.pid("control") > 0, "control runs again")
        async with asyncio.timeout(ENDS_S):
            ran = [system.client.run("echo", {"text": text}, id=f"run-{text}") for text in wanted]
            assert await asyncio.gather(*ran) == wanted
