"""The examples of a retry, an approval, a long sleep, a cron job and a streamed result do what they say."""

import asyncio
import importlib.util
from contextlib import aclosing
from pathlib import Path
from typing import Any

from clawactors.systems.schedules.planning import plan_of
from clawactors.systems.skills import Skill
from tests.clawactors.runtime.cluster import PATIENCE_S, Cluster, Stage, WallClock

EXAMPLES = Path(__file__).parents[3] / "examples"


def example(name: str) -> Any:
    """The module."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_a_flaky_step_is_tried_again(stage: Stage) -> None:
    task = await stage.run(example("flaky").fetch, {"url": "there"})
    assert (task.life.status, task.life.result, task.life.attempt) == ("completed", "hello", 1)
    assert stage.named("t").count("step.failed") == 2


async def test_a_person_approves() -> None:
    publish: Skill = example("approval").publish
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [publish])
        client = cluster.client("client/ada")
        for id, answer in (("yes", client.approve), ("no", client.deny)):
            await client.submit("publish", {"text": "Hi"}, id=id)
            await cluster.until_status(id, "waiting")
            await answer(id)
        assert (await cluster.until_status("yes", "completed")).life.result == "sent: Hi!"
        assert (await cluster.until_status("no", "completed")).life.result == "withdrawn by client/ada"


async def test_an_answer_is_streamed() -> None:
    streamed = example("streamed")
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [streamed.answer])
        ref = await cluster.client().submit("answer", {"question": "What?", "pause_s": 0.001})
        async with asyncio.timeout(PATIENCE_S), aclosing(ref.stream()) as chunks:
            words = [chunk.value async for chunk in chunks]
        assert " ".join(words) == await ref.result(PATIENCE_S) == streamed.TEXT


async def test_a_reminder_comes_again_and_again() -> None:
    clock = WallClock()
    async with Cluster(clock) as cluster:
        await cluster.control()
        await cluster.node("n1", [example("reminder").remind])
        await cluster.client().submit("remind", {"text": "plants", "times": 2}, id="r")
        for number in (1, 2):
            await cluster.until(lambda number=number: cluster.named("r").count("task.waiting") == number)
            assert cluster.task("r").life.status == "waiting"
            clock.move(7 * 86_400)
        task = await cluster.until_status("r", "completed")
        assert [entry.result for entry in task.journal.steps() if entry.name.startswith("remind")] == [
            "for the 1. time: plants",
            "for the 2. time: plants",
        ]


async def test_a_report_is_made_each_time(stage: Stage) -> None:
    plan = plan_of("30 8 * * 1-5", "report", {"of": "sales"}, zone="Europe/Berlin")
    assert plan.task.params == {"of": "sales"}
    task = await stage.run(example("report").report, {"of": "sales"})
    assert task.life.result == "sent the report of sales: 10"


async def test_research_goes_on_without_the_source_that_is_down() -> None:
    agent = example("research_agent")
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [agent.read, agent.research], slots=10)
        found = await (await cluster.client().submit("research", {"question": "Why?"})).result(PATIENCE_S)
        assert found == {"answer": "4 sources agree: light is scattered", "missing": ["a site that is down"]}


async def test_an_order_that_can_not_be_shipped_is_undone() -> None:
    shop = example("order_saga")
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [shop.order])
        client = cluster.client()
        good = await client.submit("order", {"customer": "ada", "item": "book", "cents": 1200})
        assert await good.result(PATIENCE_S) == "book is on its way"
        await client.submit("order", {"customer": "ada", "item": "piano", "cents": 90_000}, id="bad")
        task = await cluster.until_status("bad", "failed")
        assert cluster.named("bad").count("step.compensated") == 2
        assert task.life.error is not None
        assert "too heavy" in task.life.error.message
