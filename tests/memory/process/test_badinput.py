"""Whatever people say, ask or send: it is kept, refused or answered, and the next question is answered too."""

import json

import pytest

from clawactors.eventlog import Draft
from clawactors.kernel.errors import Refused
from clawactors.systems.chats import CODEC, ExtractionRequested, MessageAdded
from tests.memory.process.conftest import Place

TEXTS = [
    "x",
    "林月住在拉萨 养了一只猫。",
    "mixed 脚本 текст نص and λέξη",
    "🎉🎉 the 🐈 sat on the 🧶",
    "مرحبا بالعالم، القط نائم",
    "\x00\x01\x02 ELF \x7f binary \x1b[31mlooking",
    "a" * 60_000,
    "{}[]()'\"\\;--<script>",
    "e\u0301 combining \u202e direction",
]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
async def test_odd_texts_are_kept_and_found(place: Place, text: str) -> None:
    async with place.running():
        await place.memories.remember("an ordinary note about the kiln")
        id = await place.memories.remember(text)
        found = await place.memories.recall(text[:2000], limit=10, threshold=0)
        await place.ask("consolidate")
        assert id in [row["id"] for row in found]
        assert (await place.memories.recall("the kiln"))[0]["text"] == "an ordinary note about the kiln"


@pytest.mark.parametrize(
    "text", ["", "   \n ", "x" * 1_000_000, "half \ud800 pair"], ids=["empty", "blank", "1MB", "half"]
)
async def test_what_is_no_text_is_refused_and_leaves_nothing(place: Place, text: str) -> None:
    with pytest.raises(Refused):
        await place.memories.remember(text)
    assert place.log.last_seq == 0


@pytest.mark.parametrize("fields", [{"tags": "one"}, {"importance": 7}, {"position": -1}, {"kind": "dream"}, {"x": 1}])
async def test_fields_that_do_not_fit_are_refused(place: Place, fields: dict[str, object]) -> None:
    with pytest.raises(TypeError if "x" in fields else Refused):
        await place.memories.remember("a note", **fields)  # type: ignore[arg-type]


async def test_odd_questions_are_answered(place: Place) -> None:
    async with place.running():
        await place.memories.remember("The kiln broke in June", owner="maya")
        for text in ("k", "窑", "?", "kiln " * 2000, "\x00", "🎉", "the of and", " "):
            assert isinstance(await place.memories.recall(text), list)
        assert await place.memories.recall("kiln", owner="nobody") == []
        assert await place.memories.recall("kiln", tags=["nothing"]) == []
        weak = await place.memories.recall("entirely unrelated words")
        assert [row["weak"] for row in weak] == [True]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("search", b"\xff\xfe"),
        ("search", b"[]"),
        ("search", b'{"text": 5}'),
        ("search", b'{"unknown": 1}'),
        ("search", b'{"limit": 0}'),
        ("search", b'{"limit": 1000000}'),
        ("search", b'{"threshold": 2}'),
        ("search", b'{"kind": "dream"}'),
        ("show", b"{}"),
        ("forget", b"{}"),
        ("forget", b'{"id": "a", "owner": "b"}'),
        ("working", b'{"task": "a b"}'),
        ("working", b'{"task": "a", "budget": 0}'),
        ("export", b"{" * 10_000),
    ],
)
async def test_wrong_questions_are_told_so(place: Place, name: str, body: bytes) -> None:
    async with place.running():
        assert (await place.raw(name, body))["error"]["code"] in ("usage", "refused")
        assert (await place.ask("stats"))["items"] == 0


async def test_what_is_not_there_is_not_found(place: Place) -> None:
    async with place.running():
        for name in ("show", "forget"):
            assert (await place.raw(name, b'{"id": "m-1"}'))["error"]["code"] == "not_found"


async def test_a_message_without_a_user_is_refused_and_one_made_by_hand_ends_its_own_job_only(place: Place) -> None:
    with pytest.raises(Refused, match="names its user"):
        await place.memories.say("c-1", "hello")
    events = (MessageAdded(message="m", role="user", text="hello"), ExtractionRequested("m", "", "chat/c-1/m"))
    await place.log.append(Draft("chat", "c-1", CODEC.encode(events), "by-hand"), 0)
    message = await place.memories.say("c-1", "I live in Lisbon.", user="anna")
    async with place.running():
        await place.ask("stats")
        jobs = [commit.events[0].params for commit in await place.commits("claw.task.>")]
        assert [job["user"] for job in jobs] == ["", "anna"]
        assert "error" in await place.raw("extract", json.dumps(jobs[0]).encode())
        assert (await place.ask("extract", **jobs[1]))["changed"] == 1
        assert jobs[1]["message"] == message


async def test_garbage_in_the_log_stops_nothing(place: Place) -> None:
    for number, kind in enumerate(("task", "chat", "memory")):
        await place.log.append(Draft(kind, "x", b"\xff garbage", f"g-{number}"), 0)
    later = b'{"v":1,"events":[{"type":"memory.dreamt"}]}'
    await place.log.append(Draft("memory", "y", later, "g-9"), 0)
    async with place.running():
        await place.memories.remember("The kiln broke")
        assert len(await place.memories.recall("kiln")) == 1
