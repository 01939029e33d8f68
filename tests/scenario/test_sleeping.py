"""Machines that sleep for longer than leases last: every process stands still, alone and with all others, and wakes."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from clawactors.app.cluster import ClusterPlan
from tests.scenario.system import SKILLS, System, running
from tests.waiting import PATIENCE_S, until

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module")]

NAPS = str(Path(__file__).with_name("napping.py"))
ALL = ("n1", "control", "server")
ASLEEP_S = 2.5
"""Longer than the lease of a node, and than that of the leader."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    plan = ClusterPlan(nodes=1, slots=5, skills=(SKILLS, NAPS))
    async with running(tmp_path_factory.mktemp("sleeping"), plan) as system:
        yield system


async def sleep(system: System, *names: str) -> None:
    for name in names:
        assert system.signal(name, signal.SIGSTOP)
    await asyncio.sleep(ASLEEP_S)  # the fault itself, not a wait for something
    for name in reversed(names):
        assert system.signal(name, signal.SIGCONT)


def open_gates(system: System, id: str) -> None:
    for attempt in range(1, 4):
        Path(f"{system.folder}/{id}-{attempt}").touch()


@pytest.mark.parametrize("names", [ALL, ("n1",), pytest.param(("control",), marks=pytest.mark.soak)], ids="-".join)
async def test_after_a_sleep_all_goes_on_and_who_waits_is_told(system: System, names: tuple[str, ...]) -> None:
    """A task that runs, one that is parked, and a client that waits for both."""
    kind = "-".join(names)
    gate = f"{system.folder}/gated-{kind}-0"
    pids = {name: system.pid(name) for name in ALL}
    (id,) = await system.submit(1, "gated", f"gated-{kind}-", gate=gate)
    began_s = time.monotonic()
    nap = await system.client.submit("nap", {"how_long": "3s"}, id=f"nap-{kind}")
    waits = [asyncio.create_task(system.client.ref(each).result(PATIENCE_S)) for each in (id, nap.id)]

    async def both_are_at_it() -> bool:
        lives = [(await system.client.snapshot(each)).state.life.status for each in (id, nap.id)]
        return lives == ["running", "waiting"]

    await until(both_are_at_it, "one runs, one sleeps")
    open_gates(system, id)
    await sleep(system, *names)
    result, attempt = await asyncio.gather(*waits)
    assert time.monotonic() - began_s >= 3, "no sleep of code is cut short"
    assert attempt in (1, 2)
    assert result["attempt"] in (1, 2)
    await system.online("n1")
    assert pids == {name: system.pid(name) for name in ALL}, "each went on, none was started again"


async def test_after_all_of_this_the_record_is_whole(system: System) -> None:
    await system.audit()
