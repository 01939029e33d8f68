"""Knowledge written down at length is condensed when it is added, once, and nothing of it is lost."""

from clawactors.memory.consolidation.summary import SUMMARY_LIMIT
from tests.memory.process.conftest import Place

LONG = (
    "The gateway in Frankfurt terminates TLS for all shops. Its certificate is renewed by itself every sixty days. "
    "An alarm warns fourteen days before it expires. The old gateway in Paris was switched off in March. "
    "Ana looks after both, and Tom is her deputy. Lunch on the day of the move was good."
)


async def test_long_knowledge_becomes_a_gist_and_its_whole_text_a_raw_memory(place: Place) -> None:
    async with place.running() as actor:
        id = await place.memories.remember(LONG, kind="knowledge", owner="maya", tags=["network"])
        short = await place.memories.remember("The office closes at six.", kind="knowledge", owner="maya")
        await place.ask("consolidate")
        gist = (await place.ask("show", id=id))["row"]
        assert gist["kind"] == "knowledge"
        assert len(gist["text"]) <= SUMMARY_LIMIT
        assert "network" in gist["tags"]
        (whole,) = gist["parents"]
        row = (await place.ask("show", id=whole))["row"]
        assert (row["kind"], row["text"], row["owner"]) == ("raw", LONG, "maya")
        assert (await place.ask("show", id=short))["row"]["text"] == "The office closes at six."
        assert await place.memories.remember(LONG, kind="knowledge", owner="maya", tags=["network"]) == id
        assert (await place.ask("consolidate"))["changed"] == 0
        version = actor.store.views.position
        await place.ask("consolidate")
        assert actor.store.views.position == version
