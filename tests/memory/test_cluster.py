"""Memory on real processes: from a task's history to an answer with its events, and back after everything was lost."""

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from clawactors.app.client import Client
from clawactors.app.cluster import ClusterSupervisor
from clawactors.app.clusterplan import ClusterPlan
from clawactors.app.demo.run import _install as install
from clawactors.app.discovery import discover
from clawactors.eventlog import Draft
from clawactors.eventlog.jetstream import JetStreamLog
from clawactors.kinds import DECODER
from clawactors.runtime.naming import id_of_key
from clawactors.systems.chats import CODEC as CHAT_CODEC
from clawactors.systems.chats import ExtractionRequested, MessageAdded
from clawactors.systems.tasks import events as e
from tests.scenario.claw import ROOT, Claw

pytestmark = pytest.mark.nats
on_one_loop = pytest.mark.asyncio(loop_scope="module")

HIT_ROW = {"id", "kind", "text", "excerpt", "score", "owner", "tags", "at", "sources"}
QUESTION = "which package failed and why?"
SKILLS = str(Path(__file__).with_name("memory_skills.py"))
PATIENCE_S = 60.0


class Stage:
    """As the demo has it, as far as an installation needs it."""

    def __init__(self, client: Client, log: JetStreamLog) -> None:
        self.client, self.log = client, log


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def data(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", ROOT)
        yield tmp_path_factory.mktemp("memory")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster(data: Path) -> AsyncIterator[ClusterSupervisor]:
    async with ClusterSupervisor(data / "data", ClusterPlan(nodes=1, skills=(SKILLS,))) as cluster:
        yield cluster


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(cluster: ClusterSupervisor) -> AsyncIterator[Client]:
    async with Client.of(discover(nats=cluster.nats_url)) as client:
        yield client


@pytest.fixture
def claw(cluster: ClusterSupervisor) -> Claw:
    return Claw(cluster.path)


def answer(claw: Claw, *words: str) -> list[dict[str, Any]]:
    """What `claw memory … --json` says."""
    done = claw.quick("memory", *words, "--json")
    assert done.code == 0, done.err
    rows: list[dict[str, Any]] = done.answer
    return rows


@on_one_loop
async def test_the_demos_own_history_says_which_package_failed_and_why(
    client: Client, claw: Claw, tmp_path: Path
) -> None:
    spoilt = "unicode_blocks/lookup.py"
    log = await JetStreamLog.over(client.connection)
    failed, _ = await asyncio.gather(
        *(install(Stage(client, log), tmp_path, each) for each in (spoilt, ""))  # type: ignore[arg-type]
    )
    rows = await asyncio.to_thread(answer, claw, "search", QUESTION)
    best = rows[0]
    assert set(best) >= HIT_ROW
    assert "failed at step" in best["text"]
    assert spoilt in best["text"]
    step = next(tag for tag in best["tags"] if tag.startswith("step:")).removeprefix("step:")
    told = [
        commit.record.seq
        for commit in failed.commits
        for event in commit.events
        if isinstance(event, e.AttemptFailed) or (isinstance(event, e.StepFailed) and event.step == step)
    ]
    assert best["sources"] == sorted(set(told))
    text = await asyncio.to_thread(claw, "memory", "search", QUESTION, "--explain")
    assert text.code == 0
    assert "events" in text.out
    assert "words +" in text.out


@pytest.mark.parametrize("skill", ["note-in-loop", "note-in-thread", "note-apart"])
@on_one_loop
async def test_code_remembers_once_and_recalls(client: Client, skill: str) -> None:
    text = f"The copper kettle of {skill} holds nine litres"
    result = await client.run(skill, {"text": text}, user="ada", wait_s=PATIENCE_S)
    assert result["id"] in result["found"]
    assert text in result["packed"]
    assert len(result["packed"]) <= (600 if skill == "note-in-loop" else 200)
    (row, *_) = await client.recall(text, owner="ada", tags=["lab"])
    assert (row["id"], row["text"], row["speaker"], row["tags"]) == (result["id"], text, skill, ["lab"])
    if "echo" in result:
        assert result["echo"] == result["id"]  # what was recalled is no new evidence
    history = await client.memories.ask("memory.show", id=row["id"])
    assert history["row"]["count"] == 1


@on_one_loop
async def test_a_message_is_extracted_by_a_job_and_a_wrong_one_ends_its_own_job_only(
    client: Client, claw: Claw
) -> None:
    events = (MessageAdded(message="m", role="user", text="poison"), ExtractionRequested("m", "", "chat/by-hand/m"))
    log = await JetStreamLog.over(client.connection)
    await log.append(Draft("chat", "by-hand", CHAT_CODEC.encode(events), "by-hand-1"), 0)
    said = await asyncio.to_thread(
        claw, "memory", "say", "c-1", "I", "live", "in", "Lisbon.", "--owner", "anna", "--json"
    )
    key = f"chat/c-1/{said.answer['message']}"
    await client.memories.ask("memory.stats")  # fresh: the jobs are made
    (id,) = await client.ref(id_of_key(key)).result(PATIENCE_S)
    async for _ in client.ended([id_of_key("chat/by-hand/m")]):
        pass
    jobs = {job["conversation"]: job for job in await asyncio.to_thread(answer, claw, "jobs")}
    assert (jobs["c-1"]["status"], jobs["c-1"]["memories"], jobs["c-1"]["user"]) == ("success", [id], "anna")
    assert (jobs["by-hand"]["status"], jobs["by-hand"]["attempt"]) == ("dead", 1)
    assert (jobs["c-1"]["type"], jobs["c-1"]["max_attempts"], jobs["c-1"]["next_at"]) == ("memory.extract", 6, None)
    assert jobs["c-1"]["updated_at"] >= jobs["c-1"]["submitted_at"]
    assert "needs a user" in jobs["by-hand"]["error"]
    (row,) = await asyncio.to_thread(answer, claw, "search", "where does anna live", "--owner", "anna", "--kind", "raw")
    assert (row["id"], row["text"]) == (id, "I live in Lisbon.")


def test_notes_come_from_words_files_and_pipes(claw: Claw, tmp_path: Path) -> None:
    (added,) = answer(claw, "add", "the boiler is in the cellar", "--owner", "bo", "--tag", "house")
    assert set(added) >= HIT_ROW
    assert answer(claw, "add", "the boiler is in the cellar", "--owner", "bo")[0]["id"] == added["id"]
    (tmp_path / "n.md").write_text("# House\n\n- the fuse box hangs in the hall\n- 水表在厨房\n", encoding="utf-8")
    (tmp_path / "n.jsonl").write_text('{"text": "the attic is cold", "owner": "bo"}\nnot json\n')
    imported = claw("memory", "import", str(tmp_path / "n.md"), str(tmp_path / "n.jsonl"), "--owner", "bo", "--json")
    assert len(imported.answer) == 3
    assert "line 2" in imported.err
    assert imported.code == 1, "a line was dropped"
    piped = claw("memory", "add", "-", "--owner", "bo", "--json", stdin="the cat sleeps on the boiler\n")
    assert piped.code == 0
    assert answer(claw, "search", "水表在哪里", "--owner", "bo")[0]["text"] == "水表在厨房"
    assert {row["owner"] for row in answer(claw, "export", "--owner", "bo")} == {"bo"}
    assert answer(claw, "show", added["id"])[0]["tags"] == ["house"]
    forgotten = claw("memory", "forget", added["id"], "--json")
    assert forgotten.answer["ids"] == [added["id"]]
    assert forgotten.answer["counts"] == {"raw": 1}
    assert "the words stay in the log" in forgotten.err
    assert added["id"] not in [row["id"] for row in answer(claw, "search", "boiler", "--owner", "bo")]
    assert answer(claw, "search", "boiler", "--owner", "nobody") == []


def test_an_export_is_imported_once_and_packed_into_a_context(claw: Claw, tmp_path: Path) -> None:
    said = [
        ("human", "My badge number is 7741, and the red cable goes to port 12."),
        ("assistant", "You live in Oslo."),
    ]
    messages = [
        {"uuid": f"m{number}", "sender": sender, "text": text, "created_at": f"2024-05-01T10:0{number}:00Z"}
        for number, (sender, text) in enumerate(said)
    ]
    export = tmp_path / "conversations.json"
    export.write_text(json.dumps([{"uuid": "talk", "name": "Cables", "chat_messages": messages}]))
    (row,) = answer(claw, "import", str(export), "--owner", "kim")
    assert (row["owner"], row["speaker"], row["session"], row["at"][:16]) == ("kim", "kim", "talk", "2024-05-01T10:00")
    (again,) = answer(claw, "import", str(export), "--owner", "kim")
    assert (again["id"], again["new"]) == (row["id"], False)
    assert claw.quick("memory", "import", str(export), "--json").code == 4
    (tmp_path / "other.json").write_text('{"port": 12}')
    refused = claw.quick("memory", "import", str(tmp_path / "other.json"), "--owner", "kim", "--json")
    assert (refused.code, "no export of ChatGPT or Claude" in refused.err) == (4, True)
    packed: Any = answer(claw, "context", "which port does the red cable go to?", "--owner", "kim", "--tokens", "200")
    assert packed["tokens"] <= 200
    assert "port 12" in packed["text"]
    assert [item["id"] for item in packed["items"]] == [row["id"]]
    tiny = claw.quick("memory", "context", "which port does the red cable go to?", "--owner", "kim", "--tokens", "10")
    assert (tiny.code, tiny.out.strip(), "fits into" in tiny.err) == (0, "", True)


def test_many_memories_of_an_owner_are_forgotten_only_when_that_is_meant(claw: Claw, tmp_path: Path) -> None:
    (tmp_path / "many.jsonl").write_text("".join(f'{{"text": "note {n} of many"}}\n' for n in range(12)))
    assert claw("memory", "import", str(tmp_path / "many.jsonl"), "--owner", "zoe", "--json").code == 0
    listed = claw.quick("memory", "forget", "--owner", "zoe", "--dry-run", "--json")
    assert len(json.loads(listed.out)) == 12
    assert "nothing was changed" in listed.err
    asked = claw("memory", "forget", "--owner", "zoe")
    assert (asked.code, "--yes does it, --dry-run lists them" in asked.err) == (2, True)
    assert len(answer(claw, "export", "--owner", "zoe")) == 12
    assert answer(claw, "forget", "--owner", "zoe", "--yes", "--reason", "asked")["changed"] == 12
    assert answer(claw, "export", "--owner", "zoe") == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["add", ""], 4),
        (["add", "@/nowhere.md"], 2),
        (["search", "x", "--limit", "0"], 2),
        (["search", "x", "--threshold", "2"], 2),
        (["show", "m-1"], 3),
        (["forget"], 2),
        (["forget", "m-1"], 3),
        (["say", "c-1", "no user"], 4),
        (["dream"], 2),
        (["working", "a b"], 2),
    ],
)
def test_what_goes_wrong_is_told_in_a_line_with_its_code(claw: Claw, words: list[str], code: int) -> None:
    done = claw.quick("memory", *words, "--json")
    assert done.code == code, (done.out, done.err)
    assert "error" in json.loads(done.out)
    assert len(done.err.strip().splitlines()) == 1


@on_one_loop
async def test_a_killed_process_comes_back_and_a_deleted_folder_too(
    cluster: ClusterSupervisor, client: Client, claw: Claw
) -> None:
    assert cluster.memory is not None
    assert cluster.run.pids.memory == cluster.memory.pid
    await client.memories.ask("memory.consolidate")
    assert (await client.memories.ask("memory.consolidate"))["changed"] == 0
    before = await client.recall(QUESTION)
    told: dict[str, Any] = {}
    memories: dict[str, Any] = {"position": -1}
    while told.get("position") != memories["position"]:  # uses are recorded at times of their own
        verified = await asyncio.to_thread(claw, "--verify", "--json", module="replay")
        assert verified.answer["equal"] is True
        memories = verified.answer["projections"]["memory"]
        assert memories["events"] > 0
        told = (await asyncio.to_thread(claw, "--view", "memory", "--json", module="replay")).answer
    assert told["digest"] == memories["digest"]
    await asyncio.to_thread(shutil.rmtree, cluster.path / "memory")
    asked = [asyncio.create_task(client.recall(QUESTION)) for _ in range(5)]
    os.kill(cluster.memory.pid, signal.SIGKILL)  # with the questions in its hands
    asked.append(asyncio.create_task(client.recall(QUESTION)))
    async with asyncio.timeout(PATIENCE_S):
        assert await asyncio.gather(*asked) == [before] * len(asked)
    again = await asyncio.to_thread(claw, "--view", "memory", "--verify", "--json", module="replay")
    assert again.answer["equal"] is True
    assert again.answer["digest"] == told["digest"] or again.answer["position"] > told["position"]


@on_one_loop
async def test_of_all_that_was_remembered_nothing_is_there_twice(client: Client) -> None:
    seen: dict[str, int] = {}
    log = await JetStreamLog.over(client.connection)
    async for records in log.read(["claw.memory.>"]):
        for commit in map(DECODER.decode, records):
            for event in commit.events:
                if type(event).__name__ == "MemoryRecorded":
                    seen[commit.id] = seen.get(commit.id, 0) + 1
    assert set(seen.values()) == {1}
