"""The whole life of a task on real processes, row by row: what people see of it, and what they get for nonsense."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest
import pytest_asyncio

from clawactors.app.clusterplan import ClusterPlan
from clawactors.eventlog import Unavailable
from clawactors.eventlog.jetstream import JetStreamBlobs, JetStreamOutputs
from clawactors.eventlog.jetstream.wire.api import call
from clawactors.kernel.errors import NotFound, Refused
from clawactors.runtime.client.submitting import TaskRequest
from clawactors.runtime.sweep import sweep
from clawactors.systems.tasks.submission import spec_of
from tests.scenario.claw import Outcome
from tests.scenario.nonsense import FUTURE, HI, NONSENSE, PAST
from tests.scenario.secondly import record_schedule
from tests.scenario.system import PATIENCE_S, System, running, until
from tests.scenario.timely import Timely

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module")]

SLOTS = 3
EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    folder = tmp_path_factory.mktemp("life")
    shutil.copy(Path(__file__).with_name("whole_life.py"), folder / "life_skills.py")
    examples = (str(EXAMPLES / f"{name}.py") for name in ("approval", "flaky", "reminder", "report", "streamed"))
    plan = ClusterPlan(nodes=2, slots=SLOTS, skills=(str(folder / "life_skills.py"), *examples))
    async with running(folder, plan) as system:
        yield system


async def run(system: System, *words: str) -> Outcome:
    """A command, while the cluster is looked after."""
    return await asyncio.to_thread(system.claw.quick, *words, "--json")


async def row(system: System, *words: str) -> Any:
    """What a command that succeeds tells."""
    done = await run(system, *words)
    assert done.code == 0, done
    return done.answer


async def status(system: System, id: str) -> str:
    return (await system.client.snapshot(id)).state.life.status


async def becomes(system: System, id: str, *wanted: str) -> None:
    """Returns when the task has one of these statuses."""

    async def is_there() -> bool:
        return await status(system, id) in wanted

    await until(is_there, f"{id} is {' or '.join(wanted)}")


async def written(system: System, after: int) -> list[str]:
    """The subjects of tasks and schedules in the log behind that place."""
    patterns = ["claw.task.>", "claw.schedule.>"]
    return [record.subject async for batch in system.log.read(patterns, after=after) for record in batch]


async def why(system: System, id: str) -> tuple[str, str, Any]:
    told = await row(system, "why", id)
    return told["status"], "; ".join(told["reasons"]), told["waiting_for"]


# Row 8: Why


async def test_why_tells_who_has_the_slots(system: System) -> None:
    holders = [f"w{n}" for n in range(2 * SLOTS)]
    try:
        for id in holders:  # one after another: nothing has ended yet, so no node is given any ahead
            await system.client.submit("waits", id=id)
        for id in holders:
            await becomes(system, id, "running")
        await system.client.submit("waits", id="no-slot")
        state, said, _ = await why(system, "no-slot")
        told = {f"no free slot: node {node} has {SLOTS}, all taken" for node in ("n1", "n2")}
        assert (state, set(said.split("; "))) == ("pending", told)
        assert (await why(system, "w0"))[1].endswith(", attempt 1; no step is recorded yet")
        await row(system, "pause", "no-slot")
        assert "paused it: claw resume no-slot resumes it as pending" in (await why(system, "no-slot"))[1]
    finally:  # else nothing of what follows would ever run
        for id in (*holders, "no-slot"):
            with contextlib.suppress(NotFound, Refused):
                await system.client.cancel(id)
    await system.ended(holders)
    assert "cancelled it" in (await why(system, "w0"))[1]


async def test_why_tells_what_every_state_is_about(system: System) -> None:
    await system.client.submit("echo", {"text": ""}, id="far", affinity={"gpu": "yes"})
    late = await row(system, "submit", "echo", HI, "--id", "late", "--delay", "1h")
    waits = {"for": "timer", "until": late["waiting_until"]}
    assert (await why(system, "late"))[::2] == ("waiting", waits)
    assert (await why(system, "far"))[1] == "no online node with the skill has the affinity gpu=yes"
    for id, skill, params, wanted in (
        ("asks", "asks", {}, "waiting"),
        ("tries-late", "fails-late", {}, "waiting"),
        ("needs-a-person", "fails", {"how": "permission"}, "blocked"),
        ("ends-failed", "fails", {"how": "validation"}, "failed"),
        ("ends-dead", "fails", {"how": "unknown"}, "dead"),
        ("ends-well", "echo", {"text": "hi"}, "completed"),
    ):
        await system.client.submit(skill, params, id=id)
        await becomes(system, id, wanted)
    assert await why(system, "asks") == ("waiting", "it waits for the signal 'go'", {"for": "signal", "name": "go"})
    _, said, waits = await why(system, "tries-late")
    assert said.startswith("retry 1 of 2 starts at 20")
    assert " after network: ConnectionError: no route to host" in said
    assert (waits["for"], waits["until"] > late["submitted_at"]) == ("retry", True)
    for id, words in (
        ("needs-a-person", "it needs a person: permission: PermissionError: not yours"),
        ("ends-failed", "attempt 1 failed with an error that is not retried, validation: ValueError: of no use"),
        ("ends-dead", "attempt 2 failed and its retry is used up, unknown: RuntimeError: who knows"),
        ("ends-well", "completed at 20"),
    ):
        assert words in (await why(system, id))[1], id
    for id in ("late", "far", "asks", "tries-late", "needs-a-person"):
        await system.client.cancel(id)


# Nonsense


async def test_nonsense_is_refused_in_one_line_with_its_code_and_nothing_is_written(system: System) -> None:
    client = system.client
    await client.submit("sleep", {"seconds": 0}, id="bad-done")
    await client.submit("nobody-has-it", id="bad-gone")
    await client.submit("nobody-has-it", id="bad-open")
    await client.cancel("bad-gone")
    await system.ended(["bad-done"])
    [step] = (await client.snapshot("bad-done")).state.journal.steps()
    before = (await system.log.head()).last_seq
    for nonsense, code, said in NONSENSE:
        words = [step.name if word == "step-1" else word for word in nonsense]
        done = await run(system, *words)
        error = done.answer["error"]
        assert (done.code, said.replace("step-1", step.name) in error["message"]) == (code, True), done
        assert error["code"] == {2: "usage", 3: "not_found", 4: "refused"}[code], done
        assert (done.err.count("\n"), done.err.startswith(f"claw: {error['message']}")) == (1, True), done
    lines = [
        {"id": f"ring-{n}", "skill": "echo", "params": {"text": ""}, "after": f"ring-{(n + 1) % 3}"} for n in range(3)
    ]
    (system.folder / "ring.jsonl").write_text("\n".join(map(json.dumps, lines)))
    done = await run(system, "submit", "--batch", str(system.folder / "ring.jsonl"))
    assert (done.code, done.answer["submitted"]) == (4, 0)
    assert {each["message"] for each in done.answer["refused"]} == {
        "it would wait for itself: ring-0 after ring-1 after ring-2 after ring-0"
    }
    assert await written(system, before) == []
    await client.cancel("bad-open")


# Row 2: Timers


def at_of(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


async def test_the_past_is_now_and_no_delay_ends_early(system: System) -> None:
    past = await row(system, "submit", "echo", HI, "--at", PAST, "--wait", "30s")
    assert (past["result"], past["not_before"]) == ("hi", "2020-01-01T00:00:00.000000+00:00")
    now = await row(system, "submit", "echo", HI, "--delay", "0s", "--wait", "30s")
    assert now["result"] == "hi"
    late = await row(system, "submit", "echo", HI, "--delay", "300ms", "--wait", "30s")
    assert at_of(late["not_before"]) - at_of(late["submitted_at"]) <= 0.3
    assert at_of(late["started_at"]) >= at_of(late["not_before"])


async def test_a_deadline_that_has_passed_ends_it_and_a_retry_needs_another(system: System) -> None:
    ended = await run(system, "submit", "echo", HI, "--id", "too-late", "--deadline", PAST, "--wait", "30s")
    assert (ended.code, ended.answer["status"], ended.answer["error"]["class"]) == (1, "failed", "timeout")
    assert "claw retry too-late --deadline T retries it" in (await why(system, "too-late"))[1]
    for more in ([], ["--deadline", "2020-01-02T00:00:00Z"]):
        refused = await run(system, "retry", "too-late", *more)
        assert (refused.code, refused.answer["error"]["code"]) == (4, "refused")
        assert "has passed, so it would end at once; retry it with a later one" in refused.answer["error"]["message"]
        assert "claw retry too-late --deadline T" in refused.err
    with pytest.raises(Refused, match="would end at once"):
        await system.client.retry("too-late")
    await system.client.connection.ask("claw.cmd.task.too-late", b'{"type":"task.retry"}')
    body = msgspec.json.encode({"type": "task.retry", "deadline": FUTURE})
    await system.client.connection.ask("claw.cmd.task.too-late", body)
    await becomes(system, "too-late", "completed")
    again = await row(system, "task", "too-late")
    assert (again["attempt"], again["deadline"][:4], again["result"]) == (1, "2100", "hi")


async def test_a_sleep_frees_its_slot_and_goes_on_where_it_was(system: System) -> None:
    await system.client.submit("naps", {"how_long": "1500ms"}, id="nap")
    await becomes(system, "nap", "waiting")
    asleep = await row(system, "task", "nap")
    assert (asleep["waiting_for"], asleep["node"]) == ("timer", asleep["parked_on"])
    history = await row(system, "task", "nap", "--history")
    [node] = [each["node"] for each in history if each["type"] == "task.scheduled"]
    await row(system, "cordon", node)
    assert await system.client.ref("nap").result(PATIENCE_S) == [1, 1]
    awake = await row(system, "task", "nap")
    assert (awake["node"] == node, at_of(awake["scheduled_at"]) >= at_of(asleep["waiting_until"])) == (True, True)
    await row(system, "uncordon", node)


async def test_a_cron_line_makes_its_tasks_until_it_is_paused(system: System) -> None:
    options = {"zone": "Europe/Berlin", "tags": ["ticks"]}
    await record_schedule(system.client, system.log, "tick", "* * * * * *", "echo", {"text": "hi"}, **options)
    added = await row(system, "schedule", "show", "tick")
    assert (added["status"], added["zone"], added["catch_up"]) == ("active", "Europe/Berlin", "coalesce")

    async def has_fired() -> bool:
        return bool((await row(system, "schedule", "show", "tick"))["fired"] >= 2)

    await until(has_fired, "it has fired twice")
    paused = await row(system, "schedule", "pause", "tick")
    assert (paused["status"], paused["next_at"]) == ("paused", None)
    rows = await row(system, "tasks", "--tag", "ticks", "--fresh")
    ids = [each["id"] for each in rows]
    assert paused["last_task"] in ids
    assert paused["fired"] <= len(ids) <= paused["fired"] + 1, "the pause may come between a task and its record"
    await system.ended(ids)
    resumed = await row(system, "schedule", "resume", "tick")
    assert at_of(resumed["next_at"]) > at_of(resumed["updated_at"]), "what a pause passed over never comes"
    await row(system, "schedule", "remove", "tick")
    assert "tick" not in [each["name"] for each in await row(system, "schedule", "list")]


@pytest.mark.parametrize("seconds", [3600, -3600])
async def test_a_clock_that_jumps_in_a_node_makes_no_timer_early_or_late(system: System, seconds: int) -> None:
    client, odd, ids = system.client, {"clock": "odd"}, [f"{what}{seconds}" for what in ("nap", "try")]
    await system.online("n1", "n2")
    await row(system, "node", "set", "n1", "--affinity", "clock=odd")
    pid = system.pid("n1")
    await client.submit("moves-clock", {"seconds": seconds}, id=f"jump{seconds}", affinity=odd)
    await client.ref(f"jump{seconds}").result(PATIENCE_S)
    try:
        await client.submit("naps", {"how_long": "1s"}, id=ids[0], affinity=odd)
        await client.submit("fails", {"how": "network"}, id=ids[1], affinity=odd)
        await system.ended(ids)
    finally:
        await client.run("moves-clock", {"seconds": 0}, affinity=odd, wait_s=PATIENCE_S)
    for id, tag, field in ((ids[0], "task.waiting", "until_ns"), (ids[1], "task.attempt_failed", "retry_at_ns")):
        story = await row(system, "task", id, "--history")
        told = next(each for each in story if each["type"] == tag)
        assert -30 < told[field] / 1e9 - at_of(told["at"]) <= 1.01, "it is reckoned by the time of the log"
    assert [await status(system, id) for id in ids] == ["completed", "dead"]
    assert system.pid("n1") == pid
    await row(system, "node", "set", "n1", "--affinity", "clock=")


# Row 1: Retries and error classes


async def test_each_kind_of_error_has_its_class_and_its_strategy(system: System) -> None:
    await system.online("n1", "n2")
    expected = {
        "timeout": ("dead", "timeout", 2),
        "memory": ("dead", "memory", 2),
        "permission": ("blocked", "permission", 1),
        "network": ("dead", "network", 2),
        "validation": ("failed", "validation", 1),
        "unknown": ("dead", "unknown", 2),
        "quota": ("failed", "quota", 1),
        "exit 75": ("dead", "busy", 2),
    }
    ids = {how: f"class-{how.replace(' ', '-')}" for how in expected}
    gate = system.folder / "class-gate"
    batch = await system.client.submit_many(
        [TaskRequest(id, spec_of("fails", {"how": how, "until": str(gate)})) for how, id in ids.items()]
    )
    assert not batch.refused
    for how, (wanted, kind, attempts) in expected.items():
        await becomes(system, ids[how], wanted)
        life = (await system.client.snapshot(ids[how])).state.life
        assert (life.error and life.error.kind, life.attempt) == (kind, attempts), how
    for how in ("timeout", "memory"):
        story = await row(system, "task", ids[how], "--history")
        assert len({each["node"] for each in story if each["type"] == "task.scheduled"}) == 2, "it was tried elsewhere"
        failures = [each["error"]["message"] for each in story if each["type"] == "task.attempt_failed"]
        assert len(failures) == 2, "the story of both attempts is there"
    gate.touch()
    assert (await row(system, "retry", ids["permission"]))["status"] == "pending"
    assert (await row(system, "retry", ids["validation"]))["status"] == "pending"
    redriven = await row(system, "redrive", "--skill", "fails", "--error", "network", "--limit", "1")
    assert [each["id"] for each in redriven] == [ids["network"]]
    for how, attempts in (("permission", 2), ("validation", 2), ("network", 3)):
        assert await system.client.ref(ids[how]).result(PATIENCE_S) == attempts


# Row 3: Dependencies


async def test_a_dead_predecessor_blocks_fails_or_lets_run_by_policy(system: System) -> None:
    gate = system.folder / "pre-gate"
    params = json.dumps({"how": "unknown", "until": str(gate)})
    await row(system, "submit", "fails", params, "--id", "pre", "--retries", "0")
    for policy in ("block", "fail", "run"):
        await row(system, "submit", "adds-up", "--id", f"on-{policy}", "--after", "pre", "--on-dead", policy)
    await becomes(system, "on-block", "blocked")
    await system.ended(["on-fail", "on-run"])
    _, said, _ = await why(system, "on-block")
    assert said.startswith("its predecessor pre is dead: when that task completes, this one runs")
    assert [await status(system, f"on-{policy}") for policy in ("fail", "run")] == ["failed", "completed"]
    gate.touch()
    await row(system, "redrive", "pre")
    await system.ended(["on-block"])  # waits through the block, which ends when `pre` has
    assert await system.client.ref("on-block").result(PATIENCE_S) == {"pre": 2}


# Row 4: Control


async def test_running_code_is_paused_resumed_and_forked_and_both_know_of_it(system: System) -> None:
    mark, gate = system.folder / "aside", system.folder / "aside-gate"
    await system.client.submit("steps-aside", {"mark": str(mark), "gate": str(gate)}, id="aside")
    await until(mark.exists, "its first step runs")
    await becomes(system, "aside", "running")
    for words in (["edit", "aside", "--priority", "high"], ["delete", "aside"]):
        refused = await run(system, *words)
        assert (refused.code, "the task is running" in refused.answer["error"]["message"]) == (4, True), refused
    assert (await row(system, "pause", "aside"))["status"] == "paused"
    resumed = await row(system, "resume", "aside")
    assert resumed["status"] in ("pending", "scheduled")
    gate.touch()
    assert await system.client.ref("aside").result(PATIENCE_S) == [1, 2]
    assert mark.read_text().split() == ["first", "second"]
    await row(system, "fork", "aside", "--from", "second", "--id", "aside-again")
    assert await system.client.ref("aside-again").result(PATIENCE_S) == [1, 1]
    assert mark.read_text().split() == ["first", "second", "second"]
    source, fork = await row(system, "task", "aside"), await row(system, "task", "aside-again")
    assert (source["forks"], fork["fork_of"]) == (["aside-again"], "aside")
    assert (source["status"], source["version"] > 0) == ("completed", True)


# Row 5: Isolation


async def test_what_runs_apart_dies_alone_and_with_its_node(system: System) -> None:
    await system.online("n1", "n2")
    nodes = {node: system.pid(node) for node in ("n1", "n2")}
    ends = {
        "memory": ("memory", "MemoryError"),
        "crash": ("unknown", "ended by SIGSEGV"),
        "exit": ("unknown", "exit code 3"),
    }
    await system.client.submit("hangs-apart", id="apart-hangs")
    for how in ends:
        await system.client.submit("fails-apart", {"how": how}, id=f"apart-{how}")
    await system.ended(f"apart-{how}" for how in (*ends, "hangs"))
    for how, (kind, words) in (ends | {"hangs": ("timeout", "")}).items():
        life = (await system.client.snapshot(f"apart-{how}")).state.life
        assert (life.status, life.error and life.error.kind, life.attempt) == ("dead", kind, 1), life
        assert words in str(life.error)
    assert {node: system.pid(node) for node in nodes} == nodes, "no node has died of it"

    mark = system.folder / "apart-pid"
    await system.client.submit("gated-apart", {"mark": str(mark)}, id="apart-orphan")
    first = Path(f"{mark}-1")
    await until(lambda: first.exists() and first.read_text() != "", "its process runs")
    node = (await system.client.snapshot("apart-orphan")).state.life.node
    assert system.signal(node, signal.SIGKILL)
    await until(lambda: not psutil.pid_exists(int(first.read_text())), "its process is gone with the node")
    assert await system.client.ref("apart-orphan").result(PATIENCE_S) == 2
    await until(lambda: system.pid(node) not in (0, nodes[node]), "the node is started again")
    await system.online("n1", "n2")


# Row 7: Journal


async def test_changed_code_blocks_what_it_no_longer_fits_and_a_fork_goes_on(system: System) -> None:
    code = system.folder / "life_skills.py"
    await system.client.submit("copies", id="changed")
    await becomes(system, "changed", "waiting")
    code.write_text(code.read_text().replace("CHUNK = 1\n", "CHUNK = 2\n"))
    pids = {node: system.signal(node, signal.SIGKILL) for node in ("n1", "n2")}
    await until(lambda: all(system.pid(node) not in (0, pid) for node, pid in pids.items()), "both run again")
    await system.online("n1", "n2")
    await row(system, "signal", "changed", "go")
    for _ in range(2):
        await becomes(system, "changed", "blocked")
        _, said, _ = await why(system, "changed")
        assert said.startswith("it needs a person: "), said
        assert "'copy'" in said
        assert (await system.client.snapshot("changed")).state.life.status == "blocked"
        await row(system, "retry", "changed")
    await becomes(system, "changed", "blocked")
    await row(system, "fork", "changed", "--from", "copy", "--id", "changed-fork")
    await row(system, "signal", "changed-fork", "go")
    assert await system.client.ref("changed-fork").result(PATIENCE_S) == 2
    await row(system, "cancel", "changed")


# Row 6: Payloads and output


async def test_a_log_is_followed_while_the_task_runs(system: System) -> None:
    gate = system.folder / "log-gate"
    await system.client.submit("counts-slowly", {"gate": str(gate)}, id="prints")
    follows = await asyncio.create_subprocess_exec(
        *system.claw.command("logs", "prints", "-f"), env=system.claw.env, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert follows.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            assert await follows.stdout.readline() == b"first line\n"
            assert await status(system, "prints") == "running"
            gate.touch()
            assert await follows.stdout.read() == b"last line\n"
            assert await follows.wait() == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            follows.kill()
        await follows.wait()


async def is_asked(system: System, id: str) -> bool:
    return any(asked.task == id for asked in await system.client.approvals())


async def test_the_examples_do_what_they_say(system: System) -> None:
    await row(system, "submit", "publish", HI, "--id", "approved")
    await row(system, "submit", "remind", '{"text": "water", "every": "1s", "times": 1}', "--id", "reminded")
    await row(system, "submit", "answer", '{"question": "what?", "pause_s": 0}', "--id", "streamed")
    await record_schedule(system.client, system.log, "daily", "* * * * * *", "report", {"of": "sales"})
    fetched = await row(system, "submit", "fetch", '{"url": "there"}', "--wait", "30s")
    assert (fetched["result"], fetched["attempt"]) == ("hello", 1)
    await until(lambda: is_asked(system, "approved"), "it asks for an approval")
    await row(system, "approve", "approved", "--comment", "well said")
    assert await system.client.ref("approved").result(PATIENCE_S) == "sent: hi!"
    async with asyncio.timeout(PATIENCE_S):
        words = [chunk.value async for chunk in system.client.ref("streamed").stream()]
    assert " ".join(words) == await system.client.ref("streamed").result(PATIENCE_S)
    assert await system.client.ref("reminded").result(PATIENCE_S) == "reminded 1 times"

    async def has_reported() -> bool:
        return bool((await row(system, "schedule", "show", "daily"))["fired"])

    await until(has_reported, "the report is made")
    last = (await row(system, "schedule", "pause", "daily"))["last_task"]
    assert await system.client.ref(last).result(PATIENCE_S) == "sent the report of sales: 10"


async def test_no_timer_of_all_this_was_early(system: System) -> None:
    timely = await Timely().read(system.log)
    assert not timely.problems
    assert timely.late


# Kills of the command line


async def chunks_stored(system: System) -> int:
    info = await call(system.client.connection, "STREAM.INFO.OBJ_claw-blobs")
    return int(info["state"]["messages"])


async def answers(system: System, id: str) -> bool:
    with contextlib.suppress(Unavailable):
        return (await system.client.snapshot(id)).state.exists
    return False


async def test_the_parts_of_an_upload_that_was_killed_half_way_are_swept_when_they_are_old(system: System) -> None:
    client, kept = system.client, {"text": "kept" * 100_000}
    await client.submit("nobody-has-it", kept, id="keeps")
    before, params = await chunks_stored(system), system.folder / "large.json"
    blobs = JetStreamBlobs(client.connection)
    for letter in "abcdefgh":  # a fast machine may be done before it is killed
        params.write_text(json.dumps({"text": letter * (16 << 20)}))
        submits = await asyncio.create_subprocess_exec(
            *system.claw.command("submit", "nobody-has-it", f"@{params}", "--id", "never"),
            env=system.claw.env,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            while submits.returncode is None and await chunks_stored(system) < before + 5:  # noqa: ASYNC110
                await asyncio.sleep(0)
            system.signal("control", signal.SIGKILL)  # it stores what clients upload
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(submits.pid, signal.SIGKILL)
            await submits.wait()
        await until(lambda: answers(system, "keeps"), "control answers again")
        if await blobs.unfinished(2**62):
            break
    assert (await run(system, "task", "never")).code == 3
    told = await row(system, "sweep", "--older-than", "1d")
    assert (told["removed"], told["unfinished"]) == (0, 0), "nothing is old"
    tried = await sweep(system.log, blobs, JetStreamOutputs(client.connection), -3600, removes=False)
    assert tried.unfinished == 1
    assert await chunks_stored(system) >= before + 5
    swept = await sweep(system.log, blobs, JetStreamOutputs(client.connection), -3600)
    assert swept.unfinished == 1
    assert (await sweep(system.log, blobs, JetStreamOutputs(client.connection), -3600)).unfinished == 0
    assert (await row(system, "task", "keeps", "--full"))["params"] == kept
    await client.cancel("keeps")


async def test_ten_thousand_in_one_batch_that_is_killed_and_sent_again_are_there_once(system: System) -> None:
    lines = system.folder / "many.jsonl"
    lines.write_text("".join(f'{{"id":"many-{n}","skill":"nobody-has-it","tag":"many"}}\n' for n in range(10_000)))
    before = (await system.log.head()).last_seq
    killed = await asyncio.create_subprocess_exec(
        *system.claw.command("submit", "--batch", str(lines)),
        env=system.claw.env,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        while killed.returncode is None and (await system.log.head()).last_seq < before + 1000:  # noqa: ASYNC110
            await asyncio.sleep(0)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(killed.pid, signal.SIGKILL)
        await killed.wait()
    done = await row(system, "submit", "--batch", str(lines))
    assert (done["submitted"] + done["existing"], done["refused"]) == (10_000, [])
    assert done["existing"] >= 1000
    subjects = await written(system, before)
    assert (len(subjects), len(set(subjects))) == (10_000, 10_000)
