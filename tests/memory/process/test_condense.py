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
        assert (await place.ask("show", id=id))["row"]["text"] == gist["text"]
        assert (await place.ask("consolidate"))["changed"] == 0
        version = actor.store.views.position
        await place.ask("consolidate")
        assert actor.store.views.position == version


async def test_the_whole_text_follows_the_knowledge_when_it_is_replaced_and_forgotten(place: Place) -> None:
    async with place.running():

        async def remembered(text: str) -> str:
            id = await place.memories.remember(text, key="gateway", kind="knowledge", owner="maya")
            await place.ask("consolidate")
            return id

        async def found(words: str) -> list[str]:
            rows = await place.memories.recall(words, owner="maya", threshold=0.0)
            return [row["text"] for row in rows if words in row["text"]]

        id = await remembered(LONG)
        assert LONG in await found("Paris")
        later = LONG.replace("Paris", "Brussels")
        assert await remembered(later) == id
        assert (await found("Paris"), later in await found("Brussels")) == ([], True)
        await remembered("There is no gateway any more.")
        assert await found("Brussels") == []
        await remembered(LONG)
        assert LONG in await found("Paris")
        await place.ask("forget", id=id)
        assert await found("Paris") == []
        await remembered(LONG)
        assert LONG in await found("Paris"), "what is said later is new"
