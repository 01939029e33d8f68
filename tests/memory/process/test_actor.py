"""The memory actor: what happened becomes findable, once; what it keeps on disk can be lost or damaged."""

import asyncio
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from clawactors.eventlog import Unavailable
from clawactors.kernel.errors import Refused
from clawactors.kinds import DECODER
from clawactors.memory.index.vectors import VECTORS
from clawactors.memory.index.view import memory_projection
from clawactors.memory.process import MemoryPlan
from clawactors.memory.process.checkpoint import NAME as CHECKPOINT
from clawactors.memory.process.checkpoint import Checkpoint, read_checkpoint
from clawactors.projections.engine.store import Store
from clawactors.projections.live import live_store
from clawactors.runtime.naming import id_of_key
from clawactors.systems.memories.events import MemoryRecorded
from clawactors.systems.tasks import events as e
from tests.memory.process.conftest import PATIENCE_S, Place

ERROR = e.TaskError("validation", "ValueError: lookup.py has the wrong checksum")


def scheduled(skill: str, attempt: int = 1, node: str = "n1", **params: Any) -> e.Scheduled:
    return e.Scheduled(node=node, incarnation="i", attempt=attempt, skill=skill, params=params)


async def install(place: Place, id: str = "install-1") -> list[int]:
    """An installation whose second step fails."""
    params = {"package": "unicode_blocks"}
    return await place.history(
        id,
        (e.Submitted(skill="install-package", params=params),),
        (scheduled("install-package", **params),),
        (e.Started(), e.StepCompleted("requirements")),
        (
            e.StepFailed("verify", "lookup.py of package unicode_blocks has the wrong checksum"),
            e.AttemptFailed(error=ERROR, then="failed"),
        ),
    )


async def test_a_note_is_found_at_once_and_names_its_own_commit(place: Place) -> None:
    async with place.running():
        id = await place.memories.remember("The kiln broke in June", tags=["home"], owner="maya")
        (row,) = await place.memories.recall("what broke in June?")
    (commit,) = await place.commits_of("memory", id)
    assert (row["id"], row["text"], row["owner"], row["tags"]) == (id, "The kiln broke in June", "maya", ["home"])
    assert row["sources"] == [commit.record.seq]
    assert 0.7 < row["score"] <= 1
    assert not row["weak"]


async def test_a_log_that_is_away_at_any_point_of_the_start_is_waited_for(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each try gets one call further than the one before."""
    async with place.running():
        await place.memories.remember("The kiln broke in June")
    monkeypatch.setattr("clawactors.memory.ingest.history_reader._PAUSE_S", 0)
    calls, reach = 0, 0

    def away(call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **options: Any) -> Any:
            nonlocal calls, reach
            calls += 1
            if calls > reach:
                calls, reach = 0, reach + 1
                raise Unavailable("not now")
            return call(*args, **options)

        return wrapped

    for name in ("head", "read", "follow"):
        monkeypatch.setattr(place.log, name, away(getattr(place.log, name)))
    async with place.running():
        assert reach >= 5, "it was away at the head, while rows were read, and when it was to be followed"
        monkeypatch.undo()
        assert len(await place.memories.recall("what broke in June?")) == 1


async def test_histories_that_can_not_be_read_for_a_while_are_told_later_and_once(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clawactors.memory.ingest.history_reader._PAUSE_S", 0)
    read, refusals = place.log.read, iter(range(3))

    def away(*args: Any, **options: Any) -> Any:
        if next(refusals, None) is not None:
            raise Unavailable("not now")
        return read(*args, **options)

    async with place.running() as actor:
        monkeypatch.setattr(place.log, "read", away)
        for number in range(3):
            await install(place, f"install-{number}")
        await actor.fresh()
        assert next(refusals, None) is None, "it was away"
        rows = await place.memories.recall("which package failed and why?", limit=10, threshold=0)
    failed = [row["session"] for row in rows if "failed at step" in row["text"]]
    assert sorted(failed) == [f"install-{number}" for number in range(3)]


async def test_a_failure_is_found_with_its_step_its_reason_and_its_events(place: Place) -> None:
    async with place.running():
        versions = await install(place)
        rows = await place.memories.recall("which package failed and why?")
    assert "failed at step verify on node n1" in rows[0]["text"]
    assert "wrong checksum" in rows[0]["text"]
    assert rows[0]["sources"] == versions[-1:]


async def test_a_task_that_began_before_the_actor_is_told_whole(place: Place) -> None:
    version = await place.append("t", e.Submitted(skill="backup", name="the weekly backup"))
    version = await place.append("t", scheduled("backup"), version=version)
    async with place.running():
        await place.ask("stats")
    version = await place.append("t", e.Started(), e.StepCompleted("copy"), version=version)
    async with place.running():
        await place.append("t", e.Completed("fine"), version=version)
        (row,) = await place.memories.recall("the weekly backup", threshold=0)
    assert "steps: copy; result: fine" in row["text"]


async def test_what_was_told_is_told_once_though_its_marks_and_rows_are_lost(place: Place) -> None:
    async with place.running():
        await install(place)
        await place.memories.say("c-1", "I moved to Berlin.", user="anna", message="m-1")
        before = await place.memories.recall("which package failed and why?")
        await place.ask("consolidate")
    last = place.log.last_seq
    for part in (place.folder / "memory", place.folder / "memory" / CHECKPOINT):
        shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)
        async with place.running():
            assert await place.memories.recall("which package failed and why?") == before
            assert (await place.ask("consolidate"))["changed"] == 0
        assert place.log.last_seq == last


async def test_two_actors_on_one_log_remember_nothing_twice(place: Place) -> None:
    async with place.running("one", "one") as one, place.running("two", "two") as two:
        for number in range(5):
            await install(place, f"install-{number}")
        for actor in (one, two):
            await actor.fresh()
        await asyncio.gather(*(actor.consolidation.run(everything=True) for actor in (one, two, one)))
        for actor in (one, two):
            await actor.fresh()
        first, second = ({item.id for item in each.store.items()} for each in (one, two))
        assert first == second != set()
    commits = await place.commits("claw.memory.>")
    recorded = [commit.id for commit in commits for event in commit.events if isinstance(event, MemoryRecorded)]
    assert len(recorded) == len(set(recorded))
    patterns = [
        event.text
        for commit in commits
        for event in commit.events
        if isinstance(event, MemoryRecorded) and event.kind == "knowledge"
    ]
    assert any("install-package fails with validation" in text for text in patterns)


async def test_a_message_is_one_job_however_often_it_is_seen(place: Place) -> None:
    message = await place.memories.say("c-1", "My cat is called Ada.", user="anna")
    await place.memories.say("c-1", "What a nice name!", role="assistant")
    for folder in ("first", "second"):
        async with place.running(folder):
            await place.ask("stats")
    key = f"chat/c-1/{message}"
    tasks = await place.commits("claw.task.>")
    assert [(commit.id, commit.events[0].skill) for commit in tasks] == [(id_of_key(key), "memory.extract")]
    assert tasks[0].events[0].params == {
        "key": key, "user": "anna", "conversation": "c-1", "message": message, "seq": 1,
    }  # fmt: skip


async def test_an_extraction_is_checked_against_the_log_and_made_once(place: Place) -> None:
    message = await place.memories.say("c-1", "My cat is called Ada.", user="anna")
    job = {"key": f"chat/c-1/{message}", "user": "anna", "conversation": "c-1", "message": message, "seq": 1}
    async with place.running():
        made = await place.ask("extract", **job)
        assert (len(made["ids"]), made["changed"]) == (1, 1)
        again = await place.ask("extract", **job)
        assert (again["ids"], again["changed"]) == (made["ids"], 0)
        for wrong in (
            {"user": ""},
            {"key": ""},
            {"user": "eve"},
            {"message": "x"},
            {"seq": 9},
            {"conversation": "a b"},
        ):
            with pytest.raises(Refused):
                await place.ask("extract", **(job | wrong))
        (row,) = await place.memories.recall("what is the cat called?", owner="anna", kind="raw")
    assert (row["text"], row["speaker"], row["session"], row["sources"]) == (
        "My cat is called Ada.",
        "anna",
        "c-1",
        [1],
    )


async def test_new_memories_are_condensed_by_themselves(place: Place) -> None:
    follower = await place.log.follow(["claw.memory.>"])
    async with place.running(), asyncio.timeout(PATIENCE_S):
        await place.memories.remember("I live in Lisbon.", owner="anna", speaker="Anna")
        async for batch in follower:
            if any(event.kind == "knowledge" for one in batch for event in DECODER.decode(one).events):
                break
        (edge,) = (await place.ask("about", name="Anna"))["rows"]
        assert (edge["fact"]["predicate"], edge["fact"]["object"]) == ("lives in", "Lisbon")


async def test_what_is_forgotten_is_gone_with_all_that_was_made_of_it(place: Place) -> None:
    async with place.running():
        id = await place.memories.remember("I live in Lisbon.", owner="anna", speaker="Anna")
        await place.memories.remember("The kiln broke", owner="maya")
        await place.ask("consolidate")
        assert len(await place.memories.recall("Lisbon", threshold=0, owner="anna")) == 2
        searches = [place.memories.recall("Lisbon", threshold=0) for _ in range(20)]
        gone, *_ = await asyncio.gather(place.ask("forget", id=id), *searches)
        assert len(gone["ids"]) == 2
        assert all("Lisbon" not in row["text"] for row in await place.memories.recall("Lisbon", threshold=0))
        assert (await place.ask("show", id=id))["row"]["status"] == "forgotten"
        assert len((await place.ask("forget", owner="maya"))["ids"]) == 1
        assert (await place.ask("stats"))["items"] == 0


async def test_what_is_forgotten_is_in_no_file_of_the_index(place: Place) -> None:
    async with place.running() as actor:
        id = await place.memories.remember("the secret recipe of the bakery")
        for number in range(8):
            await place.memories.remember(f"note {number} stays")
        await actor.fresh()
        await asyncio.to_thread(actor.store.save)
        before = actor.store.index.graph_removed
    async with place.running():
        await place.ask("forget", id=id)
    async with place.running() as actor:
        assert actor.store.index.graph_removed == before + 1
        assert all("stays" in row["text"] for row in await place.memories.recall("recipe", limit=9, threshold=0))


@pytest.mark.parametrize("damage", ["store", "graph", "rows", "checkpoint"])
async def test_damage_is_mended_from_the_log(place: Place, damage: str) -> None:
    async with place.running() as actor:
        await install(place)
        for number in range(50):
            await place.memories.remember(f"note {number}: the kiln broke in room {number}")
        before = await place.memories.recall("why did the package fail?", limit=10, threshold=0)
        await actor.fresh()
        await asyncio.to_thread(actor.store.save)
    folder = place.folder / "memory"
    match damage:
        case "store":
            (folder / "memory@1" / "data.mdb").write_bytes(b"\xff" * 20_000)
        case "graph":
            next(folder.glob("graph/graph-*.bin")).write_bytes(b"no graph")
        case "rows":
            spoil(Store.open(folder / "memory@1", memory_projection().tables))
        case _:
            (folder / CHECKPOINT).write_bytes(b"{")
    async with place.running():
        assert await place.memories.recall("why did the package fail?", limit=10, threshold=0) == before


def spoil(store: Store) -> None:
    with store.snapshot() as reading:
        key = next(iter(reading.cursor(VECTORS)))[0]
    with store.write() as txn:
        txn.put(VECTORS, key, b"too short")
    store.close()


async def test_a_stopped_actor_leaves_rows_that_others_can_read_and_marks_that_spare_work(place: Place) -> None:
    async with place.running():
        await install(place)
        await place.ask("stats")
    store = live_store(place.folder / "memory", memory_projection())
    store.close()
    checkpoint = read_checkpoint(place.folder / "memory", (await place.log.head()).identity)
    assert checkpoint.histories >= 4
    assert read_checkpoint(place.folder / "memory", "another log") == Checkpoint("another log")


async def test_the_levels_that_are_never_stored(place: Place) -> None:
    async with place.running():
        versions = await install(place)
        await place.memories.recall("what do I know of unicode_blocks?", task="install-1")
        recent = (await place.ask("recent", limit=2))["rows"]
        assert [(row["seq"], row["event"]["type"]) for row in recent] == [
            (versions[-1], "step.failed"),
            (versions[-1], "task.attempt_failed"),
        ]
        text = (await place.ask("working", task="install-1"))["text"]
        assert "asked memory 'what do I know of unicode_blocks?'" in text
        assert "wrong checksum" in text
        cut = (await place.ask("working", task="install-1", budget=20))["text"]
        assert len(cut) < len(text)
    async with place.running():
        assert len((await place.ask("recent"))["rows"]) == 6


async def test_the_daily_run_archives_what_has_faded(place: Place) -> None:
    follower = await place.log.follow(["claw.memory.>"])
    ancient_ns = 1_000_000_000_000_000_000
    faint = await place.memories.remember("it rained a little", importance=0.05, happened_ns=ancient_ns)
    await place.memories.remember("the house burnt down", importance=1.0)
    async with place.running(plan=MemoryPlan(daily_s=0.3)) as actor, asyncio.timeout(PATIENCE_S):
        async for batch in follower:
            archived = [one.subject for one in batch if b"memory.archived" in one.body]
            if archived:
                break
        assert archived == [f"claw.memory.{faint}.log"]
        await actor.fresh()
        assert [row["text"] for row in await place.memories.recall("rain", threshold=0)] == ["the house burnt down"]
        assert (await place.ask("show", id=faint))["row"]["status"] == "archived"


async def test_without_a_control_process_jobs_wait_and_questions_do_not(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clawactors.memory.process.actor._JOBS_WITHIN_S", 0.01)
    await place.control.aclose()
    async with place.running():
        await place.memories.remember("The kiln broke in June")
        await place.memories.say("c-1", "I moved to Lisbon.", user="anna")
        assert len(await place.memories.recall("what broke in June?")) == 1
        assert await place.commits("claw.task.>") == []
        await place.control.open(place.requests)
        monkeypatch.undo()
        await place.ask("stats")
        assert len(await place.commits("claw.task.>")) == 1
