"""What users of other memories have reported as bugs, tried here; where it is public, with the issue."""

import json
from typing import Any

import pytest

from clawactors.eventlog import TooLarge
from clawactors.kernel.errors import Refused
from tests.memory.process.conftest import Place

ODD = "\u202e\u200b👩‍💻 ' OR 1=1; -- %_ (((\\ {{x}} <script> \x07"


async def texts(place: Place, text: str = "", **wanted: Any) -> list[str]:
    wanted = {"limit": 1000, "threshold": 0} | wanted
    return [row["text"] for row in await place.memories.recall(text, **wanted)]


async def test_forgetting_an_owner_is_whole_and_leaves_all_others(place: Place) -> None:
    """mem0 3928, 3746 (everybody's went), 4957 (100 of 148), 3695 (still found)."""
    async with place.running():
        notes = [(f"note {n} of ada", "ada") for n in range(260)] + [("note of bob", "bob"), ("note of nobody", "")]
        for text, owner in notes:
            await place.memories.remember(text, owner=owner)
        receipt = await place.memories.forget(owner="ada")
        assert receipt["changed"] == 260
        assert sorted(await texts(place, "note")) == ["note of bob", "note of nobody"]
        for nothing in ({}, {"owner": ""}, {"ids": []}):
            with pytest.raises(Refused):
                await place.ask("forget", **nothing)


async def test_names_that_stand_for_everybody_are_nobodys(place: Place) -> None:
    """ruflo 1137, langgraph 7575: a reserved name is refused wherever a name is taken."""
    async with place.running():
        await place.memories.remember("My pin is 4711", owner="ada")
        for call in (
            place.memories.remember("x", owner="*"),
            place.memories.say("c-1", "I moved to Graz.", user="*"),
            place.memories.settings("*", memory=False),
            place.ask("export", owner="*"),
            place.ask("search", text="pin", owner="*"),
        ):
            with pytest.raises(Refused):
                await call


async def test_reading_makes_nothing(place: Place) -> None:
    """langgraph 8734: a name that was only asked for is listed."""
    async with place.running():
        end = place.log.last_seq
        for owner in ("ghost", "Ghost"):
            await place.memories.settings(owner)
            assert await texts(place, "anything", owner=owner) == []
            await place.memories.context("anything", owner=owner)
        assert (await place.ask("stats"))["owners"] == {}
        assert place.log.last_seq == end


@pytest.mark.parametrize(
    "text",
    [
        ODD,
        "🚀🚀🚀",
        "﷽" * 100,
        "a" * 60_000,
        "e\u0301" * 200,
        "\ufeffBOM",
        "line\r\nline\rline\u2028line",
        "null: \x00",
        "0",
        "None",
    ],
    ids=["odd", "emoji", "wide", "long", "combining", "bom", "ends", "nul", "zero", "none"],
)
async def test_odd_texts_are_kept_found_and_exported(place: Place, text: str) -> None:
    async with place.running():
        id = await place.memories.remember(
            text, owner="ada", key=ODD, tags=[ODD[:40]], speaker=ODD[:40], session=ODD[:40]
        )
        assert await place.memories.remember(text, owner="ada", key=ODD) == id
        for question in (text[:8000], ODD, "???", "the of and", "(((", "\x00", " \u200b "):
            await texts(place, question, owner="ada")
            await place.memories.context(question, owner="ada", threshold=0)
        (row,) = [row async for row in place.memories.export("ada")]
        assert row["text"].replace("\x00", "") == text.replace("\x00", "") or row["text"]
        await place.ask("consolidate")
        await place.memories.forget(id)
        assert await texts(place, owner="ada") == []


@pytest.mark.parametrize("text", ["", "   ", "\u200b\u200b", "\ufeff", "\n\t", "\x00"])
async def test_texts_of_nothing_are_refused(place: Place, text: str) -> None:
    async with place.running():
        with pytest.raises(Refused, match="text"):
            await place.memories.remember(text, owner="ada")
        with pytest.raises(Refused, match="text"):
            await place.memories.say("c-1", text, user="ada")


async def test_half_an_emoji_is_refused_wherever_it_stands(place: Place) -> None:
    """Texts that were cut between the two halves of a character."""
    half = "cut here: \ud83d"
    async with place.running():
        for call in (
            place.memories.remember(half, owner="ada"),
            place.memories.remember("x", owner=half),
            place.memories.remember("x", owner="ada", tags=[half]),
            place.memories.say("c-1", half, user="ada"),
            place.memories.say("c-1", "x", user=half),
            place.memories.recall(half),
            place.memories.context(half),
        ):
            with pytest.raises(Refused, match="no valid Unicode"):
                await call
        assert await texts(place) == []


async def test_a_text_beyond_the_limit_is_refused_and_a_long_message_is_cut(place: Place) -> None:
    """A note that is too long is told, never cut in silence; of a long message the end is found."""
    async with place.running():
        with pytest.raises((Refused, TooLarge), match="split it"):
            await place.memories.remember("x" * 70_000, owner="ada")
        await place.memories.say("c-1", "It went on. " * 6000 + "The vault opens with 4711.", user="ada")
        assert await texts(place) == []


@pytest.mark.parametrize("at", ["2026-07-09 10:39:17.281+00", "2026-07-09T10:39:17Z", "2026-07-09T12:39:17+02:00"])
async def test_times_with_and_without_a_zone_are_one(place: Place, at: str) -> None:
    """graphiti 920, 893: times with a zone and without can't be compared; «+00» as databases write it."""
    async with place.running():
        await place.memories.remember("The kiln broke.", owner="ada", at=at)
        (row,) = await place.memories.recall("kiln", owner="ada")
        assert row["at"].startswith("2026-07-09T10:39:17")


async def test_a_state_that_comes_again_holds_again(place: Place) -> None:
    """graphiti 1865: the second time of the same fact is taken for the first, which has ended."""
    async with place.running():
        for day, text in enumerate(("I live in Graz", "I moved to Bonn", "I moved to Graz"), 1):
            await place.memories.remember(text, owner="ada", speaker="Ada", happened_ns=day * 86_400 * 10**9)
        await place.ask("consolidate")
        rows = (await place.ask("about", name="Ada", owner="ada", past=True))["rows"]
        holding = [row["fact"]["object"] for row in rows if row["holds"]]
        assert holding == ["Graz"]
        assert "Graz" in (await place.memories.recall("Where does Ada live?", owner="ada"))[0]["text"]


async def test_facts_in_circles_end(place: Place) -> None:
    async with place.running():
        for text in (
            "Graz is in Styria", "Styria is in Graz", "Graz is in Graz", "I am my own boss", "My boss is Ada",
            "Leo, aka Leo", "Leo, aka Bo", "Bo, aka Mo", "Mo, aka Leo", "Ana is my sister", "My sister is Ada",
        ):  # fmt: skip
            await place.memories.remember(text, owner="ada", speaker="Ada")
        first = await place.ask("consolidate")
        again = await place.ask("consolidate")
        assert first["refused"] == 0
        assert again["changed"] == 0
        for question in ("Who lives where Ada lives?", "Who is Mo?", "Whose boss is Ada?"):
            await texts(place, question, owner="ada")
        for name in ("Graz", "Leo", "Ada"):
            await place.ask("about", name=name, owner="ada", depth=9)


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit": 0}, {"limit": -1}, {"limit": 10**9}, {"threshold": 2}, {"threshold": -0.1}, {"zone": "Mars/Olympus"},
        {"kind": "dream"}, {"tags": "one text"}, {"colour": "red"}, {"like": "m-no-such"},
    ],
    ids=str,
)  # fmt: skip
async def test_wrong_questions_are_refused_with_the_reason(place: Place, wrong: dict[str, Any]) -> None:
    async with place.running():
        await place.memories.remember("The kiln broke.", owner="ada")
        reply = await place.raw("search", json.dumps({"text": "kiln", **wrong}).encode())
        assert reply["error"]["code"] in ("usage", "refused", "not_found")
        assert await texts(place, "kiln") == ["The kiln broke."]


async def test_a_name_in_two_spellings_of_unicode_is_one_owner(place: Place) -> None:
    """The same name typed on two systems: composed and decomposed."""
    async with place.running():
        await place.memories.remember("The kiln broke.", owner="Zo\u00eb")
        assert await texts(place, "kiln", owner="Zoe\u0308") == ["The kiln broke."]
        await place.memories.forget(owner="Zoe\u0308")
        assert await texts(place, "kiln") == []
