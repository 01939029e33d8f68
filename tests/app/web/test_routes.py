"""Every path of the HTTP API asks the client, and the client has nothing that no path asks."""

import asyncio
import inspect
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import httpx
import pytest

from clawactors.runtime.client import ClusterClient
from clawactors.testing import Cluster
from tests.app.clientparts import PARTS
from tests.app.web.conftest import application

OWNERS = {"": ClusterClient} | {f"{name}.": kind for name, kind in PARTS.items()}
ELSEWHERE = {
    # by another path
    "at": "the parameter `at`",
    "change_many": "change_tasks",
    "delete_ended": "change_tasks with change=delete and filter.until",
    "each_task": "tasks, page by page",
    "ended": "the parameter wait of submit and result",
    "ref": "all of /tasks/{id}",
    "resolve": "ids",
    "run": "submit with Prefer: wait",
    "sizes": "statistics",
    "submit_one": "submit",
    "memories.context": "context",
    "memories.recall": "recall",
    "memories.remember": "remember",
    "memories.say": "say",
    "workflows.missing_skills": "workflows.check",
    "workflows.run": "workflows.submit with Prefer: wait",
    "config.settings": "config.list",
    "config.version": "config.list: each row has the version that made it so",
    "config.watch": "config.history",
    # for programs that extend ClawActors
    "bridges.advance": "for the process of a bridge",
    "bridges.answering": "for the process of a bridge",
    "bridges.number": "for the process of a bridge",
    "bridges.state": "for the process of a bridge; bridges.list",
    "ask": "raw questions",
    "ask_for_change": "raw commands",
    "close": "how a client goes",
    "command": "raw commands",
    "now_ns": "a clock: rows have times",
    "snapshot": "raw states; task",
    "state": "raw states",
    "keys.grant": "who asks is looked up before each request",
    "identities.invite": "for the machine that has the cluster's authority: `claw invite`",
    "identities.join": "for the authority, which admits who was invited",
    "identities.renew": "for the authority, which admits the new key",
    "memories.ask": "raw questions",
    "memories.record": "remember",
    "memories.record_many": "notes of files are read where the files are; remember takes each",
    "files.row": "files.of",
    # on disk
    "files.download": "writes on the caller's disk; files.read",
}


def functions(kind: type) -> Iterator[str]:
    for name, member in inspect.getmembers_static(kind):
        is_call = inspect.isfunction(member) and not isinstance(member, property | cached_property)
        if is_call and not name.startswith("_"):
            yield name


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    schema: dict[str, Any] = application().openapi_schema.to_schema()
    return schema


def operations(openapi: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["operationId"]: each for methods in openapi["paths"].values() for each in methods.values()}


def test_every_function_of_the_client_has_a_path(openapi: dict[str, Any]) -> None:
    known = {prefix + name for prefix, kind in OWNERS.items() for name in functions(kind)}
    missing = known - set(operations(openapi)) - set(ELSEWHERE)
    assert not missing, f"give {missing} a path in clawactors/app/web/routes, or say in ELSEWHERE why it has none"
    assert not set(ELSEWHERE) - known, "these are no functions any more"
    assert not set(ELSEWHERE) & set(operations(openapi)), "these have paths"


def test_every_path_says_what_it_does_and_how_it_fails(openapi: dict[str, Any]) -> None:
    for name, each in operations(openapi).items():
        assert each.get("description"), name
        assert {"400", "401", "503"} <= each["responses"].keys(), name


async def test_a_task_is_submitted_waited_for_and_found_again(http: httpx.AsyncClient) -> None:
    asked = {"skill": "echo", "params": {"text": "hi"}, "id": "a1"}
    made = await http.post("/tasks", json=asked, headers={"Prefer": "wait=10"})
    assert (made.status_code, made.headers["location"]) == (201, "/api/v1/tasks/a1")
    assert (made.json()["status"], made.json()["result"]) == ("completed", "hi")
    again = await http.post("/tasks", json=asked)
    assert (again.status_code, again.json()) == (200, made.json())
    other = await http.post("/tasks", json=asked | {"params": {"text": "ho"}})
    assert (other.status_code, other.headers["content-type"]) == (409, "application/problem+json")
    assert "different parameters" in other.json()["detail"]
    row = await http.get("/tasks/a1")
    assert row.json() == made.json()
    assert (await http.get("/tasks/a1", headers={"If-None-Match": row.headers["etag"]})).status_code == 304
    assert (await http.get("/tasks/a1/result")).json() == "hi"
    assert [each["type"] for each in (await http.get("/tasks/a1/history")).json()["rows"]][-1] == "task.completed"
    for path in ("tree", "why", "diff", "steps", "files"):
        assert (await http.get(f"/tasks/a1/{path}")).status_code == 200


async def test_an_idempotency_key_finds_the_same_task_and_refuses_another(http: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "order-17"}
    first = await http.post("/tasks", json={"skill": "echo", "params": {"text": "hi"}}, headers=key)
    again = await http.post("/tasks", json={"skill": "echo", "params": {"text": "hi"}}, headers=key)
    assert (first.status_code, again.status_code, again.json()["id"]) == (201, 200, first.json()["id"])
    assert (await http.post("/tasks", json={"skill": "echo", "params": {"text": "x"}}, headers=key)).status_code == 409


async def test_what_is_wrong_is_named(http: httpx.AsyncClient) -> None:
    for path, says in (
        ("/tasks?stauts=dead", "did you mean 'status'"),
        ("/tasks?limit=x", "limit: Expected `int`"),
        ("/tasks?limit=0", "limit: Expected `int` >= 1"),
        ("/tasks?since=yesterday", "since: 'yesterday' is not a valid time"),
        ("/tasks/a1?at=never", "at: 'never' is not a valid time"),
        ("/nodes?silent=soon", "silent: 'soon' is not a valid duration"),
    ):
        answer = await http.get(path)
        assert answer.status_code == 400, path
        assert says in answer.json()["detail"], path
    body = await http.post("/tasks", json={"skill": "echo", "parms": {}})
    assert (body.status_code, body.json()["fields"][0]["in"]) == (400, "body")
    assert "unknown field `parms`" in body.json()["detail"]
    for content in (b"{", b"[" * 100_000, b'{"skill": 3}', b"\xff"):
        answer = await http.post("/tasks", content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400


async def test_pages_name_the_next_one(http: httpx.AsyncClient) -> None:
    lines = "\n".join(f'{{"skill": "echo", "params": {{"text": "x"}}, "id": "b{n}"}}' for n in range(5))
    batch = await http.post("/tasks/batch", content=lines + '\n{"skil": 1}\n')
    assert (batch.json()["submitted"], [each["line"] for each in batch.json()["refused"]]) == (5, [6])
    found: list[str] = []
    target: str | None = "/tasks?limit=2&fresh=true&skill=echo"
    while target:
        page = await http.get(target)
        found += [row["id"] for row in page.json()["rows"]]
        target = page.links.get("next", {}).get("url", "").removeprefix("/api/v1")
    assert sorted(found) == [f"b{n}" for n in range(5)]
    assert (await http.get("/count?skill=echo&fresh=true")).json() == {"count": 5}


async def test_an_edit_is_of_the_version_that_was_read(http: httpx.AsyncClient) -> None:
    made = await http.post("/tasks", json={"skill": "echo", "params": {"text": "x"}, "id": "e1", "delay": "1h"})
    etag = made.headers["etag"]
    edited = await http.patch("/tasks/e1", json={"priority": "high"}, headers={"If-Match": etag})
    assert (edited.status_code, edited.json()["priority"]) == (200, 3)
    late = await http.patch("/tasks/e1", json={"priority": "low"}, headers={"If-Match": etag})
    assert (late.status_code, late.json()["code"]) == (412, "refused")
    assert (await http.patch("/tasks/e1", json={"priority": "low"})).json()["priority"] == 1
    assert (await http.delete("/tasks/e1", headers={"If-Match": etag})).status_code == 412
    assert (await http.post("/tasks/e1/cancel")).json()["status"] == "cancelled"
    assert (await http.delete("/tasks/e1")).status_code == 200


async def test_many_tasks_are_changed_by_a_filter(http: httpx.AsyncClient, cluster: Cluster) -> None:
    for n in range(3):
        await http.post("/tasks", json={"skill": "echo", "params": {"text": "x"}, "id": f"c{n}", "delay": "1h"})
    asked = {"change": "cancel", "filter": {"skill": "echo"}}
    listed = (await http.post("/tasks/change", json=asked | {"dry_run": True})).json()
    assert (listed["found"], listed["changed"], listed["dry_run"]) == (3, 0, True)
    some = (await http.post("/tasks/change", json=asked | {"limit": 2})).json()
    assert (some["found"], some["changed"], some["more"]) == (2, 2, True)
    named = (await http.post("/tasks/change", json={"change": "delete", "ids": ["c1", "c2", "nope"]})).json()
    assert sorted(each["id"] for each in named["rows"] if each["refusal"]) == ["nope"]
    for wrong in ({"change": "cancel"}, asked | {"ids": ["c0"]}, {"change": "explode", "ids": ["c0"]}):
        assert (await http.post("/tasks/change", json=wrong)).status_code == 400


async def test_the_past_is_asked_as_the_present(http: httpx.AsyncClient) -> None:
    made = await http.post("/tasks", json={"skill": "echo", "params": {"text": "x"}, "id": "p1", "delay": "1h"})
    seq = made.json()["version"]
    await http.post("/tasks/p1/cancel")
    assert (await http.get(f"/tasks/p1?at={seq}")).json()["status"] == "waiting"
    assert [row["status"] for row in (await http.get(f"/tasks?at={seq}")).json()["rows"]] == ["waiting"]
    assert (await http.get(f"/status?at={seq}")).json()["tasks"]["waiting"] == 1
    assert (await http.get("/tasks?at=999999")).status_code == 400


async def test_what_repeats_by_itself_is_added_and_removed(http: httpx.AsyncClient) -> None:
    plan = {"cron": "0 3 * * *", "skill": "echo", "params": {"text": "x"}}
    assert (await http.put("/schedules/nightly", json=plan)).json()["status"] == "active"
    assert (await http.post("/schedules/nightly/pause")).json()["status"] == "paused"
    assert (await http.put("/schedules/nightly", json=plan | {"cron": "1 3 * * *"})).status_code == 409
    assert (await http.delete("/schedules/nightly")).json()["status"] == "removed"
    trigger = {"on": ["task.failed"], "submit": "echo", "params": {"text": "x"}}
    assert (await http.put("/triggers/again", json=trigger)).status_code == 200
    assert [row["name"] for row in (await http.get("/triggers")).json()["rows"]] == ["again"]
    assert (await http.delete("/triggers/again")).status_code == 200


async def test_settings_are_read_changed_and_rolled_back(http: httpx.AsyncClient) -> None:
    rows = (await http.get("/config")).json()["rows"]
    name, value = "task.retries", 7
    assert next(row for row in rows if row["name"] == name)["default"] == 3
    changed = (await http.put(f"/config/{name}", json={"value": value, "reason": "more"})).json()
    assert (changed["value"], changed["set"], changed["reason"]) == (value, True, "more")
    assert (await http.put(f"/config/{name}", json={"value": "much"})).status_code == 409
    assert (await http.put(f"/config/{name}", json={"value": value + 1, "if_version": 0})).status_code == 409
    assert (await http.get("/config/history")).json()["rows"][0]["changes"][name]["after"] == value
    assert name in (await http.get("/config/diff?begin=0")).json()
    assert (await http.post("/config/rollback", json={"version": 0})).status_code == 200
    assert not (await http.get(f"/config/{name}")).json()["set"]
    several = {"changes": {name: value}, "reason": "both"}
    assert (await http.post("/config/change", json=several)).status_code == 200
    assert (await http.delete(f"/config/{name}")).json()["set"] is False


async def test_people_are_told_by_rules(http: httpx.AsyncClient) -> None:
    rule = {"when": ["dead", "approval"], "to": "https://example.org/hook"}
    assert (await http.put("/notifications/ops", json=rule)).json()["to"] == rule["to"]
    assert (await http.put("/notifications/ops", json=rule | {"to": "nowhere"})).status_code == 409
    assert (await http.post("/notifications/ops/mute", json={"duration": "2h"})).json()["muted_until"]
    assert (await http.post("/notifications/ops/unmute")).json()["muted_until"] is None
    assert [row["name"] for row in (await http.get("/notifications")).json()["rows"]] == ["ops"]
    assert (await http.get("/alarms")).json()["rows"] == []
    assert (await http.delete("/notifications/ops")).status_code == 200
    allowed = await http.put("/bridges/telegram/members/17", json={"user": "ada"})
    assert allowed.json()["members"][0]["name"] == "ada"
    assert (await http.delete("/bridges/telegram/members/17")).json()["members"] == []
    assert [row["name"] for row in (await http.get("/bridges")).json()["rows"]] == ["telegram"]


async def test_a_workflow_is_checked_added_drawn_and_run(http: httpx.AsyncClient) -> None:
    definition = {"workflow": "greet", "steps": [{"id": "say", "skill": "echo", "params": {"text": "hi"}}]}
    checked = await http.post("/definitions/check", json={"definition": definition})
    assert checked.json()["skills"] == ["echo"]
    assert (await http.post("/workflows", json={"definition": {"workflow": "w"}})).status_code == 409
    assert (await http.post("/workflows", json={"definition": definition})).json()["latest"] == 1
    assert "say" in (await http.get("/workflows/greet/diagram")).json()["diagram"]
    made = await http.post("/workflows/greet/run", json={"id": "w1"})
    assert (made.status_code, made.json()["type"]) == (201, "workflow")


@pytest.mark.soak
async def test_memory_is_kept_sought_and_forgotten(http: httpx.AsyncClient) -> None:
    kept = await http.post("/memories", json={"text": "Ann likes green tea", "owner": "ann", "tags": ["drink"]})
    id = kept.json()["id"]
    assert kept.status_code == 201
    found = await http.get("/memories/search", params={"q": "what does Ann drink?", "owner": "ann", "explain": True})
    assert found.json()["rows"][0]["id"] == id
    assert "green tea" in (await http.get("/memories/context", params={"q": "tea", "owner": "ann"})).json()["text"]
    assert (await http.patch(f"/memories/{id}", json={"text": "Ann likes black tea"})).json()["revision"] >= 1
    assert [row["what"] for row in (await http.get(f"/memories/audit?id={id}")).json()["rows"]]
    exported = await http.get("/memories/export?owner=ann")
    assert (exported.headers["content-type"], exported.text.count("\n")) == ("application/x-ndjson", 1)
    assert (await http.post("/memories/forget", json={"owner": "ann", "dry_run": True})).json()["ids"] == [id]
    assert (await http.delete(f"/memories/{id}")).json()["changed"] >= 1
    assert (await http.post("/conversations/c1/say", json={"text": "hello", "user": "ann"})).status_code == 201


@pytest.mark.parametrize("id", ["batch", "change"])
async def test_a_task_may_be_called_as_a_path_is(http: httpx.AsyncClient, id: str) -> None:
    made = await http.post("/tasks", json={"skill": "echo", "params": {"text": "x"}, "id": id, "delay": "1h"})
    assert made.status_code == 201
    assert (await http.get(f"/tasks/{id}")).json()["id"] == id
    assert (await http.get(f"/tasks/{id}/why")).json()["id"] == id
    assert (await http.post(f"/tasks/{id}/cancel")).json()["status"] == "cancelled"
    assert (await http.delete(f"/tasks/{id}")).status_code == 200


async def test_a_signal_with_an_idempotency_key_is_sent_once(http: httpx.AsyncClient) -> None:
    await http.post("/tasks", json={"skill": "echo", "params": {"text": "x"}, "id": "s1", "delay": "1h"})
    for key in ("k1", "k1", "k2"):
        sent = await http.post("/tasks/s1/signals/go", json={"n": 1}, headers={"Idempotency-Key": key})
        assert sent.status_code == 200
    events = (await http.get("/tasks/s1/history")).json()["rows"]
    assert sum("signal" in each["type"] for each in events) == 2
    other = await http.post("/tasks/s1/signals/go", json={"n": 2}, headers={"Idempotency-Key": "k1"})
    assert other.status_code == 409
    assert "a command with other content had this id or idempotency key" in other.json()["detail"]
    await http.post("/tasks/s1/cancel")
    retry = {"headers": {"Idempotency-Key": "k3"}}
    assert (await http.post("/tasks/s1/retry", **retry)).status_code == 200
    assert (await http.post("/tasks/s1/retry", **retry)).status_code == 200
    later = {"deadline": "2999-01-01T00:00:00Z"}
    assert (await http.post("/tasks/s1/retry", json=later, **retry)).status_code == 409


async def test_of_many_who_send_one_idempotency_key_at_once_one_makes_the_task(http: httpx.AsyncClient) -> None:
    asked = {"skill": "echo", "params": {"text": "hi"}}
    posts = (http.post("/tasks", json=asked, headers={"Idempotency-Key": "one"}) for _ in range(10))
    answers = await asyncio.gather(*posts)
    assert sorted(each.status_code for each in answers) == [200] * 9 + [201]
    assert len({each.json()["id"] for each in answers}) == 1


async def test_counting_ends_where_it_takes_long_and_enough_are_found(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clawactors.projections.views.tasks.filters._SEEKS", 20)
    lines = "\n".join(f'{{"skill": "echo", "params": {{"text": "x"}}, "name": "alike {n}"}}' for n in range(60))
    await http.post("/tasks/batch", content=lines)
    found = {
        query: (await http.get(f"/count?fresh=true&{query}")).json()["count"]
        for query in ("text=alike", "text=alike&most=10", "text=alike&most=500", "skill=echo&most=10")
    }
    assert found == {"text=alike": 60, "text=alike&most=10": 10, "text=alike&most=500": 60, "skill=echo&most=10": 60}
    assert (await http.get("/count?most=-1")).status_code == 400
