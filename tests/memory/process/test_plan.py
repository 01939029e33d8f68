"""What a memory process does by itself is set at its start; on request it does it in any case."""

import pytest

from clawactors.app.cli.arguments import cluster
from clawactors.app.cli.parsing import Parser, options_of
from clawactors.app.problem import Problem
from clawactors.memory.process import MemoryPlan
from tests.memory.process.conftest import Place


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
