"""Memory is asked as it was; what is forgotten since is gone from the past too."""

import pytest

from clawactors import InvalidQuery, NotFound
from tests.memory.process.conftest import Place


async def test_it_is_searched_shown_listed_and_counted_as_it_was(place: Place) -> None:
    async with place.running():
        first = await place.memories.remember("The deploy key of the rover lives in the blue cabinet")
        then = (await place.log.head()).last_seq
        second = await place.memories.remember("The deploy key of the rover lives in the red cabinet")
        text = "where is the deploy key of the rover"
        now = {row["id"] for row in (await place.ask("search", text=text))["rows"]}
        assert {first, second} <= now
        past = await place.ask("search", text=text, at_seq=then)
        assert ([row["id"] for row in past["rows"]], past["position"]) == ([first], then)
        assert [row["id"] for row in (await place.ask("search", at_seq=then))["rows"]] == [first]
        assert (await place.ask("show", id=first, at_seq=then))["row"]["id"] == first
        with pytest.raises(NotFound):
            await place.ask("show", id=second, at_seq=then)
        assert [row["id"] for row in (await place.ask("export", at_seq=then))["rows"]] == [first]
        assert (await place.ask("stats", at_seq=then))["items"] == 1


async def test_what_was_forgotten_since_is_gone_from_the_past_too(place: Place) -> None:
    async with place.running():
        kept = await place.memories.remember("The kettle is on the second shelf")
        secret = await place.memories.remember("The secret of the kettle is whispered")
        then = (await place.log.head()).last_seq
        assert {row["id"] for row in (await place.ask("export", at_seq=then))["rows"]} == {kept, secret}
        await place.memories.forget(secret)
        assert [row["id"] for row in (await place.ask("export", at_seq=then))["rows"]] == [kept]
        found = (await place.ask("search", text="the secret of the kettle", at_seq=then))["rows"]
        assert secret not in {row["id"] for row in found}
        assert "whispered" not in str(found)
        with pytest.raises(NotFound):
            await place.ask("show", id=secret, at_seq=then)


async def test_the_past_can_not_be_changed_and_has_no_future(place: Place) -> None:
    async with place.running():
        id = await place.memories.remember("Something")
        for name, question in (("consolidate", {}), ("about", {"name": "x"}), ("context", {"text": "x"})):
            with pytest.raises(InvalidQuery, match="the past of memory can be searched"):
                await place.ask(name, at_seq=1, **question)
        with pytest.raises(InvalidQuery, match="the log ends at"):
            await place.ask("show", id=id, at_seq=10**9)
