"""Extraction as jobs on a cluster whose time jumps: a poison text has its six attempts, and blocks no other message."""

import asyncio
import random

import msgspec

from clawactors.app.skills.extract import extract
from clawactors.systems.chats.events import EXTRACT_ATTEMPTS
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.task import Task
from tests.clawactors.runtime.cluster import Cluster
from tests.clawactors.runtime.simulation import LoopClock
from tests.clawactors.runtime.virtual import run_virtually

POISON = "poison"
GOOD = [f"message-{number}" for number in range(20)]
SECOND_NS = 1_000_000_000
PATIENCE_S = 300.0


async def answer(_node: str, body: bytes) -> bytes:
    """As memory does: it can't digest one message, whatever the attempt, and says so at length."""
    message = msgspec.json.decode(body)["message"]
    if message == POISON:
        error = {"code": "unavailable", "message": "indigestible: " + "x" * 10_000}
        return msgspec.json.encode({"error": error})
    return msgspec.json.encode({"ids": [f"m-{message}"], "changed": 1})


async def life() -> tuple[Task, list[tuple[int, e.TaskEvent]], dict[str, tuple[Task, int]]]:
    """What became of the poison, when what of it happened, and how and when the others ended."""
    async with Cluster(LoopClock(random.Random(1))) as cluster:
        await cluster.requests.answer("claw.query.*.memory.extract", answer)
        await cluster.control()
        await cluster.node("n1", [extract], slots=2)
        client = cluster.client()
        for message in (POISON, *GOOD):
            job = {"key": f"k/{message}", "user": "ada", "conversation": "c", "message": message, "seq": 1}
            await client.submit("memory.extract", job, id=message)
        async with asyncio.timeout(PATIENCE_S):
            async for _ in client.ended([POISON, *GOOD]):
                pass
        poison = cluster.task(POISON)
        told = [(commit.record.at_ns, event) for commit in cluster.commits(POISON) for event in commit.events]
        ends = {id: (cluster.task(id), max(one.record.at_ns for one in cluster.commits(id))) for id in GOOD}
        return poison, told, ends


def test_a_poison_text_has_six_attempts_with_their_waits_and_blocks_no_other() -> None:
    poison, told, ends = run_virtually(life())
    failed = [(at_ns, event) for at_ns, event in told if isinstance(event, e.AttemptFailed)]
    assert len(failed) == EXTRACT_ATTEMPTS == 6
    assert [event.then for _, event in failed] == ["retry"] * 5 + ["dead"]
    waits = [round((event.retry_at_ns - at_ns) / SECOND_NS) for at_ns, event in failed[:-1]]
    assert waits == [1, 2, 4, 8, 16]
    assert 31 <= (failed[-1][0] - failed[0][0]) / SECOND_NS < 45
    assert all(len(event.error.message) <= 2000 for _, event in failed)
    assert "indigestible" in failed[-1][1].error.message
    assert poison.life.status == "dead"
    for id, (task, at_ns) in ends.items():
        assert (task.life.status, task.life.result) == ("completed", [f"m-{id}"])
        assert at_ns < failed[1][0], "it ended before the poison was tried again"
