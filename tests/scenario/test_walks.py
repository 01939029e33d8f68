"""Kill -9 of a node, of control and of the server at each point of a retry, a wait, a fork, an undo, a fan-out …"""

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
import pytest_asyncio

from clawactors.app.clusterplan import ClusterPlan
from clawactors.eventlog import EventLogError, Follower, aggregate_pattern
from clawactors.kernel.errors import Refused
from clawactors.kinds import DECODER
from clawactors.systems.tasks import events as e
from tests.scenario.system import System, running
from tests.scenario.timely import Timely

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module")]

SKILLS = str(Path(__file__).with_name("living.py"))
VICTIMS: Final = ("node", "control", "server")
PATIENCE_S: Final = 90.0


class Walk(NamedTuple):
    """Strike `victim` as soon as the task's n-th event of that tag is in the log."""

    flow: str
    tag: str
    nth: int
    victim: str


_EACH_UNDO: Final = (("step.compensated", 1), ("step.compensated", 2), ("step.compensated", 3))
POINTS: Final[dict[str, tuple[tuple[str, int], ...]]] = {
    "retry": (
        ("task.submitted", 1),
        ("task.scheduled", 1),
        ("step.completed", 1),
        ("task.attempt_failed", 1),
        ("task.ready", 1),
        ("task.scheduled", 2),
        ("task.attempt_failed", 2),
        ("task.completed", 1),
    ),
    "timer": (
        ("task.submitted", 1),
        ("task.scheduled", 1),
        ("step.completed", 1),
        ("task.waiting", 1),
        ("task.ready", 1),
        ("task.scheduled", 2),
        ("task.completed", 1),
    ),
    "signal": (
        ("task.submitted", 1),
        ("task.scheduled", 1),
        ("task.waiting", 1),
        ("task.signalled", 1),
        ("task.scheduled", 2),
        ("task.completed", 1),
    ),
    "patience": (("task.waiting", 1), ("task.ready", 1), ("task.scheduled", 2), ("task.completed", 1)),
    "fork": (("task.submitted", 1), ("task.forked", 1), ("task.forked", 2), ("task.scheduled", 1)),
    "saga": (
        ("step.completed", 2),
        ("task.waiting", 1),
        ("task.scheduled", 2),
        ("step.completed", 4),
        ("task.compensating", 1),
        *_EACH_UNDO,
        ("task.attempt_failed", 1),
    ),
    "undo": (("task.waiting", 1), ("task.cancel_requested", 1), ("task.compensating", 1), *_EACH_UNDO),
    "cleanup": (
        ("task.waiting", 1),
        ("task.cancel_requested", 1),
        ("task.scheduled", 2),
        ("step.completed", 1),
        ("task.cancelled", 1),
    ),
    "approval": (
        ("task.approval_asked", 1),
        ("task.waiting", 1),
        ("task.approval_answered", 1),
        ("task.scheduled", 2),
        ("task.completed", 1),
    ),
    "silence": (("task.approval_asked", 2), ("task.approval_answered", 1), ("task.completed", 1)),
    "fan": (
        ("task.scheduled", 1),
        ("task.started", 1),
        ("task.waiting", 1),
        ("task.signalled", 1),
        ("task.signalled", 3),
        ("task.scheduled", 2),
        ("task.completed", 1),
    ),
}
WALKS: Final = [
    Walk(flow, tag, nth, victim)
    for flow, points in POINTS.items()
    for tag, nth in points
    for victim in (*VICTIMS, "client") * (flow == "fork") or VICTIMS
]
SOURCE, STEPS, STEP_BYTES = "source", 6, 200_000
CHILDREN: Final = 50


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    async with running(tmp_path_factory.mktemp("walks"), ClusterPlan(nodes=2, slots=5, skills=(SKILLS,))) as system:
        ref = await system.client.submit(
            "plods", {"trace": str(system.trace), "steps": STEPS, "seconds": 0, "size": STEP_BYTES}, id=SOURCE
        )
        await ref.result(PATIENCE_S)
        yield system


@pytest.mark.parametrize("seed", [1])
async def test_some_walks_end_well(system: System, seed: int) -> None:
    await take(system, random.Random(seed).sample(WALKS, 12), f"s{seed}")


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3))
async def test_all_walks_end_well(system: System, seed: int) -> None:
    await take(system, random.Random(seed).sample(WALKS, len(WALKS)), f"a{seed}")


async def take(system: System, walks: list[Walk], prefix: str) -> None:
    """Takes them one after another, and holds the log to all promises in the end."""
    for number, walk in enumerate(walks):
        id = f"{prefix}-{number}"
        follower = await system.log.follow([aggregate_pattern("task", id)])
        try:
            async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
                group.create_task(go(system, walk, id))
                group.create_task(strike(system, walk, id, follower))
        except TimeoutError:
            pytest.fail(f"{walk} did not end: {(await system.client.snapshot(id)).state.life}")
        await check(system, walk, id)
    await system.audit()
    timely = await Timely().read(system.log)
    assert not timely.problems, timely.problems[:10]
    print(f"\n{len(walks)} walks, {timely}")


async def go(system: System, walk: Walk, id: str) -> None:
    """The way of the task, from its start to its end."""
    client, trace = system.client, str(system.trace)
    match walk.flow:
        case "retry":
            await client.submit("stumbles", {"trace": trace}, id=id)
        case "timer":
            await client.submit("naps", {"trace": trace}, id=id)
        case "signal":
            await client.submit("asks", {"trace": trace}, id=id)
            await until_waiting(system, id)
            await client.signal(id, "go", "now")
        case "patience":
            await client.submit("asks", {"trace": trace, "limit": "1s"}, id=id)
        case "saga" | "undo":
            await client.submit("trips", {"trace": trace}, id=id)
            if walk.flow == "undo":
                await until_waiting(system, id)
                await surely(client.cancel(id, undo=True))
        case "cleanup":
            await client.submit("cleans", {"trace": trace}, id=id)
            await until_waiting(system, id)
            await surely(client.cancel(id))
        case "approval" | "silence":
            limit = "1h" if walk.flow == "approval" else "3s"
            await client.submit("consents", {"trace": trace, "limit": limit}, id=id)
            if walk.flow == "approval":
                await until_waiting(system, id)
                await surely(client.approve(id, comment="well"))
        case "fan":
            await client.submit("fans", {"trace": trace, "count": CHILDREN}, id=id)
        case "fork" if walk.victim == "client":
            await forked_by_command(system, walk, id)
        case _:
            await client.fork(SOURCE, f"s{STEPS - 1}", new_id=id)
    await system.ended([id], PATIENCE_S)


async def surely(command: Awaitable[Any]) -> None:
    """A command that may come too late: what a kill has held up may have ended by itself."""
    with contextlib.suppress(Refused):
        await command


async def until_waiting(system: System, id: str) -> None:
    follower = await system.log.follow([aggregate_pattern("task", id)], after=0)
    try:
        async for batch in follower:
            if any(isinstance(event, e.Waiting) for record in batch for event in DECODER.decode(record).events):
                return
    finally:
        await follower.aclose()


async def forked_by_command(system: System, walk: Walk, id: str) -> None:
    """`claw fork` in a process that is killed at the point; nobody asks again."""
    follower = await system.log.follow([aggregate_pattern("task", id)])
    process = await asyncio.create_subprocess_exec(
        *system.claw.command("fork", SOURCE, "--from", f"s{STEPS - 1}", "--id", id),
        env=system.claw.env,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await reached(walk, follower)
    finally:
        if process.returncode is None:
            os.kill(process.pid, signal.SIGKILL)
        await process.wait()


async def reached(walk: Walk, follower: Follower) -> str:
    """The node that had the task when the point was reached."""
    count, node = 0, ""
    try:
        async for batch in follower:
            for record in batch:
                for event in DECODER.decode(record).events:
                    node = event.node if isinstance(event, e.Scheduled) else node
                    count += event.__struct_config__.tag == walk.tag
                    if count == walk.nth:
                        return node
                    ended = isinstance(event, e.Completed | e.Cancelled) or getattr(event, "then", "") == "dead"
                    if ended and not isinstance(event, e.Compensating):
                        return node  # some points are passed over, as where two events ride in one commit
    finally:
        await follower.aclose()
    raise AssertionError("the log is followed no longer")


async def strike(system: System, walk: Walk, id: str, follower: Follower) -> None:
    """Kills when the point is reached."""
    node = await reached(walk, follower)
    victim = {"node": node or "n1", "client": ""}.get(walk.victim, walk.victim)
    if victim:
        system.signal(victim, signal.SIGKILL)


async def check(system: System, walk: Walk, id: str) -> None:
    """The task ended as if nothing had been."""
    client = system.client
    for _ in range(100):
        try:
            task = (await client.snapshot(id)).state
            break
        except EventLogError:
            continue
    status = {"saga": ("dead",), "undo": ("cancelled", "dead"), "cleanup": ("cancelled",)}.get(
        walk.flow, ("completed",)
    )
    assert task.life.status in status, (walk, task.life)
    steps = [entry for entry in task.journal.steps() if ":" not in entry.name]
    names = [entry.name for entry in steps]
    if walk.flow in ("saga", "undo"):
        undone = [entry.name for entry in task.journal if entry.status == "compensated"]
        assert (names, undone) == (names, names[::-1]), (walk, list(task.journal))
        assert names in (["room", "car"], ["room", "car", "seat"]), walk
        return
    if walk.flow == "cleanup":
        assert names in ([], ["release"]), walk
        return
    if walk.flow == "fan":
        assert task.life.result == CHILDREN, walk
        assert len(await client.tasks(parent=id, limit=None, fresh=True)) == CHILDREN, walk
        return
    expected = {
        "retry": ["first", "last"],
        "timer": ["before", "after"],
        "signal": ["before", "after"],
        "patience": ["before", "after"],
        "fork": [f"s{number}" for number in range(STEPS)],
        "approval": ["after"],
        "silence": ["after"],
    }
    assert names == expected[walk.flow], (walk, names)
    if walk.flow == "signal":
        assert task.life.result[0] == "now", walk
    if walk.flow == "approval":
        assert task.life.result == [True, "well"], walk
    if walk.flow == "silence":
        assert task.life.result == [False, ""], walk
    if walk.flow == "patience":
        assert task.life.result[0] == "nothing came", walk
