"""A memory process with models: vectors in the background, proposals as events, and what happens when they fail."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from clawactors.memory.models.parts import MemoryParts, parts_of
from clawactors.memory.models.settings import EndpointSettings, MemoryConfig, PartSettings
from clawactors.memory.process import MemoryPlan
from clawactors.systems.memories import events as e
from tests.memory.models.stub import DIM, Stub, said, serving, well
from tests.memory.process.conftest import PATIENCE_S, Place

pytest.importorskip("httpx")

TEXT = "On Sundays I am to be found behind the cello."
FACT = {"subject": "speaker", "predicate": "plays", "object": "cello", "quote": "behind the cello"}
LIE = FACT | {"object": "violin"}


def answering(path: str, body: Any) -> tuple[int, dict[str, str], bytes]:
    """The model reads one fact and invents one, in every text."""
    if not path.endswith("/chat/completions"):
        return well(path, body)
    content = json.dumps({"facts": [FACT, LIE]})
    return said({"choices": [{"message": {"role": "assistant", "content": f"```json\n{content}\n```"}}]})


def parts(stub: Stub, **more: Any) -> MemoryParts:
    named = {"endpoint": "stub", "model": "m", "use": "endpoint"}
    endpoints = {"stub": EndpointSettings(url=stub.url, attempts=1, timeout_s=5)}
    return parts_of(
        MemoryConfig(
            embed=PartSettings(**named, dimensions=DIM), extract=PartSettings(**named), endpoints=endpoints, **more
        )
    )


async def proposed(place: Place) -> list[e.MemoryRecorded]:
    commits = await place.commits("claw.memory.>")
    events = [event for commit in commits for event in commit.events if isinstance(event, e.MemoryRecorded)]
    return [event for event in events if event.fact and event.fact.predicate == "plays"]


async def test_a_proven_fact_becomes_an_event_and_a_replay_asks_no_model(place: Place, tmp_path: Path) -> None:
    with serving() as stub:
        stub.reply = answering
        async with place.running(parts=parts(stub)) as actor, asyncio.timeout(PATIENCE_S):
            await place.memories.remember(TEXT, owner="maya", speaker="Maya")
            await actor.fresh()
            while not (found := await proposed(place)):
                await place.ask("consolidate")
            assert [(event.fact.subject, event.fact.object) for event in found if event.fact] == [("Maya", "cello")]
            assert (await place.ask("about", name="Maya"))["rows"][0]["fact"]["object"] == "cello"
            stats = await place.ask("stats")
            counts = stats["proposals"]
            assert (counts["asked"], counts["accepted"], counts["refused"]) == (1, 1, 1)
            while stats["models"]["missing"] or stats["models"]["served"] == "hashed":
                stats = await place.ask("stats")
            assert stats["models"] == {"embedder": f"{stub.url} m {DIM}", "served": f"{stub.url} m {DIM}"} | {
                "missing": 0,
                "trouble": "",
            }
            rows = await place.ask("digest")
        asked = len(stub.asked)
    async with place.running("replayed") as actor, asyncio.timeout(PATIENCE_S):
        await actor.fresh()
        assert (await place.ask("about", name="Maya"))["rows"][0]["fact"]["object"] == "cello"
        assert (await place.ask("digest"))["digest"] == rows["digest"], "rows depend on no model"
    assert len(stub.asked) == asked
    assert len(await proposed(place)) == 1


async def test_memory_works_while_its_models_fail(place: Place) -> None:
    with serving() as stub:
        stub.reply = lambda path, body: said(b"<html>down</html>", 503)
        async with place.running(parts=parts(stub)) as actor, asyncio.timeout(PATIENCE_S):
            await place.memories.remember("The kiln broke", owner="maya")
            await place.memories.remember("I live in Graz.", owner="maya", speaker="Maya")
            await actor.fresh()
            assert (await place.memories.recall("kiln", owner="maya"))[0]["text"] == "The kiln broke"
            while not (await place.ask("about", name="Maya"))["rows"]:
                await place.ask("consolidate")
            stats = await place.ask("stats")
            assert "503" in stats["models"]["trouble"]
            assert stats["models"]["missing"] >= 2
            assert stats["proposals"]["waiting"] == 2
            stub.reply = answering
            actor.consolidation.proposing._rests_until = 0.0
            await place.memories.remember(TEXT, owner="maya", speaker="Maya")
            while not await proposed(place):
                await place.ask("consolidate")
            while (await place.ask("stats"))["proposals"]["waiting"]:
                await place.ask("consolidate")


async def test_summaries_of_a_model_are_checked_and_asked_for_once(place: Place) -> None:
    words = ["Maya broke the kiln. Tom was called."]

    def reply(path: str, body: Any) -> tuple[int, dict[str, str], bytes]:
        told = body["messages"][0]["content"]
        return said({"choices": [{"message": {"content": words[0] if "summarize" in told else '{"facts": []}'}}]})

    async def summaries() -> list[str]:
        rows = (await place.ask("export"))["rows"]
        return [row["text"] for row in rows if row["kind"] == "summary"]

    with serving() as stub:
        stub.reply = reply
        named = {"endpoint": "stub", "model": "m", "use": "endpoint"}
        endpoints = {"stub": EndpointSettings(url=stub.url, attempts=1, timeout_s=5)}
        made = parts_of(MemoryConfig(summarize=PartSettings(**named), endpoints=endpoints))
        plan = MemoryPlan(incremental=False)
        async with place.running(parts=made, plan=plan) as actor, asyncio.timeout(PATIENCE_S):
            for session in ("one", "two"):
                for at, text in enumerate(["I broke the kiln today.", "I called Tom, who ordered a new coil."]):
                    await place.memories.remember(text, owner="maya", speaker="Maya", session=session, position=at)
            await actor.fresh()
            await place.ask("consolidate")
            assert await summaries() == words * 2
            await place.ask("consolidate")
            assert len(stub.asked) == 2
            words[0] = "Anna broke 7 kilns."
            await place.memories.remember("It rained.", owner="maya", speaker="Maya", session="two", position=2)
            await place.ask("consolidate")
            texts = await summaries()
            assert words[0] not in texts
            assert "It rained" in texts[1], "the rules choose sentences where the model invents"
