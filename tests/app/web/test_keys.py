"""Keys of programs: what each may do, how often and how long; a revoked one opens nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from clawactors.app.web.keyring import Asker, KeyRing
from clawactors.app.web.problems import HttpProblem
from clawactors.app.web.scopes import scope_of
from clawactors.kernel.errors import Refused
from clawactors.testing import Cluster
from tests.app.web.conftest import CLIENTS, application

TASK = {"skill": "echo", "params": {"text": "hi"}}


async def holder(http: httpx.AsyncClient, name: str, **grant: object) -> dict[str, str]:
    """The header of who holds a new key."""
    added = await http.put(f"/keys/{name}", json=grant)
    assert added.status_code == 201, added.text
    return {"Authorization": f"Bearer {added.json()['secret']}"}


async def test_a_key_may_do_what_its_scopes_say_and_nothing_else(http: httpx.AsyncClient) -> None:
    read = await holder(http, "reader")
    tasks = await holder(http, "worker", scopes=["tasks"])
    memory = await holder(http, "memo", scopes=["memory"])
    admin = await holder(http, "boss", scopes=["admin"])
    asked = [
        ("GET", "/tasks", None, "read tasks admin"),
        ("POST", "/tasks", TASK, "tasks admin"),
        ("POST", "/tasks/change", {"change": "cancel", "ids": ["nope"]}, "tasks admin"),
        ("GET", "/memories/x", None, "memory admin"),
        ("PUT", "/schedules/s", {"cron": "0 3 * * *", **TASK}, "admin"),
        ("POST", "/nodes/n1/cordon", None, "admin"),
        ("GET", "/keys", None, "admin"),
        ("PUT", "/keys/more", {"scopes": ["admin"]}, "admin"),
        ("GET", "/session", None, "read tasks memory admin"),
    ]
    for method, path, body, allowed in asked:
        for scope, header in (("read", read), ("tasks", tasks), ("memory", memory), ("admin", admin)):
            may = scope in allowed.split()
            if may and "memories" in path:
                continue  # it would start a memory
            answer = await http.request(method, path, json=body, headers=header)
            assert (answer.status_code != 403) is may, (method, path, scope, answer.text)
            assert answer.status_code < 500
            if not may:
                assert "scope" in answer.json()["detail"]


async def test_every_path_needs_a_scope_that_there_is() -> None:
    known = {scope_of(handler) for route in application().routes for handler in getattr(route, "route_handlers", ())}
    assert known <= {"", "read", "tasks", "memory", "admin"}


async def test_a_revoked_key_opens_nothing_and_says_nothing(http: httpx.AsyncClient) -> None:
    header = await holder(http, "ci")
    assert (await http.get("/status", headers=header)).status_code == 200
    assert (await http.delete("/keys/ci")).json()["status"] == "revoked"
    gone = await http.get("/status", headers=header)
    assert (gone.status_code, gone.json()["detail"]) == (401, "the key is not valid")
    for missing in (await http.get("/keys/nope"), await http.delete("/keys/nope")):
        assert (missing.status_code, missing.json()["detail"]) == (404, "there is no key 'nope'")
    listed = (await http.get("/keys")).text
    assert header["Authorization"].partition(".")[2] not in listed
    assert "sha256" not in listed


async def test_a_key_that_was_revoked_elsewhere_is_known_within_a_second(cluster: Cluster) -> None:
    now = [100.0]
    ring = KeyRing(CLIENTS.client, monotonic_s=lambda: now[0])
    added = await cluster.client.keys.add("ci")
    assert await ring.asker(added.secret) is not None
    await cluster.client.keys.revoke("ci")
    now[0] += 1.0
    assert await ring.asker(added.secret) is None


async def test_a_key_ends_by_itself_and_with_a_wrong_secret_opens_nothing(cluster: Cluster) -> None:
    later = [0.0]
    ring = KeyRing(CLIENTS.client, now_s=lambda: later[0])
    until = datetime.now(UTC) + timedelta(days=30)
    added = await cluster.client.keys.add("ci", ["read"], expires=until)
    later[0] = until.timestamp() - 1
    assert await ring.asker(added.secret) is not None
    later[0] += 2
    assert await ring.asker(added.secret) is None
    for wrong in (added.secret + "x", "clawkey_ci.x", "clawkey_nope.x", "clawkey_../x.y", "clawkey_.", "x"):
        assert await ring.asker(wrong) is None


async def test_rates_and_quotas_are_kept(http: httpx.AsyncClient, cluster: Cluster) -> None:
    now = [100.0]
    ring = KeyRing(CLIENTS.client, monotonic_s=lambda: now[0], now_s=lambda: 0.0)
    added = await cluster.client.keys.add("slow", rate_per_s=2)
    for left in (b"1", b"0"):
        asker = await ring.asker(added.secret)
        assert asker is not None
        assert dict(asker.headers)[b"ratelimit-remaining"] == left
    with pytest.raises(HttpProblem) as refused:
        await ring.asker(added.secret)
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "1")
    now[0] += 0.5
    assert await ring.asker(added.secret) is not None
    header = await holder(http, "few", quota_per_day=2)
    answers = [await http.get("/status", headers=header) for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 429]
    assert answers[1].headers["ratelimit-remaining"] == "0"
    assert int(answers[2].headers["retry-after"]) > 0


async def test_who_did_it_is_on_record(http: httpx.AsyncClient) -> None:
    own = await holder(http, "ci", scopes=["tasks"])
    for_ann = await holder(http, "anns", scopes=["tasks"], user="ann")
    await http.post("/tasks", json=TASK | {"id": "a1"}, headers=own)
    await http.post("/tasks", json=TASK | {"id": "a2"}, headers=for_ann)
    by = [(await http.get(f"/tasks/{id}/history")).json()["rows"][0]["by"] for id in ("a1", "a2")]
    assert by == ["client/key-ci", "client/ann"]
    assert (await http.get("/tasks/a2")).json()["user"] == "ann"


async def test_what_is_no_key_is_refused(cluster: Cluster) -> None:
    keys = cluster.client.keys
    for scopes, more, says in (
        (["write"], {}, "none of read, tasks, memory, admin"),
        ([], {}, "a key has a scope"),
        (["read"], {"expires": "2001-01-01T00:00:00Z"}, "expire before"),
        (["read"], {"rate_per_s": -1.0}, "rate"),
    ):
        with pytest.raises(Refused, match=says):
            await keys.add("k", scopes, **more)  # type: ignore[arg-type]
    await keys.add("k")
    with pytest.raises(Refused, match="revoke it first"):
        await keys.add("k")
    await keys.revoke("k")
    assert (await keys.add("k", ["tasks"])).key.scopes == ("tasks",)
    assert (await keys.get("k")).status == "active"


async def test_a_key_for_a_user_names_no_other_one(http: httpx.AsyncClient) -> None:
    header = await holder(http, "adas", scopes=["tasks"], user="ada")
    own = await http.post("/tasks", json={**TASK, "id": "own", "at": "2099-01-01T00:00:00Z"}, headers=header)
    assert own.json()["user"] == "ada"
    for method, path, body in (
        ("POST", "/tasks", {**TASK, "user": "bob"}),
        ("PATCH", "/tasks/own", {"user": "bob"}),
        ("POST", "/workflows/w/run", {"user": "bob"}),
    ):
        answer = await http.request(method, path, json=body, headers=header)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path
    lines = [{**TASK, "user": "bob"}, {**TASK, "user": "ada"}, {**TASK, "id": "silent"}]
    batch = (await http.post("/tasks/batch", json=lines, headers=header)).json()
    assert (batch["submitted"], [each["line"] for each in batch["refused"]]) == (2, [1])
    assert (await http.get("/tasks/silent", headers=header)).json()["user"] == "ada"
    assert (await http.post("/tasks", json={**TASK, "user": "bob"})).status_code == 201, "the owner may"


async def test_who_listens_may_do_so_as_long_as_its_key_or_session_lasts(http: httpx.AsyncClient) -> None:
    header = await holder(http, "listener")
    await http.delete("/keys/listener")
    transport: Any = http._transport
    guard = transport.app
    assert not await guard.still(Asker(key=header["Authorization"].partition(" ")[2]))
    assert await guard.still(Asker())
    assert not await guard.still(Asker(session="no-such-session"))


async def test_the_place_in_an_output_is_a_number_that_there_can_be(http: httpx.AsyncClient, cluster: Cluster) -> None:
    await cluster.client.run("echo", {"text": "hi"}, id="a")
    answer = await http.get("/tasks/a/stream/log", headers={"Last-Event-ID": "9" * 5000})
    assert answer.status_code == 400
