"""Contexts as memory's process answers them: packed, cached, and never older than what memory knows."""

import pytest

from clawactors.kernel.errors import InvalidQuery
from clawactors.runtime.packing import token_count
from tests.memory.process.conftest import Place

QUESTION = "what about the SSH port of the build server?"
NOTES = (
    "The SSH port of the build server is 49222.",
    "the SSH port of the build server is 49222!",
    "The build server is called forge, and Ana looks after it.",
    "Lunch was good.",
)


async def test_a_context_packs_what_answers_once_with_its_sources_and_sizes(place: Place) -> None:
    async with place.running():
        ids = [await place.memories.remember(text, owner="maya") for text in NOTES]
        answer = await place.memories.context(QUESTION, tokens=500, owner="maya")
        first = answer["items"][0]
        assert "49222" in answer["text"]
        assert answer["text"].count("49222") == 1
        assert {first["id"], *first["also"]} >= set(ids[:1])
        assert first["sources"]
        assert "Lunch" not in answer["text"]
        assert token_count(answer["text"]) == answer["tokens"] <= 500
        assert answer["tokens_before"] > answer["tokens"], "one note says the same again"
        absent = await place.memories.context("who is the president of France?", owner="maya")
        assert (absent["text"], absent["found"], absent["omitted"]) == ("", 0, 0)
        closest = await place.memories.context("who is the president of France?", owner="maya", threshold=0.0)
        assert closest["items"]
        small = await place.memories.context(QUESTION, tokens=10, owner="maya")
        assert (small["text"], small["items"], small["needed"] > 10) == ("", [], True)
        by_hand = await place.memories.context(QUESTION, tokens=60, count=len, owner="maya")
        assert len(by_hand["text"]) <= 60
        with pytest.raises(InvalidQuery, match="tokens is 0"):
            await place.memories.context(QUESTION, tokens=0)


async def test_a_cached_context_is_dropped_when_its_owners_memory_changes_or_is_forgotten(place: Place) -> None:
    async with place.running() as actor:

        async def asked() -> tuple[bool, str]:
            answer = await place.memories.context(QUESTION, owner="maya")
            assert answer["packed_bytes"] > 0
            return answer["cached"], answer["text"]

        id = await place.memories.remember(NOTES[0], owner="maya")
        await place.ask("consolidate")
        assert await asked() == (False, (await asked())[1])
        assert (await asked())[0]
        await place.memories.remember("The build server is asleep.", owner="bob")
        await place.memories.remember("Ana is on leave.", owner="bob")
        assert (await asked())[0], "another owner's memory changes nothing"
        await place.memories.remember("The SSH port of the build server was opened for Ana.", owner="maya")
        cached, text = await asked()
        assert (cached, "opened for Ana" in text) == (False, True)
        await place.ask("consolidate")
        await asked()
        assert (await asked())[0]
        await place.ask("forget", id=id)
        cached, text = await asked()
        assert (cached, "49222" in text) == (False, False)
        await asked()
        await place.ask("forget", owner="maya")
        assert await asked() == (False, "")
        time = actor.context.time
        time.follow(time.now_ns() + 3601 * 10**9, time.asking())
        assert not (await asked())[0], "it expires after an hour"


async def test_a_small_context_holds_what_is_true_now_not_the_summary_of_what_was(place: Place) -> None:
    async with place.running():
        said = {"owner": "maya", "session": "spring", "origin": "chat"}
        for day, text in enumerate(
            ("My eye test is on 3 May at 14:30.", "I painted the kiln.", "The clinic moved my eye test to 17 May."), 1
        ):
            await place.memories.remember(text, at=f"2026-04-{10 * day}T09:00:00Z", position=day, **said)
        await place.ask("consolidate")
        answer = await place.memories.context("When is my eye test?", tokens=60, owner="maya")
        assert "17 May" in answer["text"]
        assert "3 May" not in answer["text"].partition("no longer true")[0]


async def test_a_context_is_made_anew_once_its_owner_means_days_otherwise(place: Place) -> None:
    async with place.running():

        async def is_cached() -> bool:
            return bool((await place.memories.context("What happened on 5/6/2026?", owner="maya"))["cached"])

        await place.memories.remember("The kiln broke.", owner="maya", happened_ns=1_780_000_000 * 10**9)
        await is_cached()
        assert await is_cached()
        changes: list[dict[str, str]] = [{"zone": "Asia/Tokyo"}, {"language": "en_GB"}, {"language": "en_US"}]
        for change in changes:
            await place.memories.settings("maya", **change)  # type: ignore[arg-type]
            assert not await is_cached(), change
            assert await is_cached()
    async with place.running():
        assert not await is_cached(), "a restart begins with none"
