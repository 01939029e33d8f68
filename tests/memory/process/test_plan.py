"""What a memory process does by itself is set at its start; on request it does it in any case."""

import asyncio

import pytest

from clawactors.app.cli.arguments import cluster
from clawactors.app.cli.parsing import Parser, options_of
from clawactors.app.problem import Problem
from clawactors.memory.process import MemoryPlan, consolidation
from tests.memory.process.conftest import PATIENCE_S, Place
from tests.waiting import until


async def test_without_the_increments_memory_concludes_daily_or_on_request(place: Place) -> None:
    plan = MemoryPlan(daily_s=0, incremental=False)
    async with place.running(plan=plan) as actor:
        await place.memories.remember("I live in Lisbon.", owner="ana", speaker="Ana")
        stats = await place.ask("stats")
        assert not actor.consolidation._new, "nothing waits to be consolidated"
        assert stats["kinds"] == {"raw": 1, "summary": 0, "knowledge": 0}
        assert stats["plan"] == {"daily_s": 0, "incremental": False, "extracts": True}
        await place.ask("consolidate")
        assert (await place.ask("stats"))["kinds"]["knowledge"] == 1


async def test_without_extraction_messages_make_no_jobs(place: Place) -> None:
    async with place.running(plan=MemoryPlan(extracts=False)):
        await place.memories.say("c", "I live in Lisbon.", user="ana")
        await place.ask("stats")  # fresh: the jobs would be made
        assert await place.commits("claw.chat.>")
        assert not await place.commits("claw.task.>")


async def knows_more(place: Place, than: int) -> bool:
    found: int = (await place.ask("stats"))["kinds"]["knowledge"]
    return found > than


async def test_a_plan_that_changes_counts_at_once_and_makes_up_for_what_came_before(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consolidation, "_SETTLE_S", 0.01)
    off = MemoryPlan(daily_s=0, incremental=False, extracts=False)
    async with place.running(plan=off) as actor, asyncio.timeout(PATIENCE_S):
        await place.memories.remember("I live in Lisbon.", owner="ana", speaker="Ana")
        assert (await place.ask("stats"))["kinds"]["knowledge"] == 0
        actor.replan(MemoryPlan(daily_s=0))
        await until(lambda: knows_more(place, 0), "it consolidates")
        actor.replan(off)
        await place.memories.remember("I work for Acme.", owner="ana", speaker="Ana")
        assert (await place.ask("stats"))["plan"]["incremental"] is False
        known = (await place.ask("stats"))["kinds"]["knowledge"]
        actor.replan(MemoryPlan(daily_s=0.2, incremental=False))
        await until(lambda: knows_more(place, known), "it consolidates by itself")


async def test_extraction_is_switched_on_for_the_messages_that_follow(place: Place) -> None:
    async with place.running(plan=MemoryPlan(extracts=False)) as actor:
        await place.memories.say("c", "I live in Lisbon.", user="ana")
        await place.ask("stats")
        actor.replan(MemoryPlan())
        await place.memories.say("c", "I work for Acme.", user="ana")
        await place.ask("stats")
        assert len(await place.commits("claw.task.>")) == 1


def test_the_options_of_up_say_how_often() -> None:
    def given(*words: str) -> tuple[float | None, bool | None, bool | None]:
        parser = Parser("claw up", "")
        cluster.up(parser)
        options = options_of(parser, words)
        return options.memory_daily, options.memory_incremental, options.memory_extracts

    assert given() == (None, None, None), "the settings of the cluster count"
    assert given("--memory-daily", "12h", "--no-memory-incremental") == (43_200, False, None)
    assert given("--memory-daily", "off", "--no-memory-extraction") == (0, None, False)
    for word in ("0s", "soon", "10ms"):
        with pytest.raises(Problem):
            given("--memory-daily", word)
