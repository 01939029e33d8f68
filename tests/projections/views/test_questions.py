"""Questions as bytes, answers as bytes: pages, figures, errors, and answers that always fit into a message."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from clawactors.projections.engine.index import PrefixWalk
from clawactors.projections.engine.pages import PAGE_BYTES
from clawactors.projections.engine.projector import Projector
from clawactors.projections.engine.questions import ErrorReply, Queries
from clawactors.projections.views.tasks import filters
from clawactors.runtime.client.summary import Statistics
from clawactors.systems.nodes.row import Heartbeat
from clawactors.systems.tasks import commands as tc
from clawactors.systems.tasks import events as te
from tests.projections.cluster import CLUSTER
from tests.projections.histories import AT, FUTURE, History, joined, random_history, run

type Ask = Callable[..., dict[str, Any]]
NOW_NS = AT + 10**15
HOUR_NS = 3600 * 10**9


@pytest.fixture
def heartbeats() -> dict[str, Heartbeat]:
    return {}


@pytest.fixture
def ask(projector: Projector, heartbeats: dict[str, Heartbeat]) -> Ask:
    queries = Queries(CLUSTER.questions, lambda: projector.store, heartbeats.get, lambda: NOW_NS)

    def ask(name: str, **question: Any) -> dict[str, Any]:
        body = queries.reply(name, msgspec.json.encode(question))
        assert len(body) < 1 << 20
        answer: dict[str, Any] = msgspec.json.decode(body)
        return answer

    return ask


def test_a_running_task_shows_the_progress_that_was_heard_since_its_last_record(projector: Projector) -> None:
    history = History()
    for id in ("t", "u"):
        history.command(id, tc.Submit(te.Spec(skill="echo")))
        history.command(id, tc.ScheduleTask("n1", "i1"), to="n1")
        fence = history.tasks[id].fence
        history.command(id, tc.StartTask(fence), tc.CompleteStep(fence, "s", progress=0.25), writer="n1")
    projector.apply(history.records)
    heard = {("t", 1, "n1"): 0.5, ("u", 1, "n1"): 0.125}
    queries = Queries(
        CLUSTER.questions,
        lambda: projector.store,
        lambda _: None,
        lambda: NOW_NS,
        lambda *attempt: heard.get(attempt, 0.0),
    )
    shown = [msgspec.json.decode(queries.reply("task", b'{"id":"%s"}' % id))["row"]["progress"] for id in (b"t", b"u")]
    assert shown == [50.0, 25.0]


def test_a_task_is_found_by_its_id_as_the_promised_row(projector: Projector, ask: Ask) -> None:
    history = History()
    history.node("n1", joined())
    run(history, "t", steps=2, result={"ok": True})
    projector.apply(history.records)
    answer = ask("task", id="t")
    row = answer["row"]
    assert list(row) == [
        "id", "name", "skill", "type", "status", "priority", "user", "params", "requires", "prefers", "affinity",
        "tags", "description", "metadata", "after", "timeout_s", "deadline", "max_retries", "on_dead", "not_before",
        "cancel_requested",
        "waiting_for", "waiting_until", "node", "parked_on", "attempt", "run", "progress", "steps", "result", "error",
        "submitted_at",
        "scheduled_at", "started_at", "completed_at", "updated_at", "fork_of", "forks", "version", "parent",
    ]  # fmt: skip
    assert row["status"] == "completed"
    assert (row["node"], row["progress"], row["result"], row["version"]) == ("n1", 100.0, {"ok": True}, 4)
    assert [(step["name"], step["status"], step["result"]) for step in row["steps"]] == [
        ("step-0", "completed", {"n": 0}),
        ("step-1", "completed", {"n": 1}),
    ]
    assert answer["position"] == 4


def test_pages_hold_every_task_once_while_others_come_and_change(projector: Projector, ask: Ask) -> None:
    history = random_history(3, 200, strangers=False)
    projector.apply(history.records)
    before = {row["id"] for row in ask("tasks", limit=1000)["rows"]}
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = ask("tasks", limit=7, cursor=cursor)
        seen += [row["id"] for row in page["rows"]]
        cursor = page["cursor"]
        run(history, f"new{len(seen)}")
        projector.apply(history.records)
    assert len(seen) == len(set(seen))
    assert set(seen) == before


def test_a_search_for_what_seldom_meets_comes_in_short_pages(projector: Projector, ask: Ask) -> None:
    """Half of the tasks have one tag, half the other, in turn: what both have is sought through all of them."""
    history = History()
    for n in range(2000):
        tags = ("even", "odd") if n in (0, 1999) else ("odd",) if n % 2 else ("even",)
        user = "ada" if n in (0, 1999) or n % 2 else "bob"
        history.command(f"t{n}", tc.Submit(te.Spec(skill="echo", user=user, tags=tags)))
    projector.apply(history.records)
    found, cursor, pages = [], "", 0
    while cursor is not None:
        page = ask("tasks", tag="even", user="ada", limit=5, cursor=cursor)
        found += [row["id"] for row in page["rows"]]
        cursor, pages = page["cursor"], pages + 1
    assert found == ["t1999", "t0"]
    assert pages > 1


def test_the_last_page_has_no_cursor(projector: Projector, ask: Ask) -> None:
    history = History()
    for n in range(4):
        run(history, f"t{n}")
    projector.apply(history.records)
    assert ask("tasks", limit=4)["cursor"] is None
    first = ask("tasks", limit=2)
    assert ask("tasks", limit=2, cursor=first["cursor"])["cursor"] is None


def test_pending_tasks_come_in_the_order_in_which_they_are_due(projector: Projector, ask: Ask) -> None:
    history = History()
    for n, priority in enumerate((2, 4, 1, 4, 3)):
        history.command(f"t{n}", tc.Submit(te.Spec(skill="echo", priority=priority)))
    projector.apply(history.records)
    page = ask("pending", limit=3)
    rest = ask("pending", limit=3, cursor=page["cursor"])
    assert [row["id"] for row in page["rows"] + rest["rows"]] == ["t1", "t3", "t4", "t0", "t2"]


def test_an_answer_fits_into_a_message_whatever_the_rows_hold(projector: Projector, ask: Ask) -> None:
    history = History()
    for n in range(5):
        history.command(f"t{n}", tc.Submit(te.Spec(skill="echo", params={"x": "y" * 400_000}, name="z" * 100_000)))
    history.task("huge", te.Submitted(skill="echo", name="n" * 700_000, params={"x": "y" * 100_000}),
                 te.Scheduled(node="n1", incarnation="i1", attempt=1, skill="echo"),
                 te.Started(), te.Completed("r" * 800_000))  # fmt: skip
    projector.apply(history.records)
    seen, cursor = [], ""
    while cursor is not None:
        page = ask("tasks", cursor=cursor)
        seen += [row["id"] for row in page["rows"]]
        cursor = page["cursor"]
    assert seen == ["huge", "t4", "t3", "t2", "t1", "t0"]
    row = ask("task", id="huge")["row"]
    assert row["omitted"] == ["result"]
    assert row["result"] is None
    assert len(msgspec.json.encode(row)) <= PAGE_BYTES


def test_a_list_shows_the_newest_steps_of_a_long_task(projector: Projector, ask: Ask) -> None:
    history = History()
    run(history, "t", steps=500)
    projector.apply(history.records)
    listed = ask("tasks")["rows"][0]
    assert (len(listed["steps"]), listed["steps"][-1]["name"], listed["omitted"]) == (200, "step-499", ["steps"])
    assert len(ask("task", id="t")["row"]["steps"]) == 500


def test_nodes_by_state_skill_and_free_slots_with_their_pulse(
    projector: Projector, ask: Ask, heartbeats: dict[str, Heartbeat]
) -> None:
    history = History()
    history.node("n1", joined(slots=1))
    history.node("n2", joined(slots=5, skills=("shell",)))
    history.node("n3", joined(slots=5, skills=("echo",)))
    history.command("t", tc.Submit(te.Spec(skill="echo")))
    history.command("t", tc.ScheduleTask("n1", "i1"), to="n1")
    history.command("t", tc.StartTask(history.tasks["t"].fence))
    projector.apply(history.records)
    heartbeats["n2"] = Heartbeat("i1", NOW_NS - 10**9, cpu=12.5)
    heartbeats["n3"] = Heartbeat("older", NOW_NS, cpu=99.0)

    def ids(**question: Any) -> list[str]:
        return [row["id"] for row in ask("nodes", **question)["rows"]]

    assert ids() == ["n1", "n2", "n3"]
    assert ids(status="busy") == ["n1"]
    assert ids(status="online") == ["n2", "n3"]
    assert ids(available=True, skill="echo") == ["n3"]
    assert ids(skill="shell") == ["n1", "n2"]
    assert ids(silent_s=5) == ["n1", "n3"]
    assert ask("node", id="n2")["row"]["cpu"] == 12.5
    assert ask("node", id="n3")["row"]["cpu"] is None


def test_many_nodes_and_skills_come_in_pages(projector: Projector, ask: Ask) -> None:
    history = History()
    for n in range(25):
        history.node(f"n{n:02}", joined(skills=(f"skill-{n:02}", "echo")))
    projector.apply(history.records)
    for name, key in (("nodes", "id"), ("skills", "name")):
        whole = [row[key] for row in ask(name)["rows"]]
        paged, cursor = [], ""
        while cursor is not None:
            page = ask(name, limit=7, cursor=cursor)
            paged += [row[key] for row in page["rows"]]
            cursor = page["cursor"]
        assert paged == whole == sorted(whole)
        assert len(whole) > 20


def test_the_status_counts_tasks_and_nodes_and_what_could_not_be_folded(projector: Projector, ask: Ask) -> None:
    history = History()
    history.node("n1", joined())
    for n in range(3):
        run(history, f"t{n}")
    history.command("open", tc.Submit(te.Spec(skill="echo")))
    history.publish("claw.task.open.log", FUTURE)
    history.publish("claw.task.t0.log", b"garbage")
    projector.apply(history.records)
    answer = ask("status")
    assert {name: count for name, count in answer["tasks"].items() if count} == {"completed": 3, "pending": 1}
    assert {name: count for name, count in answer["nodes"].items() if count} == {"online": 1}
    assert (answer["needs_upgrade"], answer["faults"], answer["position"]) == (1, 2, len(history.records))
    assert [(row["kind"], row["id"]) for row in ask("faults")["frozen"]] == [("task", "open")]
    assert "task.levitated" in ask("task", id="open")["row"]["needs_upgrade"]


def test_skills_are_told_with_their_nodes_and_figures(projector: Projector, ask: Ask) -> None:
    history = History()
    history.node("n1", joined(skills=("echo", "shell")))
    history.node("n2", joined(skills=("echo",)))
    run(history, "t")
    projector.apply(history.records)
    echo, shell = ask("skills")["rows"]
    assert (echo["name"], echo["versions"], echo["nodes"]) == ("echo", {"1": ["n1", "n2"]}, ["n1", "n2"])
    assert (echo["submitted"], echo["succeeded"], echo["failed"]) == (1, 1, 0)
    assert (shell["name"], shell["submitted"]) == ("shell", 0)


@pytest.mark.parametrize(
    ("name", "question", "code", "words"),
    [
        ("levitate", {}, "usage", "there is no question"),
        ("tasks", {"limit": 0}, "usage", "between 1 and"),
        ("tasks", {"limit": 10**6}, "usage", "between 1 and"),
        ("tasks", {"limit": "x"}, "usage", "not a question"),
        ("tasks", {"colour": "red"}, "usage", "`colour`; tasks takes fresh, at_least, "),
        ("tasks", {"status": ["lost"]}, "usage", "pending"),
        ("tasks", {"cursor": "???"}, "usage", "another question"),
        ("tasks", {"cursor": "AAAA"}, "usage", "another question"),
        ("nodes", {"status": "lost"}, "usage", "online"),
        ("tasks", {"text": "…!"}, "usage", "no word in"),
        ("tasks", {"text": " ".join(f"w{n}" for n in range(20))}, "usage", "too many words"),
        ("task", {}, "usage", "id"),
        ("task", {"id": "a.b"}, "usage", "an id has"),
        ("task", {"id": "x" * 5000}, "usage", "an id has"),
        ("task", {"id": "absent"}, "not_found", "no task absent"),
        ("node", {"id": "absent"}, "not_found", "no node absent"),
        ("tasks", {"silent_s": -1}, "usage", "silent_s"),
        ("nodes", {"silent_s": 1e300}, "usage", "silent_s"),
        ("statistics", {"by": ["mood"]}, "usage", "error"),
        ("digest", {"views": ["moods"]}, "refused", "no view 'moods'"),
    ],
)
def test_a_wrong_question_gets_an_error_that_helps(
    ask: Ask, name: str, question: dict[str, Any], code: str, words: str
) -> None:
    error = msgspec.convert(ask(name, **question), ErrorReply).error
    assert error.code == code
    assert words in error.message


@pytest.mark.parametrize("body", [b"\xff", b"[", b"[" * 5000, b"null", b"7"])
def test_bytes_that_are_no_question_get_an_error(projector: Projector, body: bytes) -> None:
    queries = Queries(CLUSTER.questions, lambda: projector.store, lambda _: None, lambda: 0)
    assert b'"code":"usage"' in queries.reply("tasks", body)


def test_a_cursor_of_another_question_is_refused(projector: Projector, ask: Ask) -> None:
    history = History()
    for n in range(5):
        run(history, f"t{n}")
    projector.apply(history.records)
    cursor = ask("tasks", limit=2)["cursor"]
    assert "error" in ask("tasks", limit=2, skill="echo", cursor=cursor)
    assert "error" in ask("pending", cursor=cursor)
    assert "error" not in ask("tasks", limit=3, cursor=cursor)


def test_statistics_count_tasks_in_every_dimension(projector: Projector, ask: Ask) -> None:
    history = History()
    history.node("n1", joined())
    for n in range(3):
        run(history, f"t{n}")
    history.command("bad", tc.Submit(te.Spec(skill="shell", user="bob")))
    history.command("bad", tc.ScheduleTask("n1", "i1"), to="n1")
    fence = history.tasks["bad"].fence
    history.command("bad", tc.StartTask(fence), writer="n1")
    history.command("bad", tc.Fail(fence, te.TaskError("timeout", "slow"), "failed"), writer="n1")
    projector.apply(history.records)
    answer = ask("statistics")
    assert (answer["tasks"]["completed"], answer["tasks"]["failed"], answer["nodes"]["online"]) == (3, 1, 1)
    assert answer["by_skill"] == {"echo": {"completed": 3}, "shell": {"failed": 1}}
    assert list(answer["by_skill"]) == ["echo", "shell"]
    assert answer["by_user"] == {"ada": {"completed": 3}, "bob": {"failed": 1}}
    assert answer["by_node"] == {"n1": {"completed": 3, "failed": 1}}
    assert answer["by_error"] == {"timeout": {"failed": 1}}
    shell = answer["durations"]["shell"]
    assert (shell["submitted"], shell["succeeded"], shell["failed"], shell["p50_s"]) == (1, 0, 1, 0.0)
    msgspec.convert(answer, Statistics)
    hour = "2025-11-21T10:00:00.000000+00:00"
    assert answer["by_hour"] == {hour: {"completed": 3, "failed": 1}}
    took = answer["took"]
    assert {name: {value: each["runs"] for value, each in values.items()} for name, values in took.items()} == {
        "status": {"completed": 3, "failed": 1, "dead": 0},
        "node": {"n1": 3},
        "user": {"ada": 3, "bob": 0},
        "tag": {},
        "skill": {"echo": 3, "shell": 0},
        "error": {"timeout": 1},
        "hour": {hour: 3},
    }
    assert took["skill"]["echo"] == answer["took_all"]
    assert answer["store"]["size_bytes"] > 0
    assert answer["store"]["tables"]["task.statuses"]["rows"] == 4
    assert set(ask("statistics", by=["user"], limit=1)) & {"by_user", "by_node"} == {"by_user"}
    assert [row["id"] for row in ask("tasks", error="timeout")["rows"]] == ["bad"]


def test_tasks_are_counted_by_any_filter(projector: Projector, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    history = History()
    for n in range(60):
        tags = ("x",) if n % 3 == 0 else ("x", "y") if n % 3 == 1 else ()
        history.command(f"t{n}", tc.Submit(te.Spec(skill="echo", user="ada" if n % 2 else "bob", tags=tags)))
    history.command("t0", tc.Cancel())
    projector.apply(history.records)
    for wanted, count in (
        ({}, 60),
        ({"tag": "x"}, 40),
        ({"status": ["pending"], "tag": "x"}, 39),
        ({"status": ["cancelled"]}, 1),
        ({"user": "ada", "tag": "y"}, 10),
        ({"user": "nobody"}, 0),
        ({"since_ns": AT}, 60),
    ):
        assert ask("count", **wanted) | {"position": 0} == {"count": count, "cursor": None, "position": 0}
    assert ask("statistics", by=["tag"])["by_tag"] == {"x": {"pending": 39, "cancelled": 1}, "y": {"pending": 20}}
    monkeypatch.setattr(filters, "_SEEKS", 20)
    counts, cursor = [], ""
    while cursor is not None:
        answer = ask("count", user="ada", tag="y", cursor=cursor)
        counts.append(answer["count"])
        cursor = answer["cursor"]
    assert sum(counts) == 10
    assert len(counts) > 1
    assert "error" in ask("count", user="bob", tag="y", cursor=ask("count", user="ada", tag="y")["cursor"])


def test_a_page_deep_in_the_list_costs_what_the_first_one_costs(
    projector: Projector, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History()
    for n in range(1000):
        history.command(f"t{n}", tc.Submit(te.Spec(skill="echo", user="ada" if n % 2 else "bob")))
    projector.apply(history.records)
    seeks, at_most = [0], PrefixWalk.at_most

    def counting(self: PrefixWalk, key: bytes) -> bytes | None:
        seeks[-1] += 1
        return at_most(self, key)

    monkeypatch.setattr(PrefixWalk, "at_most", counting)
    cursor = ""
    while cursor is not None:
        cursor = ask("tasks", user="ada", status=["pending"], limit=50, cursor=cursor)["cursor"]
        seeks.append(0)
    assert len(seeks) == 11
    assert max(seeks) - min(seeks[:-1]) <= 2


def test_statistics_of_a_window_add_up_its_hours(projector: Projector, ask: Ask) -> None:
    history = History()
    for hour, tasks in enumerate((1, 2, 4)):
        for n in range(tasks):
            run(history, f"t{hour}-{n}")
        history.wait(3600)
    projector.apply(history.records)
    hours = list(ask("statistics", by=["hour"])["by_hour"])
    assert hours == sorted(hours, reverse=True)
    assert "window" not in ask("statistics")
    second_ns = AT // HOUR_NS * HOUR_NS + HOUR_NS
    for since_ns, until_ns, tasks in ((second_ns, None, 6), (None, second_ns - 1, 1), (second_ns, second_ns, 2)):
        answer = ask("statistics", since_ns=since_ns, until_ns=until_ns)
        assert answer["window"]["tasks"] == {"completed": tasks}
        assert answer["window"]["took"]["runs"] == tasks
        assert sum(each["completed"] for each in answer["by_hour"].values()) == tasks
    assert len(ask("statistics", by=["hour"], limit=2)["by_hour"]) == 2


def test_interrupted_and_silent_tasks_are_listed(projector: Projector, ask: Ask) -> None:
    history = History()
    for id in ("cut", "quiet", "done"):
        history.command(id, tc.Submit(te.Spec(skill="echo")))
        history.command(id, tc.ScheduleTask("n1", "i1"), to="n1")
        history.command(id, tc.StartTask(history.tasks[id].fence), writer="n1")
    history.command("cut", tc.Interrupt(history.tasks["cut"].fence, "gone"))
    history.command("done", tc.Complete(history.tasks["done"].fence, 1), writer="n1")
    projector.apply(history.records)
    assert [row["id"] for row in ask("tasks", interrupted=True)["rows"]] == ["cut"]
    assert [row["id"] for row in ask("tasks", silent_s=900)["rows"]] == ["quiet"]
    assert ask("tasks", silent_s=(NOW_NS - AT) / 1e9)["rows"] == []


def test_statistics_of_long_words_fit_into_a_message(projector: Projector, ask: Ask) -> None:
    history = History()
    for n in range(30):
        history.command(f"t{n}", tc.Submit(te.Spec(skill=f"{n}" + "x" * 90_000, user=f"{n}" + "y" * 90_000)))
    projector.apply(history.records)
    assert ask("statistics", limit=1000)["tasks"]["pending"] == 30


def test_ids_are_found_by_their_beginning(projector: Projector, ask: Ask) -> None:
    history = History()
    for id in ("job-10", "job-2", "job-1", "other"):
        run(history, id)
    projector.apply(history.records)
    assert ask("ids", prefix="job-1")["ids"] == ["job-1", "job-10"]
    assert ask("ids", prefix="job-", limit=2)["ids"] == ["job-1", "job-10"]
    assert ask("ids", prefix="z")["ids"] == []
    assert ask("ids", prefix="a.b")["error"]["code"] == "usage"


def test_the_children_of_a_task_are_listed_and_counted_by_status(projector: Projector, ask: Ask) -> None:
    history = History()
    for id, parent in (("p", ""), ("c1", "p"), ("c2", "p"), ("other", "c1")):
        history.command(id, tc.Submit(te.Spec(skill="echo", parent=parent)))
    history.command("c2", tc.Cancel())
    projector.apply(history.records)
    assert [row["id"] for row in ask("tasks", parent="p")["rows"]] == ["c2", "c1"]
    assert [row["parent"] for row in ask("tasks", parent="p")["rows"]] == ["p", "p"]
    assert ask("children", id="p")["statuses"] == {"pending": 1, "cancelled": 1}
    assert ask("children", id="c2")["statuses"] == {}
    assert ask("children", id="nobody")["error"]["code"] == "not_found"
    tree = ask("tree", id="p")
    assert [(row["level"], row["id"], row["status"]) for row in tree["rows"]] == [
        (0, "p", "pending"),
        (1, "c1", "pending"),
        (2, "other", "pending"),
        (1, "c2", "cancelled"),
    ]
    assert tree["more"] is False
    assert [row["id"] for row in ask("tree", id="p", limit=2)["rows"]] == ["p", "c1"]
    assert ask("tree", id="p", limit=2)["more"] is True
