"""Whose memories are read, changed and kept: owners, sharing, settings, versions, use, audit."""

import asyncio
from typing import Any

import pytest

from clawactors.kernel.errors import InvalidQuery, NotFound, Refused
from clawactors.kernel.principals import principal_of
from clawactors.memory.process.plan import MemoryPlan
from clawactors.runtime.client.recording import ClientMemories
from clawactors.systems.tasks import events as e
from tests.memory.process.conftest import PATIENCE_S, Place
from tests.memory.process.test_forgetting import said, texts


def client_of(place: Place, user: str) -> ClientMemories:
    """Memory as the client of that user sees it, on a subject that names the user."""
    return ClientMemories(place.memories._conversations, place.requests.of(principal_of(user)), user)


async def found(memories: ClientMemories, text: str = "", **wanted: Any) -> list[str]:
    return sorted(row["text"] for row in await memories.recall(text, limit=50, threshold=0, **wanted))


# Owners


async def test_a_user_sees_their_own_memories_and_what_nobody_owns(place: Place) -> None:
    async with place.running():
        alice, bob = client_of(place, "alice"), client_of(place, "bob")
        secret = await alice.remember("My locker code is 4711.")
        await bob.remember("My locker code is 1234.")
        await place.memories.remember("Lockers are in the basement.")
        for text in ("", "locker code", "4711", "7", "码", "MY LOCKER CODE IS 4711."):
            assert await found(bob, text) == ["Lockers are in the basement.", "My locker code is 1234."], text
        assert await found(bob, owner="bob") == ["My locker code is 1234."]
        assert len(await found(place.memories)) == 3, "the cluster's own account sees everything"
        assert await found(place.memories, owner="alice") == ["My locker code is 4711."]
        with pytest.raises(Refused, match="'alice' does not share memories with 'bob'"):
            await bob.recall("locker", owner="alice")
        for question in ("show", "archive", "audit", "history"):
            with pytest.raises(NotFound):
                await bob.ask(f"memory.{question}", id=secret)
        for call in (bob.update(secret, "gone"), bob.forget(secret), bob.recall("", like=secret)):
            with pytest.raises(NotFound):
                await call
        with pytest.raises(Refused):
            await bob.forget(owner="alice")
        assert [row["text"] async for row in bob.export()] == ["My locker code is 1234."]
        stats = await bob.ask("memory.stats")
        assert stats["owners"] == {"bob": 1, "": 1}


async def test_one_question_may_ask_for_all_that_others_share_as_well(place: Place) -> None:
    async with place.running():
        own, alice, bob, cleo = place.memories, *(client_of(place, name) for name in ("alice", "bob", "cleo"))
        await own.remember("Locker 1 is in the basement.")
        for client, number in ((alice, 2), (bob, 3), (cleo, 4)):
            await client.remember(f"Locker {number} is mine.")
        await alice.settings(sharing=["bob"])
        both = ["Locker 1 is in the basement.", "Locker 2 is mine.", "Locker 3 is mine."]
        assert await found(bob, "locker", shared=True) == await found(bob, shared=True) == both
        assert await found(cleo, "locker", shared=True) == ["Locker 1 is in the basement.", "Locker 4 is mine."]
        assert len(await found(own, "locker", shared=True)) == 4
        with pytest.raises(InvalidQuery, match="leave out owner, or shared"):
            await bob.recall("locker", owner="alice", shared=True)
        for _ in range(2):
            text = (await bob.context("which locker?", shared=True, threshold=0))["text"]
            assert [f"Locker {number}" in text for number in (1, 2, 3, 4)] == [True, True, True, False]
        await alice.settings(sharing=[])
        assert "Locker 2" not in (await bob.context("which locker?", shared=True, threshold=0))["text"]
        assert await found(bob, "locker", shared=True) == [both[0], both[2]]


async def test_what_others_say_in_the_same_conversation_tells_a_user_nothing(place: Place) -> None:
    async with place.running():
        alice, bob = client_of(place, "alice"), client_of(place, "bob")
        await alice.remember("My vacation begins on 21 December.", session="standup", position=1)
        quota = "It was raised to five thousand a minute."
        await bob.remember(quota, session="standup", position=2)
        await alice.remember("Cleo is blocked by the API quota.", session="standup", position=3)
        own = await place.memories.recall("the API quota of Cleo")
        assert quota in [row["text"] for row in own if not row["weak"]], "who reads both, reads them as one talk"
        for question in ("the API quota of Cleo", "Whose vacation begins in December?"):
            rows = await bob.recall(question)
            assert [(row["text"], row["weak"]) for row in rows] == [(quota, True)]
            assert (await bob.context(question))["text"] == ""
        await alice.settings(sharing=["bob"])
        shared = await bob.recall("Which quota was raised to five thousand a minute?", owner="alice")
        assert not [row for row in shared if not row["weak"]], "nor do own words make those of others an answer"


async def test_a_user_may_ask_any_number_of_questions_at_once(place: Place) -> None:
    async with place.running():
        clients = [client_of(place, "alice") for _ in range(3)]
        await clients[0].remember("My locker code is 4711.")
        asked = [client.recall(f"locker code {n}", threshold=0) for client in clients for n in range(40)]
        rows = await asyncio.gather(*asked)
        assert {row["text"] for found in rows for row in found} == {"My locker code is 4711."}


async def test_a_context_is_for_who_asks_and_so_is_its_cache(place: Place) -> None:
    async with place.running():
        alice, bob = client_of(place, "alice"), client_of(place, "bob")
        await alice.remember("My locker code is 4711.")
        await bob.remember("My locker code is 1234.")
        own = place.memories
        for _ in range(2):
            answers = [await each.context("which locker code?", threshold=0) for each in (alice, bob, own)]
            assert [("4711" in each["text"], "1234" in each["text"]) for each in answers] == [
                (True, False), (False, True), (True, True),
            ]  # fmt: skip
        assert [each["cached"] for each in answers] == [True, True, True]
        with pytest.raises(Refused):
            await bob.context("which locker code?", owner="alice")
        await alice.settings(sharing=["bob"])
        assert "4711" in (await bob.context("which locker code?", owner="alice"))["text"]
        await alice.settings(sharing=[])
        with pytest.raises(Refused):
            await bob.context("which locker code?", owner="alice")
        await alice.forget(owner="alice")
        for each in (alice, own):
            assert "4711" not in (await each.context("which locker code?", threshold=0))["text"]


async def test_facts_recent_events_and_working_memory_are_those_of_the_user(place: Place) -> None:
    async with place.running():
        alice, bob = client_of(place, "alice"), client_of(place, "bob")
        await said(place, "My locker code is 4711.")
        await alice.remember("I live in Lisbon.", speaker="Alice")
        await place.history("t-1", (e.Submitted(skill="fetch", params={"code": "4711"}, user="alice"),))
        await place.ask("consolidate")
        assert len((await alice.ask("memory.about", name="Alice"))["rows"]) == 1
        assert (await bob.ask("memory.about", name="Alice"))["rows"] == []
        assert "4711" in str(await alice.ask("memory.recent"))
        assert (await bob.ask("memory.recent"))["rows"] == []
        with pytest.raises(NotFound):
            await bob.ask("memory.working", task="t-1")


async def test_nobody_asks_for_somebody_else(place: Place) -> None:
    async with place.running():
        bob, wen = client_of(place, "bob"), client_of(place, "小雯")
        with pytest.raises(Refused, match="can't ask for 'alice'"):
            await bob.ask("memory.search", text="locker", user="alice")
        for call in (bob.remember("x", owner="alice"), bob.say("c-1", "x", user="alice")):
            with pytest.raises(Refused, match="alice"):
                await call
        await wen.remember("窑炉坏了", owner="")
        await wen.remember("我搬到了拉萨")
        assert await found(wen) == ["我搬到了拉萨", "窑炉坏了"]
        assert await found(bob) == ["窑炉坏了"]


async def test_an_owner_shares_with_users_agents_or_everyone(place: Place) -> None:
    async with place.running():
        alice, bob = client_of(place, "alice"), client_of(place, "bob")
        await alice.remember("The kiln needs 1240 degrees.")
        task = {"task": "t-1", "user": "carol", "skill": "fire-kiln", "owner": "alice"}
        await alice.settings(sharing=["bob"])
        assert await found(bob, owner="alice") == ["The kiln needs 1240 degrees."]
        assert await found(bob) == [], "only where it is asked for"
        with pytest.raises(Refused):
            await found(place.memories, **task)
        await alice.settings(sharing=["agent:fire-kiln"])
        assert len(await found(place.memories, **task)) == 1
        with pytest.raises(Refused):
            await found(bob, owner="alice")
        await alice.settings(sharing=["*"])
        assert len(await found(bob, owner="alice")) == 1
        with pytest.raises(Refused, match="may not change"):
            await bob.settings("alice", sharing=["*"])
        with pytest.raises(Refused, match="may not change"):
            await bob.forget(owner="alice")


async def test_agents_and_conversations_are_scopes(place: Place) -> None:
    async with place.running():
        for agent in ("", "guide", "cook"):
            for session in ("", "c-1"):
                await place.memories.remember("The same words.", owner="ada", agent=agent, session=session)
        assert len(await found(place.memories)) == 6
        assert len(await found(place.memories, agent="guide")) == 2
        assert len(await found(place.memories, agent="guide", session="c-1")) == 1
        exported = await place.ask("export", owner="ada", agent="cook")
        assert {row["agent"] for row in exported["rows"]} == {"cook"}
        message = await place.memories.say("c-9", "Olives, please.", user="ada", agent="cook")
        job = {"key": f"chat/c-9/{message}", "user": "ada", "conversation": "c-9", "message": message}
        await place.ask("extract", seq=place.log.last_seq, **job)
        assert await found(place.memories, agent="cook", session="c-9") == ["Olives, please."]


# Settings


async def test_who_opts_out_leaves_no_job_and_no_memory(place: Place) -> None:
    async with place.running() as actor:
        alice = client_of(place, "alice")
        await said(place, "The kiln broke.")
        row = await alice.settings(memory=False, zone="Europe/Rome", language="it")
        assert row == {
            "owner": "alice", "memory": False, "retention_days": 0, "language": "it", "zone": "Europe/Rome",
            "sharing": [],
        }  # fmt: skip
        job = {"key": "chat/c-1/m", "user": "alice", "conversation": "c-1", "message": "m", "seq": 1}
        await alice.say("c-1", "My locker code is 4711.", message="m2")
        assert len((await place.commits_of("chat", "c-1"))[-1].events) in (1, 2)
        await place.history(
            "t-1",
            (e.Submitted(skill="fetch", user="alice"),),
            (e.Scheduled(node="n1", incarnation="i", attempt=1, skill="fetch"),),
            (e.Started(), e.Completed("4711")),
        )
        await actor.fresh()
        assert await texts(place) == []
        with pytest.raises(Refused):
            await place.ask("extract", **job)
        assert (await alice.settings(memory=True))["zone"] == "Europe/Rome"
        await place.memories.remember("The kiln works.", owner="alice")
        assert await texts(place) == ["The kiln works."]


async def test_settings_that_make_no_sense_are_refused(place: Place) -> None:
    async with place.running():
        for wrong in ({"zone": "Mars"}, {"sharing": [""]}, {"retention_days": -1}):
            with pytest.raises((Refused, InvalidQuery)):
                await place.ask("settings", owner="ada", **wrong)
        with pytest.raises(InvalidQuery, match="name one"):
            await place.ask("settings")


async def test_what_is_older_than_its_owner_wants_is_forgotten_daily(place: Place) -> None:
    follower = await place.log.follow(["claw.memory.>"])
    async with place.running(plan=MemoryPlan(daily_s=0.3)), asyncio.timeout(PATIENCE_S):
        old = await place.memories.remember("an old note", owner="ada", happened_ns=10**18, importance=1.0)
        other = await place.memories.remember("an old note of another", owner="bob", happened_ns=10**18)
        await place.memories.remember("a new note", owner="ada")
        await place.ask("settings", owner="ada", retention_days=30)
        async for batch in follower:
            if any(b"memory.forgotten" in record.body and old in record.subject for record in batch):
                break
        await place.ask("stats")  # has read what consolidation wrote
        assert await texts(place) == ["a new note"]
        assert (await place.ask("show", id=other))["row"]["text"] == "an old note of another"


# Versions


async def test_a_key_names_one_memory_whose_versions_are_kept(place: Place) -> None:
    async with place.running():
        ada = client_of(place, "ada")
        first = await place.memories.remember("I live in Turin.", key="home", owner="ada", speaker="Ada")
        second = await place.memories.remember("I live in Graz.", key="home", owner="ada", speaker="Ada")
        await place.memories.remember("I live in Graz.", key="home", owner="ada", speaker="Ada")
        assert first == second
        assert await found(ada, kind="raw") == ["I live in Graz."]
        await ada.update(first, "I live in Vienna.", tags=["home"])
        rows = await ada.history("home")
        assert [(row["version"], row["text"], row["current"]) for row in rows] == [
            (1, "I live in Turin.", False),
            (2, "I live in Graz.", False),
            (3, "I live in Vienna.", True),
        ]
        assert rows[2]["by"] == "client/ada"
        assert rows == await ada.history(id=first)
        assert rows[0]["at"] <= rows[1]["at"] <= rows[2]["at"]
        assert await ada.history("home", owner="ada") == rows
        with pytest.raises(NotFound, match="with the key 'another'"):
            await ada.history("another")
        await ada.forget(first)
        with pytest.raises(NotFound):
            await ada.history("home")
        await ada.remember("I live in Bern.", key="home")
        assert [row["text"] for row in await ada.history("home")] == ["I live in Bern."]


async def test_what_only_an_earlier_version_stated_no_longer_holds(place: Place) -> None:
    async with place.running():
        id = await place.memories.remember("I live in Turin.", owner="ada", speaker="Ada")
        await place.ask("consolidate")
        await place.memories.update(id, "I like tea.")
        await place.ask("consolidate")
        rows = (await place.ask("about", name="Ada", past=True))["rows"]
        assert sorted((row["fact"]["object"], row["holds"]) for row in rows) == [("Turin", False), ("tea", True)]


async def test_conclusions_are_not_updated_by_hand(place: Place) -> None:
    async with place.running():
        await place.memories.remember("I live in Turin.", owner="ada", speaker="Ada")
        await place.ask("consolidate")
        (fact,) = await place.memories.recall("", kind="knowledge")
        with pytest.raises(Refused, match="update those"):
            await place.memories.update(fact["id"], "Ada lives in Graz")


# Use, archive, audit


async def test_use_is_counted_and_keeps_a_memory_from_fading(place: Place) -> None:
    async with place.running() as actor:
        ada = client_of(place, "ada")
        id = await ada.remember("The kiln broke in June")
        await ada.recall("what broke in June?")
        first = (await ada.recall("what broke in June?"))[0]
        await place.memories.recall("what broke in June?")
        await ada.recall("")
        await actor.uses.flush()
        assert (await ada.recall("", limit=1))[0]["sources"] == first["sources"]
        row = (await ada.ask("memory.show", id=id))["row"]
        assert (row["uses"], 0 < row["retained"] <= row["importance"]) == (3, True)
        digest = await place.ask("digest")
    async with place.running("again"):
        assert (await place.ask("show", id=id))["row"]["uses"] == 3
        assert (await place.ask("digest"))["digest"] == digest["digest"]


async def test_an_archived_memory_is_restored(place: Place) -> None:
    async with place.running():
        ada = client_of(place, "ada")
        id = await ada.remember("The kiln broke in June", importance=0.05, happened_ns=10**18)
        await ada.archive(id, reason="old")
        assert await found(ada) == []
        assert [row["id"] async for row in ada.export(status="archived")] == [id]
        await ada.archive(id, restore=True)
        assert await found(ada) == ["The kiln broke in June"]
        row = (await ada.ask("memory.show", id=id))["row"]
        assert row["retained"] == 0.05, "it fades from now on"


async def test_the_audit_tells_who_changed_what_when_why_and_how(place: Place) -> None:
    async with place.running():
        ada = client_of(place, "ada")
        id = await ada.remember("The port is 22", key="port")
        await ada.update(id, "The port is 49222")
        await ada.archive(id, reason="moved")
        await ada.settings(zone="Europe/Rome")
        rows = await ada.audit()
        assert [row["what"] for row in rows] == [
            "owner.configured", "memory.archived", "memory.updated", "memory.recorded",
        ]  # fmt: skip
        configured, archived, updated, _ = rows
        assert (configured["before"], configured["after"]) == ({"zone": ""}, {"zone": "Europe/Rome"})
        assert (archived["why"], archived["by"]) == ("moved", "client/ada")
        assert (archived["before"]["status"], archived["after"]["status"]) == ("live", "archived")
        assert (updated["before"]["text"], updated["after"]["text"]) == ("The port is 22", "The port is 49222")
        assert updated["at"] <= archived["at"]
        assert await ada.audit(id) == rows[1:]
        await ada.forget(id, reason="asked")
        rows = await place.memories.audit(id)
        assert (rows[0]["what"], rows[0]["why"], rows[0]["by"]) == ("memory.forgotten", "asked", "client/ada")
        assert "49222" not in str(rows), "what was forgotten is not told"


async def test_an_audit_of_an_owner_tells_changes_and_not_that_something_was_found(place: Place) -> None:
    async with place.running() as actor:
        ada = client_of(place, "ada")
        ids = [await ada.remember(f"Kiln {n} broke") for n in range(4)]
        await ada.update(ids[3], "Kiln 3 was mended")
        for n in range(3):
            await ada.recall(f"Kiln {n}")
        await actor.uses.flush()
        assert [(row["what"], row["id"]) for row in await ada.audit(limit=3)] == [
            ("memory.updated", ids[3]), ("memory.recorded", ids[3]), ("memory.recorded", ids[2]),
        ]  # fmt: skip
        assert {row["what"] for row in await ada.audit(ids[0])} == {"memory.recorded", "memory.used"}
