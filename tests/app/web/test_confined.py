"""A key for a user reaches that user's tasks, and nothing says that there are others."""

from typing import Any

import httpx
import pytest

from clawactors import Task, skill
from clawactors.app.web.confined import CLOSED, OPEN
from clawactors.app.web.scopes import scope_of
from clawactors.testing import Cluster
from tests.app.web.conftest import application
from tests.app.web.test_keys import holder

TASK = {"skill": "nobody-has-it", "params": {"text": "hi"}}
WORD = "bobs-word"


@skill("asks")
async def asks(task: Task, by: list[str]) -> bool:
    return (await task.approve("go on?", by=by)).approved


@pytest.fixture
async def ada(http: httpx.AsyncClient, cluster: Cluster) -> dict[str, str]:
    """The header of a key for a user, where tasks of three are."""
    for user in ("ada", "bob", ""):
        task = TASK | {"id": f"of-{user or 'nobody'}", "user": user, "tags": [WORD], "params": {"text": WORD}}
        assert (await http.post("/tasks", json=task)).status_code == 201
    return await holder(http, "adas", scopes=["read", "tasks", "memory"], user="ada")


def paths_of_a_task() -> list[tuple[str, str]]:
    """Method and path of all that names a task."""
    schema = application().openapi_schema.to_schema()["paths"]
    return [
        (method, path.removeprefix("/api/v1"))
        for path, methods in schema.items()
        if path.startswith("/api/v1/tasks/{id}")
        for method in methods
    ]


@pytest.mark.parametrize("id", ["of-bob", "of-nobody"])
async def test_a_task_of_another_user_is_not_there(http: httpx.AsyncClient, ada: dict[str, str], id: str) -> None:
    paths = paths_of_a_task()
    assert len(paths) > 20
    paths += [("get", "/memories/working/{id}")]
    told = {"patch": {"priority": 1}, "/fork": {"step": "x"}, "/events": None}
    before = (await http.get(f"/tasks/{id}")).json()["version"]
    for method, path in paths:
        body = told.get(path[10:], told.get(method, {} if method == "post" else None))
        at = path.replace("{id}", id).replace("{name}", "log")
        answer = await http.request(method, at, json=body, headers=ada)
        assert answer.status_code == 404, (method, path, answer.text)
        assert answer.json()["detail"] == f"there is no task {id!r}"
    absent = await http.get("/tasks/of-noone", headers=ada)
    assert absent.json() == (await http.get(f"/tasks/{id}", headers=ada)).json() | {
        "detail": "there is no task 'of-noone'"
    }
    assert (await http.get(f"/tasks/{id}")).json()["version"] == before, "nothing was changed"
    assert (await http.get("/tasks/of-ada/history", headers=ada)).status_code == 200


async def test_lists_are_narrowed_whatever_is_asked(http: httpx.AsyncClient, ada: dict[str, str]) -> None:
    for query in ("", "?limit=10", f"?tag={WORD}", "?user=", "?user=ada", "?user=ada&user=", "?status=pending"):
        rows = (await http.get(f"/tasks{query}", headers=ada)).json()["rows"]
        assert [row["id"] for row in rows] == ["of-ada"], query
    for query in ("?user=bob", "?user=ada&user=bob", "?user=bob&user=ada", "?%75ser=bob"):
        for path in ("/tasks", "/count", "/archived", "/events"):
            answer = await http.get(f"{path}{query}", headers=ada)
            assert answer.status_code == 403, (path, query)
    assert (await http.get("/count", headers=ada)).json() == (await http.get("/count?user=ada")).json()
    assert (await http.get("/archived", headers=ada)).json()["rows"] == []


async def test_many_tasks_are_changed_only_where_they_are_the_users(
    http: httpx.AsyncClient, ada: dict[str, str]
) -> None:
    async def change(**asked: Any) -> httpx.Response:
        return await http.post("/tasks/change", json={"change": "cancel", **asked}, headers=ada)

    for asked in ({"ids": ["of-ada", "of-bob"]}, {"ids": ["of-nobody"]}):
        assert (await change(**asked)).status_code == 404
    assert (await change(filter={"user": "bob"})).status_code == 403
    assert (await change()).status_code == 400
    assert (await change(filter={})).status_code == 400
    changed = (await change(filter={"tag": WORD})).json()
    assert [row["id"] for row in changed["rows"]] == ["of-ada"]
    assert (await http.get("/tasks/of-bob")).json()["status"] == "pending"


async def test_a_task_of_another_user_is_not_told_by_taking_its_id(
    http: httpx.AsyncClient, ada: dict[str, str]
) -> None:
    answer = await http.post("/tasks", json=TASK | {"id": "of-bob"}, headers=ada)
    assert answer.status_code == 409
    assert WORD not in answer.text


async def test_what_tells_of_all_is_closed(http: httpx.AsyncClient, ada: dict[str, str]) -> None:
    for path in [
        "/stats",
        "/overview",
        "/ids",
        "/pending",
        "/queue",
        "/dead-letters",
        "/schedules",
        "/config",
        "/doctor",
    ]:
        answer = await http.get(path, headers=ada)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path
        assert "acts for 'ada'" in answer.json()["detail"]
    boss = await holder(http, "boss", scopes=["admin"], user="ada")
    assert (await http.get("/ids?start=of", headers=boss)).json()["rows"] == ["of-ada", "of-bob", "of-nobody"]
    assert (await http.get("/tasks/of-bob", headers=boss)).status_code == 200
    assert (await http.get("/status", headers=ada)).status_code == 200


async def test_approvals_are_those_of_the_user_and_those_that_ask_for_it(
    http: httpx.AsyncClient, ada: dict[str, str], cluster: Cluster
) -> None:
    await cluster.start_node("n2", [asks])
    for id, user, by in (("bobs", "bob", ["ada"]), ("anybodys", "bob", []), ("adas", "ada", [])):
        asked = {"skill": "asks", "params": {"by": by}, "id": id, "user": user}
        assert (await http.post("/tasks", json=asked)).status_code == 201
    await cluster.settle()
    rows = (await http.get("/approvals", headers=ada)).json()["rows"]
    assert sorted(row["task"] for row in rows) == ["adas", "bobs"]
    assert (await http.post("/tasks/anybodys/approve", headers=ada)).status_code == 404
    assert (await http.get("/tasks/bobs", headers=ada)).status_code == 404
    for id in ("bobs", "adas"):
        assert (await http.post(f"/tasks/{id}/approve", headers=ada)).status_code == 200


async def test_each_path_is_open_or_closed() -> None:
    handlers = [handler for route in application().routes for handler in getattr(route, "route_handlers", ())]
    names = {
        str(handler.operation_id)
        for handler in handlers
        if scope_of(handler) in ("read", "tasks", "") and getattr(handler, "operation_id", None)
    }
    assert not OPEN & CLOSED
    assert names - OPEN - CLOSED == set(), "new paths are closed: say so, or open them"
