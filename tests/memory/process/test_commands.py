"""Commands to memories and conversations: the process that leads decides them, each takes effect once."""

import asyncio
import contextlib
from typing import Any

import msgspec
import pytest

from clawactors.eventlog import Draft, NoResponders, Unavailable
from clawactors.kernel.principals import principal_of
from clawactors.memory.process.commands import LEADER_KEY
from clawactors.runtime.asking import AskReply, AskRequest, Command, Outcome, StateQuestion
from clawactors.systems.chats import CODEC, MessageAdded
from clawactors.systems.memories import Content, memory_id, note_key
from clawactors.systems.owners import owner_id
from tests.memory.process.conftest import PATIENCE_S, Place

KILN = {"text": "The kiln broke in June", "owner": "maya"}


async def ask(place: Place, kind: str, *commands: tuple[str, dict[str, Any]], principal: str = "") -> list[Outcome]:
    """The outcomes of commands that a client asks for, each an id and a command; asked again until someone leads.

    By default the cluster's own account asks, which the subject does not name.
    """
    wanted = [Command(id, msgspec.Raw(msgspec.json.encode(command)), state=True) for id, command in commands]
    request = AskRequest(place.context.time.now_ns() + 60_000_000_000, wanted)
    requests = place.requests.of(principal)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                subject = f"claw.do.{principal}.{kind}" if principal else f"claw.do.{kind}"
                body = await requests.request(subject, msgspec.json.encode(request), PATIENCE_S)
            except NoResponders:
                await asyncio.sleep(0.01)
                continue
            reply = msgspec.json.decode(body, type=AskReply)
            assert reply.error is None
            return reply.outcomes


def record(text: str, command_id: str = "", key: str = "", **fields: Any) -> dict[str, Any]:
    return {"type": "memory.record", "id": command_id, "key": key, "content": KILN | {"text": text} | fields}


def add(message: str, command_id: str = "", **fields: Any) -> dict[str, Any]:
    said = {"message": message, "role": "user", "text": f"I moved to {message}.", "user": "maya"} | fields
    return {"type": "chat.add", "id": command_id, "conversation": "c-1", "message": said}


async def test_a_client_records_and_forgets_memories(place: Place) -> None:
    async with place.running():
        first, second = await ask(
            place, "memory", ("m-1", record("The kiln broke") | {"by": "client/ada"}), ("m-2", record("  "))
        )
        assert first.changed
        assert msgspec.json.decode(first.state)["status"] == "live"
        assert second.error is not None
        assert second.error.code == "refused"
        assert [row["id"] for row in await place.memories.recall("kiln", owner="maya")] == ["m-1"]
        (commit,) = await place.commits_of("memory", "m-1")
        assert (commit.record.seq, commit.record.by) == (first.version, "client/ada")
        (forgotten,) = await ask(place, "memory", ("m-1", {"type": "memory.forget", "reason": "asked"}))
        assert forgotten.changed
        assert await place.memories.recall("kiln", owner="maya") == []


async def test_a_message_by_command_leads_to_memories_and_a_repeat_to_nothing(place: Place) -> None:
    async with place.running():
        (said,) = await ask(place, "chat", ("c-1", add("Lisbon")))
        (again,) = await ask(place, "chat", ("c-1", add("Lisbon")))
        (refused,) = await ask(place, "chat", ("c-1", add("Porto", user="")))
        assert (said.changed, again.changed, again.version) == (True, False, said.version)
        assert refused.error is not None
        assert "names its user" in refused.error.message
        await place.ask("stats")
        (job,) = [commit.events[0] for commit in await place.commits("claw.task.>")]
        assert (job.skill, job.params["message"]) == ("memory.extract", "Lisbon")


async def test_a_command_id_takes_effect_once_whoever_answers_and_whatever_was_restarted(place: Place) -> None:
    async with place.running(name="one"):
        (said,) = await ask(place, "chat", ("c-1", add("Lisbon", "k-1")))
        (noted,) = await ask(place, "memory", ("m-1", record("The kiln broke", "k-1")))
    for folder in ("memory", "another"):
        async with place.running(folder=folder, name=folder):
            (again,) = await ask(place, "chat", ("c-1", add("Lisbon", "k-1")))
            (noted_again,) = await ask(place, "memory", ("m-1", record("The kiln broke", "k-1")))
            assert (again.changed, again.repeats, again.version) == (True, True, said.version)
            assert (noted_again.changed, noted_again.version) == (True, noted.version)
            for other in ({"type": "memory.forget", "id": "k-1"}, record("Another kiln", "k-1")):
                (refused,) = await ask(place, "memory", ("m-1", other))
                assert refused.error is not None
                assert "other content" in refused.error.message
    assert len(await place.commits_of("chat", "c-1")) == 1


async def test_one_process_answers_and_another_takes_over(place: Place) -> None:
    async with contextlib.AsyncExitStack() as stack:
        first = await stack.enter_async_context(place.running("one", "one"))
        await ask(place, "memory", ("m-1", record("The kiln broke")))
        async with place.running("two", "two") as second:
            (outcome,) = await ask(place, "memory", ("m-2", record("Another kiln")))
            assert outcome.changed
            assert [actor.commands.leadership.leading for actor in (first, second)] == [True, False]
            await stack.aclose()
            (outcome,) = await ask(place, "memory", ("m-1", {"type": "memory.forget"}))
            assert outcome.changed, "the second one leads and knows what the first one wrote"
            assert second.commands.leadership.leading
    with pytest.raises(NoResponders):
        await place.requests.of("ada").request("claw.do.ada.memory", b"{}", 1)


async def test_a_process_that_was_paused_for_longer_than_its_term_decides_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place.running() as actor:
        await ask(place, "memory", ("m-1", record("The kiln broke")))
        leadership = actor.commands.leadership
        monkeypatch.setattr(type(leadership), "leading", property(lambda _: False))
        wanted = Command("m-2", msgspec.Raw(msgspec.json.encode(record("Another kiln"))))
        request = AskRequest(place.context.time.now_ns() + 60_000_000_000, [wanted])
        body = await place.requests.of("ada").request("claw.do.memory", msgspec.json.encode(request), PATIENCE_S)
        (outcome,) = msgspec.json.decode(body, type=AskReply).outcomes
        assert outcome.error is not None
        assert outcome.error.code == "unavailable"
        assert "does not lead" in outcome.error.message
        await place.ask("consolidate")  # what it decides itself needs no lease


async def test_what_others_wrote_is_seen_before_it_is_decided(place: Place) -> None:
    """A lost race, garbage and a commit that changes nothing count as versions; a later release freezes."""
    async with place.running():
        (outcome,) = await ask(place, "chat", ("c-1", add("Lisbon")))
        version = outcome.version
        message = MessageAdded(message="Lisbon", role="user", text="again")
        for number, body in enumerate((b"\xff garbage", CODEC.encode((message,)))):
            version = await place.log.append(Draft("chat", "c-1", body, f"g-{number}"), version)
        (outcome,) = await ask(place, "chat", ("c-1", add("Porto")))
        assert outcome.changed
        later = b'{"v":1,"events":[{"type":"chat.dreamt"}]}'
        await place.log.append(Draft("chat", "c-1", later, "g-9"), outcome.version)
        (frozen,) = await ask(place, "chat", ("c-1", add("Madrid")))
        assert frozen.error is not None
        assert "needs a newer release" in frozen.error.message


async def test_while_the_log_is_away_clients_are_told_to_ask_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place.running():
        await ask(place, "memory", ("m-1", record("The kiln broke")))

        async def away(*_: Any, **__: Any) -> Any:
            raise Unavailable("not now")

        with monkeypatch.context() as patched:
            patched.setattr(place.log, "append", away)
            (outcome,) = await ask(place, "memory", ("m-2", record("Another kiln")))
        assert outcome.error is not None
        assert outcome.error.code == "unavailable"
        (outcome,) = await ask(place, "memory", ("m-2", record("Another kiln")))
        assert outcome.changed


# Whose they are


async def test_a_principal_neither_reads_nor_changes_nor_forgets_what_is_anothers(place: Place) -> None:
    """The attack on the subject of commands itself, with ids, command ids and states that the attacker knows."""
    async with place.running():
        secret, shared = memory_id("maya", "pin"), memory_id("", "door")
        pin, door = record("My pin is 4711", "k-1", key="pin"), record("Door 3", key="door", owner="")
        for id, command in ((secret, pin), (shared, door)):
            (outcome,) = await ask(place, "memory", (id, command), principal="maya")
            assert outcome.error is None
        squatted = memory_id("maya", "not yet")
        attacks = [
            (secret, record("Mine", key="pin")),  # for maya
            (secret, record("Mine", owner="eve")),  # under her id
            (secret, record("Mine", owner="eve", key="pin") | {"replaces": True}),
            (secret, record("My pin is 4711", "k-1", owner="eve", key="pin")),  # as a repeat, for the state
            (secret, {"type": "memory.forget"}),
            (secret, {"type": "memory.forget", "id": "k-1"}),
            (secret, {"type": "memory.forget", "by": "client/maya"}),
            (squatted, {"type": "memory.forget"}),  # before she has it
            (squatted, record("Mine", owner="eve", key="not yet")),
            (shared, record("Door 4", key="door", owner="") | {"replaces": True}),
            (shared, {"type": "memory.forget"}),
        ]
        for number, attack in enumerate(attacks):
            (outcome,) = await ask(place, "memory", attack, principal="eve")
            assert outcome.error is not None, number
            assert outcome.error.code in ("refused", "not_found"), number
            assert not outcome.has_state, number
            assert "4711" not in outcome.error.message, number
        (outcome,) = await ask(place, "chat", ("c-1", add("Porto")), principal="eve")
        assert outcome.error is not None
        assert "can't speak for 'maya'" in outcome.error.message
        settings = {"type": "owner.configure", "owner": "maya", "settings": {"sharing": ["eve"]}}
        (outcome,) = await ask(place, "owner", (owner_id("maya"), settings), principal="eve")
        assert outcome.error is not None
        for kind, id in (("memory", secret), ("chat", "c-1"), ("owner", owner_id("maya"))):
            question = msgspec.json.encode(StateQuestion(kind, id))
            body = await place.requests.of("eve").request("claw.query.eve.memory.state", question, PATIENCE_S)
            assert b"not_found" in body
            assert b"4711" not in body
        assert sorted(row["text"] for row in await place.memories.recall("", limit=9)) == ["Door 3", "My pin is 4711"]
        assert len(await place.commits_of("memory", squatted)) == 0
        for command in (pin | {"replaces": True, "id": "k-2"}, {"type": "memory.forget"}):  # to maya all of it is open
            (outcome,) = await ask(place, "memory", (secret, command), principal="maya")
            assert outcome.error is None


async def test_users_whose_names_fit_no_subject_are_told_apart(place: Place) -> None:
    async with place.running():
        asking, other = principal_of("小雯"), principal_of("林可")
        note = record("我搬到了拉萨", owner="小雯")
        id = memory_id("小雯", note_key(msgspec.convert(note["content"], Content)))
        (refused,) = await ask(place, "memory", (id, note), principal=other)
        (said,) = await ask(place, "memory", (id, note), principal=asking)
        assert refused.error is not None
        assert said.changed
        (refused,) = await ask(place, "memory", (id, {"type": "memory.forget"}), principal=other)
        assert refused.error is not None


def test_the_lease_is_not_the_one_of_control() -> None:
    from clawactors.runtime.control import leadership

    assert LEADER_KEY != leadership.LEADER_KEY
