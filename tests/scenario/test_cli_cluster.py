"""Every command against one real cluster, by real processes: answers, their shapes, exit codes."""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from clawactors import TaskBlocked
from clawactors.app.client import Client
from clawactors.app.cluster import ClusterSupervisor
from clawactors.app.clusterplan import ClusterPlan
from clawactors.app.discovery import discover
from clawactors.kernel.principals import principal_of
from tests.scenario.claw import PATIENCE_S, ROOT, Claw

pytestmark = pytest.mark.nats

TASK_ROW = (
    {"id", "name", "skill", "type", "status", "priority", "user", "params", "requires", "prefers", "affinity", "tags"}
    | {"description", "metadata", "after", "timeout_s", "deadline", "max_retries", "waiting_for", "node", "attempt"}
    | {"progress", "steps", "result", "error", "submitted_at", "scheduled_at", "started_at", "completed_at"}
    | {"updated_at", "version"}
)
NODE_ROW = (
    {"id", "hostname", "platform", "arch", "status", "skills", "slots", "running", "cpu", "memory", "disk", "ip"}
    | {"overlay_ip", "port", "affinity", "incarnation", "processed", "succeeded", "failed", "mean_s", "registered_at"}
    | {"last_heartbeat_at"}
)
STEP_ROW = {"name", "status", "attempt", "result", "error", "started_at", "completed_at"}
SKILLS = '''
from clawactors import ErrorRule, Retry, skill


@skill("boom", retry=Retry(max_retries=0), errors=[ErrorRule(kind="quota", text="used up", strategy="ask")])
async def boom(task, text: str = "it broke"):
    """Fails."""
    raise ValueError(text)


@skill("count")
async def count(task, up_to: int):
    """Counts in steps."""
    for number in range(up_to):
        await task.step(f"step-{number}", lambda: number)
    return up_to


@skill("locked")
async def locked(task):
    """Needs a person."""
    raise PermissionError("ask Ada for the key")


@skill("awaits")
async def awaits(task):
    """Waits for a signal."""
    return await task.signal("go")
'''


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ClusterSupervisor]:
    folder = tmp_path_factory.mktemp("cli")
    skills = folder / "own_skills.py"
    skills.write_text(SKILLS)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", ROOT)
        async with ClusterSupervisor(folder / "data", ClusterPlan(nodes=2, slots=5, skills=(str(skills),))) as cluster:
            yield cluster


@pytest.fixture(scope="module")
def claw(cluster: ClusterSupervisor) -> Claw:
    return Claw(cluster.path)


def test_a_task_is_submitted_awaited_and_shown(claw: Claw) -> None:
    done = claw(
        "submit", "count", '{"up_to": 3}', "--id", "c-1", "--wait", "30s", "--tag", "x", "--user", "ada", "--json"
    )
    assert (done.code, done.err) == (0, "")
    row = done.answer
    assert set(row) >= TASK_ROW
    assert (row["id"], row["status"], row["result"], row["progress"]) == ("c-1", "completed", 3, 100.0)
    assert [step["name"] for step in row["steps"]] == ["step-0", "step-1", "step-2"]
    assert all(set(step) == STEP_ROW for step in row["steps"])
    assert claw("task", "c-1", "--json").answer == row
    again = claw.quick("submit", "count", '{"up_to": 3}', "--id", "c-1", "--tag", "x", "--user", "ada", "--json")
    assert (again.code, again.answer) == (0, row)
    other = claw.quick("submit", "count", '{"up_to": 4}', "--id", "c-1", "--json")
    assert (other.code, other.answer["error"]["code"]) == (4, "refused")


def test_its_history_and_its_past_are_told(claw: Claw) -> None:
    claw.quick("submit", "count", '{"up_to": 2}', "--id", "h-1", "--wait")
    history = claw.quick("task", "h-1", "--history", "--json").answer
    assert [entry["type"] for entry in history] == [
        "task.submitted",
        "task.scheduled",
        "task.started",
        "step.completed",
        "step.completed",
        "task.completed",
    ]
    assert all(entry["seq"] and entry["at"] for entry in history)
    first, second = history[0]["seq"], history[1]["seq"]
    assert claw.quick("task", "h-1", "--at", str(first), "--json").answer["status"] in ("pending", "scheduled")
    assert claw.quick("task", "h-1", "--at", history[1]["at"], "--json").answer["status"] == "scheduled"
    assert len(claw.quick("task", "h-1", "--at", str(second), "--history", "--json").answer) == 2
    before = claw.quick("task", "h-1", "--at", "2020-01-01T00:00:00Z", "--json")
    assert (before.code, before.answer["error"]["message"]) == (3, "there was no task 'h-1' then")
    changed = claw.quick("diff", "h-1", "--from", str(second), "--json").answer
    assert changed["changed"]["status"] == {"before": "scheduled", "after": "completed"}
    assert [entry["type"] for entry in changed["events"]] == [entry["type"] for entry in history[2:]]


def test_the_cluster_is_asked_as_it_was(claw: Claw, tmp_path: Path) -> None:
    claw.quick("submit", "count", '{"up_to": 2}', "--id", "past-1", "--wait")
    last = claw.quick("task", "past-1", "--json").answer["version"]
    claw.quick("submit", "count", '{"up_to": 2}', "--id", "past-2", "--wait")
    then = claw.quick("tasks", "--at", str(last), "--json").answer
    assert [row["id"] for row in then if row["id"].startswith("past-")] == ["past-1"]
    status = claw.quick("status", "--at", str(last), "--json").answer
    assert (sum(status["tasks"].values()), status["log"]["last_seq"]) == (len(then), last)
    assert "n1" in [row["id"] for row in claw.quick("nodes", "--at", str(last), "--json").answer]
    assert claw.quick("tasks", "--at", "-10ms", "--json").code == 0
    future = claw.quick("tasks", "--at", str(10 * last + 1000), "--json")
    assert (future.code, future.answer["error"]["code"]) == (2, "usage")
    into = str(tmp_path / "into")
    made = claw("--view", "tasks", "--at", str(last), "--into", into, module="replay")
    assert made.code == 0, made
    assert claw.quick("tasks", "--views", into, "--json").answer == then
    assert claw.quick("task", "past-1", "--views", into, "--json").answer["result"] is not None
    assert claw.quick("task", "past-2", "--views", into, "--json").code == 3


def test_parameters_come_from_standard_input(claw: Claw) -> None:
    done = claw("--json", "submit", "echo", "--wait", "30s", "-", stdin='{"text": "任务 🦀"}')
    assert done.answer["result"] == "任务 🦀"
    assert claw("submit", "echo", "-", stdin="nonsense").code == 2


async def submit_from_python(data: Path) -> Any:
    async with Client.connect(data=str(data), user="grace hopper") as claw:
        ref = await claw.submit("count", {"up_to": 2}, id="from-python", priority="high")
        return await ref.result(timeout_s=30)


def test_three_lines_of_python_do_the_same(claw: Claw) -> None:
    assert asyncio.run(submit_from_python(claw.data)) == 2
    history = claw.quick("task", "from-python", "--history", "--json").answer
    assert history[0]["by"] == f"client/{principal_of('grace hopper')}"


def test_waiting_for_a_task_that_fails_ends_with_1(claw: Claw) -> None:
    failed = claw("submit", "boom", "--id", "f-1", "--wait", "30s", "--json")
    assert failed.code == 1
    assert failed.answer["status"] in ("failed", "dead")
    assert "it broke" in failed.answer["error"]["message"]
    assert "it broke" in failed.err
    assert "it broke" in claw("why", "f-1", "--json").answer["reasons"][0]


def test_waiting_too_short_ends_with_5_and_names_the_task(claw: Claw) -> None:
    late = claw.quick("submit", "sleep", '{"seconds": 30}', "--wait", "200ms", "--json")
    assert late.code == 5
    assert late.answer["error"]["code"] == "timeout"
    id = late.answer["task"]["id"]
    assert claw.quick("why", id, "--json").answer["status"] in ("scheduled", "running")
    assert claw("cancel", id).code == 0


def test_a_wait_ends_with_6_when_the_task_needs_a_person(claw: Claw, cluster: ClusterSupervisor) -> None:
    waited = claw("submit", "locked", "--id", "locked-1", "--wait", "--json")
    assert (waited.code, waited.answer["error"]["code"]) == (6, "blocked")
    assert waited.answer["task"]["status"] == "blocked"
    assert "ask Ada for the key" in waited.answer["error"]["message"]
    assert "claw retry locked-1" in waited.answer["error"]["hint"]

    async def result() -> None:
        async with Client.connect(data=str(cluster.path)) as client:
            await client.ref("locked-1").result()

    with pytest.raises(TaskBlocked, match=r"task locked-1 is blocked: .*ask Ada for the key"):
        asyncio.run(result())
    assert claw.quick("cancel", "locked-1").code == 0


def test_what_cannot_go_on_by_itself_is_said_at_once(claw: Claw) -> None:
    typo = claw.quick("submit", "coutn", "--id", "typo-1", "--json")
    assert (typo.code, typo.answer["status"]) == (0, "pending")
    assert typo.err == (
        "claw: no node offers the skill 'coutn' (did you mean 'count'?); the task waits until one does\n"
    )
    waits = claw.quick("submit", "coutn", "--id", "typo-2", "--wait", "1s")
    said, why, *_ = waits.err.splitlines()
    assert waits.code != 0
    assert said.startswith("claw: no node offers the skill 'coutn'")
    assert why.startswith("claw: timed out after 1 s: the task is pending: ")
    assert "coutn" in why
    for id in ("typo-1", "typo-2"):
        claw.quick("cancel", id)


def test_a_mistyped_signal_is_kept_and_the_name_that_the_task_waits_for_is_said(claw: Claw) -> None:
    claw.quick("submit", "awaits", "--id", "awaits-1")
    _wait_until(lambda: claw.quick("task", "awaits-1", "--json").answer["status"] == "waiting")
    typo = claw.quick("signal", "awaits-1", "og", "1")
    assert typo.code == 0
    assert typo.err == "claw: the task waits for the signal 'go'; 'og' is kept until its code asks\n"
    right = claw.quick("signal", "awaits-1", "go", "2")
    assert (right.code, right.err) == (0, "")
    _wait_until(lambda: claw.quick("task", "awaits-1", "--json").answer["status"] == "completed")
    assert claw.quick("task", "awaits-1", "--json").answer["result"] == 2


def test_the_cancel_of_a_running_task_is_said_to_be_a_request(claw: Claw) -> None:
    for id in ("runs-1", "runs-2"):
        claw.quick("submit", "shell", '{"argv": ["sleep", "60"]}', "--id", id)
    _wait_until(lambda: all(claw.quick("task", f"runs-{n}", "--json").answer["status"] == "running" for n in (1, 2)))
    one = claw.quick("cancel", "runs-1", "--json")
    assert (one.code, set(one.answer) >= TASK_ROW) == (0, True)
    assert one.answer["status"] == "cancelled" or one.answer["cancel_requested"]
    assert one.err.startswith("claw: cancel requested: task runs-1 will be cancelled when the code has stopped")


def test_hints_fit_what_is_missing(claw: Claw) -> None:
    assert "(claw schedule list shows all schedules)" in claw.quick("schedule", "show", "nope").err
    assert "(claw schedule list shows all schedules)" in claw.quick("schedule", "pause", "nope").err
    assert "(claw memory search and claw memory recent list memories)" in claw.quick("memory", "forget", "nope").err
    for id in ("same-start-1", "same-start-2"):
        claw.quick("submit", "echo", '{"text": ""}', "--id", id)
    several = claw.quick("logs", "same-start")
    assert (several.code, "(give more of the id)" in several.err) == (2, True)
    assert "--deadline" not in claw.quick("cancel", "--help").out
    assert "--deadline" in claw.quick("retry", "--help").out


def test_tasks_are_found_by_error_interruption_and_silence(claw: Claw) -> None:
    claw.quick("submit", "boom", "--id", "bad-1", "--wait", "30s")
    bad = claw.quick("tasks", "--error", "validation", "--fresh", "--json").answer
    assert "bad-1" in [row["id"] for row in bad]
    assert claw.quick("tasks", "--error", "memory", "--fresh", "--json").answer == []
    assert claw.quick("tasks", "--interrupted", "--silent", "1h", "--json").answer == []


def test_parameters_that_do_not_fit_are_refused(claw: Claw) -> None:
    refused = claw.quick("submit", "count", '{"up_to": "three"}', "--json")
    assert refused.code == 4
    assert "'up_to' takes integer" in refused.answer["error"]["message"]


def test_a_batch_goes_through_but_for_its_bad_lines(claw: Claw, tmp_path: Path) -> None:
    good = [f'{{"id": "b-{n}", "skill": "echo", "params": {{"text": "{n}"}}, "tag": "batch"}}' for n in range(40)]
    large = {"id": "b-large", "skill": "echo", "params": {"text": ""}, "description": "x" * 1_100_000}
    too_large = msgspec.json.encode(large).decode()
    bad = [
        "nonsense",
        '{"id": "b 1", "skill": "echo"}',
        '{"skill": "echo", "nope": 1}',
        too_large,
        '{"id": "b-0", "skill": "x"}',
    ]
    lines = [*good[:20], *bad, "", *good[20:], good[0]]
    (tmp_path / "batch.jsonl").write_text("\n".join(lines))
    done = claw.quick("submit", "--batch", str(tmp_path / "batch.jsonl"), "--json")
    assert done.code == 4
    report = done.answer
    assert (report["submitted"], report["existing"]) == (40, 1)
    assert [each["line"] for each in report["refused"]] == [21, 22, 23, 24, 25]
    assert [each["id"] for each in report["refused"]] == [None, "b 1", None, "b-large", "b-0"]
    again = claw("submit", "--batch", "-", "--json", stdin="\n".join(good))
    assert (again.code, again.answer) == (0, {"submitted": 0, "existing": 40, "refused": []})


def test_tasks_are_listed_newest_first_by_filter_and_page(claw: Claw) -> None:
    lines = "\n".join(
        f'{{"id": "l-{n}", "skill": "echo", "params": {{"text": ""}}, "tag": "listed"}}' for n in range(5)
    )
    claw("submit", "--batch", "-", stdin=lines)
    rows = claw("tasks", "--tag", "listed", "--fresh", "--json").answer
    assert [row["id"] for row in rows] == ["l-4", "l-3", "l-2", "l-1", "l-0"]
    assert all(set(row) >= TASK_ROW for row in rows)
    page = claw.quick("tasks", "--tag", "listed", "--limit", "3", "--json").answer
    rest = claw.quick("tasks", "--tag", "listed", "--cursor", page[-1]["cursor"], "--json").answer
    assert [row["id"] for row in page + rest] == [row["id"] for row in rows]
    since = claw.quick(
        "tasks", "--tag", "listed", "--since", rows[1]["submitted_at"], "--skill", "echo", "--json"
    ).answer
    assert {row["id"] for row in since} >= {"l-4", "l-3"}
    assert claw.quick("tasks", "--tag", "listed", "--status", "dead", "--json").answer == []
    assert claw.quick("tasks", "--tag", "listed", "--cursor", "x", "--json").code == 2
    plain = claw.quick("tasks", "--tag", "listed", "--limit", "2")
    assert [line.split("\t")[0] for line in plain.out.splitlines()] == ["ID", "l-4", "l-3"]
    assert "--cursor" in plain.err


def test_a_task_is_paused_resumed_cancelled_and_retried(claw: Claw) -> None:
    claw.quick("submit", "nobody-has-it", "--id", "p-1")
    assert claw.quick("why", "p-1", "--json").answer == {
        "id": "p-1",
        "status": "pending",
        "reasons": ["no online node has the skill 'nobody-has-it'"],
        "waiting_for": {},
    }
    assert claw("pause", "p-1", "--json").answer["status"] == "paused"
    assert claw("resume", "p-1", "--json").answer["status"] == "pending"
    assert claw.quick("cancel", "p-1", "--json").answer["status"] == "cancelled"
    illegal = claw.quick("pause", "p-1", "--json")
    assert (illegal.code, illegal.answer["error"]["code"]) == (4, "refused")
    assert claw("retry", "p-1", "--json").answer["status"] == "pending"
    assert claw.quick("cancel", "p-1").code == 0
    again = claw.quick("cancel", "p-1", "--json")
    assert (again.code, again.answer["error"]["message"]) == (4, "the task is cancelled already")


def test_the_beginning_of_an_id_is_enough_to_look(claw: Claw) -> None:
    id = claw.quick("submit", "nobody-has-it", "--tag", "begins", "--json").answer["id"]
    for start in (id[:-4], id[2:-4]):
        assert claw.quick("task", start, "--json").answer["id"] == id
        assert claw.quick("task", start, "--history", "--json").code == 0
        assert claw.quick("why", start, "--json").answer["id"] == id
    for name in ("start-a", "start-b"):
        claw.quick("submit", "nobody-has-it", "--id", name)
    several = claw.quick("task", "start-", "--json")
    assert (several.code, several.answer["error"]["code"]) == (2, "usage")
    assert "start-a, start-b" in several.answer["error"]["message"]
    assert claw.quick("task", "start-a", "--json").answer["id"] == "start-a", "a whole id is never ambiguous"
    cancelled = claw.quick("cancel", id[2:-4], "--json")
    assert (cancelled.answer["id"], cancelled.answer["status"]) == (id, "cancelled")
    assert id in cancelled.err


def test_the_beginning_of_a_chosen_id_changes_nothing(claw: Claw) -> None:
    claw.quick("submit", "nobody-has-it", "--id", "job-10")
    refused = claw.quick("cancel", "job-1", "--json")
    assert (refused.code, refused.answer["error"]["code"]) == (3, "not_found")
    assert "job-10" in refused.answer["error"]["hint"]
    assert claw.quick("task", "job-10", "--json").answer["status"] == "pending"
    assert claw.quick("cancel", "job-10").code == 0


def test_several_tasks_are_changed_at_once(claw: Claw) -> None:
    ids = [f"many-{n}" for n in range(3)]
    for id in ids:
        claw.quick("submit", "nobody-has-it", "--id", id)
    paused = claw.quick("pause", *ids, "--json")
    assert (paused.code, [row["status"] for row in paused.answer]) == (0, ["paused"] * 3)
    some = claw("resume", *ids[:2], "nobody", "--json")
    assert (some.code, [row["id"] for row in some.answer]) == (4, ids[:2])
    assert "1 not changed, such as nobody: there is no task 'nobody'" in some.err
    assert claw.quick("cancel", *ids, "--json").code == 0
    assert [row["status"] for row in claw.quick("retry", *ids, "--json").answer] == ["pending"] * 3
    assert [row["status"] for row in claw.quick("delete", *ids, "--json").answer] == ["archived"] * 3


def test_tasks_are_chosen_by_a_filter_and_many_only_when_that_is_meant(claw: Claw) -> None:
    lines = "\n".join(f'{{"id": "bulk-{n}", "skill": "nobody-has-it", "tag": "bulk"}}' for n in range(12))
    assert claw("submit", "--batch", "-", stdin=lines).code == 0
    asked = claw("cancel", "--tag", "bulk", "--json")
    assert (asked.code, asked.answer["error"]["message"]) == (2, "cancel 12 tasks? there is no terminal to ask on")
    assert "--yes" in asked.answer["error"]["hint"]
    told = claw.quick("cancel", "--tag", "bulk", "--dry-run", "--json")
    assert (told.code, len(told.answer), told.answer[0]["status"]) == (0, 12, "pending")
    few = claw.quick("cancel", "--tag", "bulk", "--limit", "2", "--json").answer
    assert [(row["id"], row["status"]) for row in few] == [("bulk-11", "cancelled"), ("bulk-10", "cancelled")]
    none = claw.quick("cancel", "--tag", "bulk", "--status", "dead", "--json")
    assert (none.code, none.answer) == (0, [])
    rest = claw.quick("cancel", "--tag", "bulk", "--yes", "--json")
    assert (rest.code, len(rest.answer)) == (0, 10), "what is cancelled already is not chosen"
    assert claw.quick("delete", "--tag", "bulk", "--limit", "1", "--json").answer[0]["status"] == "archived"
    assert claw.quick("cancel").code == 2
    assert claw.quick("cancel", "bulk-1", "--tag", "bulk").code == 2
    assert claw.quick("pause", "bulk-1", "--deadline", "2030-01-01T00:00:00Z").code == 2


def test_a_task_is_edited_told_and_deleted(claw: Claw) -> None:
    claw.quick("submit", "nobody-has-it", '{"n": 1}', "--id", "edit-1", "--tag", "a")
    edited = claw("edit", "edit-1", "--priority", "high", "--params", '{"n": 2}', "--json").answer
    assert (edited["priority"], edited["params"], edited["tags"]) == (3, {"n": 2}, ["a"])
    assert claw.quick("edit", "edit-1").code == 2
    assert claw("signal", "edit-1", "go", '{"by": "Ada"}', "--json").answer["status"] == "pending"
    assert claw.quick("signal", "edit-1", "go", "{").code == 2
    assert claw("delete", "edit-1", "--json").answer["status"] == "archived"
    for refused in (["signal", "edit-1", "go"], ["edit", "edit-1", "--name", "x"], ["cancel", "edit-1"]):
        assert claw.quick(*refused).code in (2, 4), refused


def test_a_task_is_forked_before_a_step(claw: Claw) -> None:
    claw.quick("submit", "count", '{"up_to": 3}', "--id", "fork-1", "--wait")
    row = claw.quick("task", "fork-1", "--json").answer
    steps = [step["name"] for step in row["steps"]]
    assert len(steps) == 3, row
    fork = claw("fork", "fork-1", "--from", steps[1], "--id", "fork-2", "--json")
    assert fork.code == 0
    assert claw.quick("fork", "fork-1", "--from", steps[1], "--id", "fork-2", "--json").answer["id"] == "fork-2"
    unknown = claw.quick("fork", "fork-1", "--from", "nowhere", "--json")
    assert unknown.code == 4
    assert "no step 'nowhere'" in unknown.answer["error"]["message"]


def _wait_until(holds: Callable[[], bool]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end_s


def test_dead_tasks_are_redriven(claw: Claw) -> None:
    task = {"skill": "sleep", "params": {"seconds": 60}, "timeout_s": 0.05, "retries": 0, "tag": "doomed"}
    lines = "\n".join(msgspec.json.encode(task | {"id": f"red-{n}"}).decode() for n in range(5))
    assert claw("submit", "--batch", "-", stdin=lines).code == 0

    def are_dead() -> bool:
        rows = claw.quick("tasks", "--tag", "doomed", "--fresh", "--json").answer
        return [row["status"] for row in rows] == ["dead"] * 5

    _wait_until(are_dead)
    assert claw.quick("redrive", "--skill", "nobody-has-it", "--json").answer == []
    assert claw.quick("redrive", "--error", "memory", "--json").answer == []
    rows = claw("redrive", "--skill", "sleep", "--error", "timeout", "--limit", "2", "--rate", "50/s", "--json").answer
    assert [(row["id"], row["status"]) for row in rows] == [("red-4", "pending"), ("red-3", "pending")]
    assert [row["id"] for row in claw.quick("redrive", "red-0", "--json").answer] == ["red-0"]
    _wait_until(are_dead)
    assert claw.quick("redrive", "nobody").code == 3
    assert claw.quick("redrive", "--rate", "0").code == 2
    claw.quick("submit", "echo", '{"text": "hi"}', "--id", "red-done", "--wait")
    assert claw.quick("redrive", "red-done").code == 4


def test_what_nobody_knows_ends_with_3(claw: Claw) -> None:
    for arguments in (["task", "nope"], ["cancel", "nope"], ["why", "nope"], ["node", "nope"], ["drain", "nope"]):
        unknown = claw(*arguments, "--json")
        assert (unknown.code, unknown.answer["error"]["code"]) == (3, "not_found"), arguments


def test_nodes_are_listed_and_controlled(claw: Claw) -> None:
    rows = claw("nodes", "--json").answer
    assert [row["id"] for row in rows] == ["n1", "n2"]
    assert all(set(row) >= NODE_ROW for row in rows)
    assert claw("node", "n2", "--json").answer["status"] == "online"
    assert claw("cordon", "n2", "--json").answer["status"] == "cordoned"
    assert claw("drain", "n2", "--json").answer["status"] == "draining"
    assert claw("uncordon", "n2", "--json").answer["status"] == "online"
    changed = claw.quick("node", "set", "n2", "--slots", "7", "--affinity", "zone=a", "--json").answer
    assert (changed["slots"], changed["affinity"]) == (7, {"zone": "a"})
    assert claw.quick("node", "set", "n2", "--affinity", "zone=", "--json").answer["affinity"] == {}
    assert claw("remove", "n2", "--json").code == 4


def test_skills_are_listed_with_what_they_take(claw: Claw) -> None:
    rows: dict[str, Any] = {row["name"]: row for row in claw("skills", "--json").answer}
    assert {"echo", "sleep", "shell", "python", "boom", "count"} <= set(rows)
    assert rows["count"]["parameters"] == [{"name": "up_to", "type": "integer"}]
    assert rows["count"]["nodes"] == ["n1", "n2"]
    boom = claw.quick("skills", "boom")
    assert "text 'used up'\tquota\task" in boom.out
    assert "TimeoutError" in boom.out
    assert claw.quick("skills", "nobody-has-it").code == 3


def test_the_status_says_which_server_and_why(claw: Claw, cluster: ClusterSupervisor) -> None:
    status = claw("status", "--json").answer
    assert set(status) >= {"tasks", "nodes", "log", "projection", "leader"}
    assert status["nodes"]["online"] == 2
    assert status["log"]["last_seq"] >= status["projection"]["seq"] > 0
    assert status["leader"] == "control/control"
    assert status["server"] == {
        "url": f"nats://127.0.0.1:{cluster.nats_url.rpartition(':')[2]}",
        "why": f"a cluster runs on {claw.data}",
    }
    by_url = claw.quick("--nats", cluster.nats_url, "status", "--json").answer
    assert by_url["server"]["why"] == "named by --nats"


async def publish_by_hand(cluster: ClusterSupervisor) -> None:
    async with Client.of(discover(cluster.nats_url)) as client:
        await client.connection.ask("claw.task.by-hand.log", b"nonsense")


def test_the_doctor_finds_all_well_and_shows_what_lies_about(claw: Claw, cluster: ClusterSupervisor) -> None:
    asyncio.run(publish_by_hand(cluster))
    done = claw("doctor", "--json", "--verbose")
    report = done.answer
    assert (done.code, report["ok"]) == (0, True), report
    checks = {check["name"]: check for check in report["checks"]}
    assert checks["sync"]["detail"] == "sync_interval: always"
    assert "1 malformed (task)" in checks["faults"]["detail"]
    assert (
        checks["middleware"]["detail"]
        == "leading -> MemberCommits -> Losses -> PredecessorCheck -> admitting -> append"
    )
    assert checks["shell"]["detail"].endswith("any program that a task names: the server listens on this machine only")
    assert set(checks) >= {"server", "requirements", "streams", "leader", "views", "nodes", "dead letters", "disk"}
    assert all(set(check) >= {"name", "ok", "detail"} for check in checks.values())
    foreign = {
        check["name"]: check
        for check in claw.quick("--nats", cluster.nats_url + "/", "doctor", "--json").answer["checks"]
    }
    assert foreign["sync"]["verdict"] == "unknown"


def test_a_replay_is_equal_to_the_live_views(claw: Claw, tmp_path: Path) -> None:
    claw.quick("submit", "echo", '{"text": "hi"}', "--wait")
    verified = claw("--verify", "--json", module="replay")
    assert verified.code == 0, verified
    report = verified.answer
    assert report["equal"] is True
    assert report["events"] > 0
    assert len(report["digest"]) == 32
    shown = claw("--verify", module="replay").out.splitlines()
    assert max(map(len, shown)) <= 100
    assert {"projection\tcluster", "projection\tmemory"} <= set(shown)
    assert shown[-1] == "equal\tyes"
    kept = claw("--into", str(tmp_path / "views"), "--until", "5", "--view", "tasks", "--json", module="replay")
    assert (kept.code, kept.answer["position"], kept.answer["equal"]) == (0, 5, None)
    assert claw("--into", str(tmp_path / "views"), module="replay").code == 4


def test_a_second_up_says_so_and_ends_with_4(claw: Claw) -> None:
    for more in ([], ["--detach"]):
        second = claw("up", "--json", *more)
        assert second.code == 4
        assert "in use by a running cluster" in second.answer["error"]["message"]
        assert second.err.count("\n") == 1


def test_a_node_joins_and_hands_back_at_the_end(claw: Claw) -> None:
    taken = claw("join", "--id", "n1", "--json")
    assert (taken.code, taken.answer["error"]["code"]) == (4, "refused")
    with claw.start("join", "--id", "extra", "--slots", "3", "--affinity", "zone=b", "gpu=no", "--json") as node:
        try:
            assert node.stdout is not None
            ready = msgspec.json.decode(node.stdout.readline())
            assert (ready["ready"], ready["id"], ready["pids"]) == (True, "extra", {"nodes": {"extra": node.pid}})
            placed = claw.quick("submit", "echo", '{"text": "here"}', "--affinity", "zone=b", "--wait", "30s", "--json")
            assert placed.answer["node"] == "extra"
        finally:
            node.terminate()
        assert node.wait(20) == 0
    assert claw.quick("node", "extra", "--json").answer["status"] == "offline"
    assert claw.quick("remove", "extra", "--json").answer["status"] == "removed"
    assert claw.quick("node", "extra").code == 3


def test_without_a_server_it_ends_with_5_soon(claw: Claw) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        closed = f"nats://127.0.0.1:{silent.getsockname()[1]}"
        refused = claw.quick("tasks", "--nats", closed, "--json")
        assert (refused.code, refused.answer["error"]["code"]) == (5, "unavailable")
        silent.listen()
        began_s = time.monotonic()
        assert claw.quick("tasks", "--nats", closed).code == 5
        assert time.monotonic() - began_s < 6  # two seconds of patience; the rest is the start of a process


def test_a_wrong_password_is_told(claw: Claw, cluster: ClusterSupervisor) -> None:
    port = cluster.nats_url.rpartition(":")[2]
    wrong = claw.quick("tasks", "--nats", f"nats://claw:wrong@127.0.0.1:{port}", "--json")
    assert (wrong.code, wrong.answer["error"]["code"]) == (4, "misconfigured")
    assert "wrong" not in wrong.answer["error"]["message"]


def test_a_sweep_tells_what_nothing_names_and_takes_nothing_young(claw: Claw, tmp_path: Path) -> None:
    (tmp_path / "params.json").write_bytes(msgspec.json.encode({"text": "x" * 300_000}))
    assert claw("submit", "nobody-has-it", f"@{tmp_path / 'params.json'}", "--id", "sweep-1").code == 0
    told = claw("sweep", "--older-than", "1d", "--json").answer
    assert told["ok"]
    assert told["blobs"] >= 1
    assert (told["unnamed"], told["removed"]) == (0, 0)
    assert claw("sweep", "--dry-run").out.splitlines()[1].startswith("0 that no record refers to")
    assert claw("sweep", "--older-than", "1h").code == 2
    assert claw("task", "sweep-1", "--full", "--json").answer["params"] == {"text": "x" * 300_000}


SYNC = """
import asyncio, multiprocessing, os, signal, sys, threading
from clawactors import Client, Closed, SyncClient, TaskFailed

claw = SyncClient.connect(data=sys.argv[1], user="ada")
ref = claw.submit("awaits", id="sync-1")

def child(id):
    claw.ref(id).cancel()

process = multiprocessing.get_context("fork").Process(target=child, args=(ref.id,))
process.start()
process.join()
try:
    ref.result(30)
except TaskFailed as failed:
    print(process.exitcode, failed.status, claw.user, claw)

async def apart():
    claw = await Client.connect(data=sys.argv[1])
    print((await claw.task("sync-1")).status)
    await claw.aclose()
    try:
        await claw.status()
    except Closed:
        print("closed")
    try:
        await Client.connect(data=sys.argv[1]).status()
    except AttributeError as error:
        print(error)

asyncio.run(apart())
ref = claw.submit("awaits", id="sync-2")
threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
ref.result()
"""


def test_a_script_that_is_not_async_forks_is_interrupted_and_ends(claw: Claw) -> None:
    ended = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", SYNC, str(claw.data)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    first, *rest = ended.stdout.splitlines()
    assert first.startswith("0 cancelled ada <SyncClient of nats://"), ended
    assert rest[:2] == ["cancelled", "closed"]
    assert "not connected yet; write `async with Client.connect() as claw:`" in rest[2]
    assert ended.stderr.rstrip().endswith("KeyboardInterrupt"), ended.stderr
    assert claw.quick("cancel", "sync-2").code == 0


def test_what_came_to_nothing_is_listed_tried_again_and_dropped(claw: Claw) -> None:
    subject = "claw.cmd.task.nobody-has-this"

    async def command() -> None:
        async with Client.connect(data=str(claw.data)) as client:
            await client.connection.ask(subject, b'{"type":"task.cancel"}')
            async with asyncio.timeout(PATIENCE_S):
                while subject not in [row.of for row in await client.dead_letters.list(kind="command")]:
                    await client.status(fresh=True)

    asyncio.run(command())
    [letter] = [
        row
        for row in claw.quick("dead-letters", "list", "--kind", "command", "--json").answer["rows"]
        if row["of"] == subject
    ]
    assert (letter["reason"], letter["id"].partition(":")[0]) == ("there is no such task", "letter")
    shown = claw.quick("dead-letters", "show", letter["id"])
    assert '{"type":"task.cancel"}' in shown.out
    again = claw.quick("dead-letters", "redrive", letter["id"], "--json")
    assert (again.code, again.answer[0]["left"]) == (4, "there is no task 'nobody-has-this'")
    dropped = claw.quick("dead-letters", "drop", letter["id"], "--json")
    assert (dropped.code, dropped.answer) == (0, [{"id": letter["id"], "done": True, "left": ""}])
    gone = claw.quick("dead-letters", "show", letter["id"], "--json")
    assert (gone.code, gone.answer["error"]["code"]) == (3, "not_found")
    assert claw.quick("dead-letters", "drop", "--json").code == 2


def test_the_overview_is_one_frame_outside_of_a_terminal(claw: Claw) -> None:
    frame = claw.quick("top", "--json").answer
    assert set(frame) == {"overview", "nodes", "running"}
    assert {"rates", "wait", "took", "queue", "errors", "sizes", "series", "tasks"} <= set(frame["overview"])
    assert len(frame["overview"]["series"]["completed"]) == 60
    shown = claw.quick("top", "--filter", "nothing-like-this")
    assert shown.out.startswith("claw top  nats://")
    assert "NODE" in shown.out
