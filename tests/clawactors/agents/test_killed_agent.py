"""`examples/agent.py` on a real cluster and the endpoint beside it: its node is killed twice, and it pays once."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from clawactors.app.clusterplan import ClusterPlan
from tests.scenario.claw import ROOT
from tests.scenario.system import PATIENCE_S, running, until

pytest.importorskip("httpx")
pytestmark = pytest.mark.nats

EXAMPLES = Path(ROOT, "examples")


@asynccontextmanager
async def stub_model(ledger: Path) -> AsyncIterator[str]:
    """The endpoint as people start it; its URL."""
    command = [
        sys.executable,
        str(EXAMPLES / "stub_model.py"),
        "--port",
        "0",
        "--delay",
        "0.2",
        "--ledger",
        str(ledger),
    ]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.kill()
        await process.wait()


async def test_an_agent_that_is_killed_twice_pays_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = tmp_path / "paid.txt"

    async def paid(calls: int) -> bool:
        return ledger.exists() and len(ledger.read_text().splitlines()) >= calls

    async with stub_model(ledger) as url:
        monkeypatch.setenv("MODEL_URL", url)
        monkeypatch.setenv("LOOK_UP_S", "0.2")
        plan = ClusterPlan(nodes=2, skills=(str(EXAMPLES / "agent.py"),))
        async with running(tmp_path / "claw", plan) as system:
            ref = await system.client.submit("researcher", {"prompt": "Why is the sky blue?"}, id="r")

            async def tool_runs() -> bool:
                steps = {step.name: step.status for step in (await system.client.task("r")).steps}
                return steps.get("model-1") == "completed"

            await until(tool_runs, "the first call of the model is on record")
            system.signal((await system.client.task("r")).node, signal.SIGKILL)  # between two calls
            await until(lambda: paid(2), "the second call is paid for")
            system.signal((await system.client.task("r")).node, signal.SIGKILL)  # in the middle of one
            assert await ref.result(PATIENCE_S) == "The answer follows from 2 sources."
            attempts = (await system.client.task("r")).attempt
    assert attempts == 3
    assert ledger.read_text().splitlines() == ["r/1/model-1", "r/1/model-2", "r/1/model-3"]
