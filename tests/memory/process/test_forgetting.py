"""Once forget has returned, nothing that was said before comes back; what is said later is new."""

import asyncio
import shutil
from typing import Any

import pytest

from clawactors.eventlog import Draft
from clawactors.kernel.errors import InvalidQuery, NotFound, Refused
from clawactors.memory.item import ItemCommand
from clawactors.systems.memories import CODEC, Content, memory_id
from clawactors.systems.memories.commands import RecordMemory
from clawactors.systems.memories.events import MemoryRecorded
from clawactors.systems.tasks import events as e
from tests.memory.process.conftest import Place


async def said(place: Place, text: str, user: str = "alice", conversation: str = "c-1") -> dict[str, Any]:
    """A message, and the job that its extraction is."""
    message = await place.memories.say(conversation, text, user=user)
    seq = place.log.last_seq
    key = f"chat/{conversation}/{message}"
    return {"key": key, "user": user, "conversation": conversation, "message": message, "seq": seq}


async def texts(place: Place, **wanted: Any) -> list[str]:
    return sorted(row["text"] for row in await place.memories.recall("", limit=100, **wanted))


async def test_a_job_that_was_queued_brings_nothing_back(place: Place) -> None:
    async with place.running():
        job = await said(place, "My locker code is 4711.")
        receipt = await place.ask("forget", owner="alice")
        assert (receipt["ids"], receipt["upto"] >= job["seq"]) == ([], True)
        assert await place.ask("extract", **job) | {"position": 0} == {"ids": [], "changed": 0, "position": 0}
        assert await texts(place) == []
        later = await said(place, "My locker code is 4711.")
        assert (await place.ask("extract", **later))["changed"] == 1
        assert await texts(place) == ["My locker code is 4711."]
        assert (await place.ask("extract", **job))["changed"] == 0


async def test_an_extraction_under_way_in_another_process_is_void_when_it_arrives(place: Place) -> None:
    """It had read the message before; its commit comes after the forgetting."""
    async with place.running():
        job = await said(place, "My locker code is 4711.")
        await place.ask("forget", owner="alice")
        late = MemoryRecorded(text="My locker code is 4711.", owner="alice", sources=(job["seq"],), origin="chat")
        id = memory_id("alice", f"{job['key']}/0")
        await place.log.append(Draft("memory", id, CODEC.encode((late,)), "late"), 0)
        note = MemoryRecorded(text="The kiln broke.", owner="alice")
        await place.log.append(Draft("memory", "m-new", CODEC.encode((note,)), "new"), 0)
        assert await texts(place) == ["The kiln broke."]
        with pytest.raises(NotFound):
            await place.ask("show", id=id)
    async with place.running("again"):
        assert await texts(place) == ["The kiln broke."]


async def test_a_consolidation_that_had_read_it_is_void_when_it_arrives(place: Place) -> None:
    async with place.running() as actor:
        id = await place.memories.remember("I live in Lisbon.", owner="alice", speaker="Alice")
        await actor.fresh()
        item = actor.store.item(id)
        assert item is not None
        fact = Content(
            text="Alice lives in Lisbon", kind="knowledge", owner="alice", sources=item.sources, parents=(id,),
            origin="consolidation",
        )  # fmt: skip
        await place.ask("forget", id=id)
        before = place.log.last_seq
        written = await actor.writer.write([ItemCommand("m-fact", RecordMemory(fact))])
        assert (written.changed, place.log.last_seq) == (0, before), "this process does not even write it"
        fields = {name: getattr(fact, name) for name in Content.__struct_fields__}
        await place.log.append(Draft("memory", "m-fact", CODEC.encode((MemoryRecorded(**fields),)), "late"), 0)
        assert await texts(place) == []


async def test_a_history_that_was_not_read_yet_is_not_remembered(place: Place) -> None:
    async with place.running() as actor:
        await place.history(
            "t-1",
            (e.Submitted(skill="fetch", params={"code": "4711"}, user="alice"),),
            (e.Scheduled(node="n1", incarnation="i", attempt=1, skill="fetch"),),
            (e.Started(),),
        )
        await place.ask("forget", owner="alice")
        await place.append("t-1", e.Completed("done with 4711"), version=place.log.last_seq - 1)
        await actor.fresh()
        assert await texts(place) == [], "its parameters were said before"
    shutil.rmtree(place.folder / "memory")
    async with place.running():
        assert await texts(place) == []


async def test_recent_and_working_no_longer_show_it(place: Place) -> None:
    async with place.running():
        await said(place, "My locker code is 4711.")
        await said(place, "The kiln broke.", user="bob")
        note = await place.memories.remember("The locker of alice has code 4711.", owner="alice")
        await place.history(
            "t-1",
            (e.Submitted(skill="ask", user="bob", params={"about": "locker"}),),
            (e.Scheduled(node="n1", incarnation="i", attempt=1, skill="ask"),),
            (e.Started(), e.Recalled((note,)), e.StepCompleted("recall", "code 4711")),
        )
        await place.history("t-2", (e.Submitted(skill="fetch", params={"code": "4711"}, user="alice"),))
        await place.ask("search", text="locker code", task="t-1")
        assert "4711" in (await place.ask("working", task="t-1"))["text"]
        await place.ask("forget", owner="alice")
        for name, question in (("recent", {}), ("working", {"task": "t-1"}), ("working", {"task": "t-2"})):
            assert "4711" not in str(await place.ask(name, **question)), name
        shown = await place.ask("recent")
        assert "The kiln broke." in str(shown)
        assert "about" in (await place.ask("working", task="t-1"))["text"]
    async with place.running("second"):
        assert "4711" not in str(await place.ask("recent"))
        assert "4711" not in str(await place.ask("working", task="t-1"))


async def test_recent_hides_the_message_of_one_forgotten_memory(place: Place) -> None:
    async with place.running():
        job = await said(place, "My locker code is 4711.")
        await said(place, "The kiln broke.")
        (id,) = (await place.ask("extract", **job))["ids"]
        await place.ask("forget", ids=[id])
        shown = str(await place.ask("recent"))
        assert "4711" not in shown
        assert "The kiln broke." in shown
        assert (await place.ask("extract", **job))["changed"] == 0


async def test_the_same_note_later_is_new_with_all_that_is_derived_from_it(place: Place) -> None:
    async with place.running() as actor:
        for _ in range(3):
            id = await place.memories.remember("I live in Lisbon.", owner="alice", speaker="Alice")
            await place.ask("consolidate")
            assert await texts(place) == ["Alice lives in Lisbon", "I live in Lisbon."]
            receipt = await place.ask("forget", id=id)
            assert (receipt["changed"], receipt["counts"]) == (2, {"raw": 1, "knowledge": 1})
            assert receipt["upto"] < receipt["position"]
            assert "stay in the log" in receipt["log"]
            assert await texts(place) == []
            assert (await place.ask("consolidate"))["changed"] == 0
        await place.memories.remember("I live in Lisbon.", owner="alice", speaker="Alice")
        await actor.fresh()
        before = actor.store.views.position, await place.ask("digest")
    async with place.running("rebuilt"):
        await place.ask("stats")
        after = await place.ask("digest")
        assert after["views"] == before[1]["views"] if "views" in after else after["digest"] == before[1]["digest"]


async def test_a_fact_that_others_state_too_is_derived_from_them_anew(place: Place) -> None:
    async with place.running() as actor:
        first = await place.memories.remember("I live in Lisbon.", owner="alice", speaker="Alice")
        await place.ask("consolidate")
        await place.memories.remember("As I said, I live in Lisbon.", owner="alice", speaker="Alice", session="c-1")
        await place.ask("consolidate")
        (edge,) = (await place.ask("about", name="Alice"))["rows"]
        receipt = await place.ask("forget", id=first)
        assert edge["id"] in receipt["ids"]
        await actor.consolidation._run_new()
        await actor.fresh()
        (edge,) = (await place.ask("about", name="Alice"))["rows"]
        assert edge["fact"]["object"] == "Lisbon"


async def test_what_was_derived_from_a_recall_is_forgotten_with_it(place: Place) -> None:
    async with place.running():
        secret = await place.memories.remember("The safe opens with 4711.", owner="alice")
        await place.history(
            "t-1",
            (e.Submitted(skill="answer", user="bob"),),
            (e.Scheduled(node="n1", incarnation="i", attempt=1, skill="answer"),),
            (e.Started(), e.Recalled((secret,))),
            (e.Completed("I live in Turin. The safe opens with 4711."),),
        )
        note = await place.memories.remember("Remember 4711", owner="bob", derived_from=[secret])
        rows = await place.memories.recall("", owner="bob", limit=10)
        assert {tuple(row["derived_from"]) for row in rows} == {(secret,)}
        assert (await place.ask("consolidate"))["commands"].get("knowledge", 0) == 0, "it is no evidence"
        receipt = await place.ask("forget", owner="alice")
        assert len(receipt["ids"]) == 3
        assert note in receipt["ids"]
        assert await texts(place) == []


async def test_a_question_that_is_asked_again_while_it_is_answered_is_answered_once(place: Place) -> None:
    """A client asks again after two seconds; forgetting many takes longer."""
    async with place.running():
        for number in range(5):
            await place.memories.remember(f"note {number}", owner="alice")
        first, second = await asyncio.gather(*(place.ask("forget", owner="alice") for _ in range(2)))
        assert first == second
        assert first["changed"] == 5


@pytest.mark.parametrize(
    ("scope", "left"),
    [
        ({"session": "c-1"}, ["alice c-2", "bob c-2"]),
        ({"owner": "alice", "session": "c-1"}, ["alice c-2", "bob c-1", "bob c-2"]),
        ({"owner": "bob", "since_ns": 150}, ["alice c-1", "alice c-2", "bob c-1"]),
        ({"until_ns": 150}, ["alice c-2", "bob c-2"]),
        ({"agent": "guide"}, ["alice c-1", "bob c-1", "bob c-2"]),
        ({"owner": "bob", "agent": "guide"}, ["alice c-1", "alice c-2", "bob c-1", "bob c-2"]),
    ],
)
async def test_a_scope_is_forgotten_and_nothing_else(place: Place, scope: dict[str, Any], left: list[str]) -> None:
    async with place.running():
        for owner in ("alice", "bob"):
            for session, at_ns in (("c-1", 100), ("c-2", 200)):
                agent = "guide" if (owner, session) == ("alice", "c-2") else ""
                await place.memories.remember(
                    f"{owner} {session}", owner=owner, session=session, happened_ns=at_ns, agent=agent
                )
        planned = await place.ask("forget", dry_run=True, **scope)
        assert len(await texts(place)) == 4
        done = await place.ask("forget", **scope)
        assert sorted(done["ids"]) == sorted(planned["ids"])
        assert await texts(place) == left
        again = await place.ask("forget", **scope)
        assert (again["ids"], again["changed"]) == ([], 0)


async def test_a_forget_that_names_nothing_or_too_much_is_refused(place: Place) -> None:
    async with place.running():
        for wrong in ({}, {"id": "m-1", "owner": "alice"}, {"ids": []}):
            with pytest.raises(InvalidQuery):
                await place.ask("forget", **wrong)
        for unknown in ("m-1", "", "é" * 600):
            with pytest.raises(NotFound):
                await place.ask("forget", ids=[unknown])
        with pytest.raises(Refused, match="stands for all"):
            await place.memories.remember("a note", owner="*")


async def test_an_owner_is_forgotten_twice_while_others_add_and_memory_consolidates(place: Place) -> None:
    async with place.running("one", "one"), place.running("two", "two") as two:
        jobs = [await said(place, f"I bought book number {number}.") for number in range(10)]
        adding = [
            place.memories.remember(f"alice read page {number}", owner="alice", speaker="Alice") for number in range(20)
        ]
        work = [place.ask("consolidate"), place.ask("forget", owner="alice"), place.ask("forget", owner="alice")]
        extracting = [place.ask("extract", **job) for job in jobs]
        await asyncio.gather(*adding, *work, *extracting, place.ask("consolidate"))
        await place.ask("forget", owner="alice")
        assert await texts(place, owner="alice") == []
        for job in jobs:
            await place.ask("extract", **job)
        await place.ask("consolidate")
        await two.fresh()
        assert await texts(place, owner="alice") == []
        assert [item for item in two.store.items() if item.memory.content] == []
