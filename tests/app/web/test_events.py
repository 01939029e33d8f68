"""What happens is sent as it happens; who was cut off goes on behind the last id, and misses and repeats nothing."""

import asyncio
import json
from contextlib import aclosing
from typing import Any

import httpx
import pytest

from clawactors import Task, skill
from clawactors.app.web import listeners, outputs
from clawactors.app.web.hub import EventHub, id_of
from clawactors.runtime.client.events import LogFilter
from clawactors.testing import Cluster
from tests.app.web.conftest import CLIENTS

PATIENCE_S = 10.0


def frames(text: bytes) -> list[dict[str, str]]:
    """The events of some frames, without comments and what else has no data."""
    found = []
    for frame in text.decode().split("\n\n"):
        lines = [line.partition(": ") for line in frame.split("\n") if not line.startswith(":")]
        fields = {name: value for name, _, value in lines}
        if "data" in fields:
            found.append(fields)
    return found


async def heard(listening: Any, until: str, number: int = 1) -> list[dict[str, str]]:
    """What is heard up to that many events of a type."""
    found: list[dict[str, str]] = []
    async with asyncio.timeout(PATIENCE_S):
        async for text in listening:
            found += frames(text)
            if sum(each["event"] == until for each in found) >= number:
                return found
    raise AssertionError(found)


async def run(cluster: Cluster, id: str, skill: str = "echo", **options: Any) -> None:
    await cluster.client.run(skill, {"text": "hi"}, id=id, **options)


async def test_events_come_as_they_happen_and_go_on_behind_an_id(cluster: Cluster) -> None:
    async with aclosing(EventHub(CLIENTS.client)) as events:
        first = await events.listen(LogFilter(["task.*"]), None)
        await run(cluster, "a1")
        got = await heard(first, "task.completed")
        assert [each["event"] for each in got] == ["task.submitted", "task.scheduled", "task.started", "task.completed"]
        assert json.loads(got[0]["data"])["id"] == "a1"
        await run(cluster, "a2")
        for place, last in enumerate(got):
            again = await events.listen(LogFilter(["task.*"]), id_of(last["id"]))
            async with aclosing(again):
                rest = await heard(again, "task.completed", 2 if place < len(got) - 1 else 1)
            assert [each["id"] for each in rest][: len(got) - place - 1] == [each["id"] for each in got[place + 1 :]]
            assert len(rest) == len(got) - place - 1 + 4, "nothing is missed, nothing comes twice"


async def test_what_is_no_longer_kept_is_read_from_the_log(cluster: Cluster) -> None:
    await run(cluster, "b1")
    async with aclosing(EventHub(CLIENTS.client)) as events:
        listening = await events.listen(LogFilter(["task.completed"]), (0, 1 << 30))
        await run(cluster, "b2")
        got = await heard(listening, "task.completed", 2)
        assert [json.loads(each["data"])["id"] for each in got] == ["b1", "b2"]


async def test_events_are_filtered_by_task_skill_and_user(cluster: Cluster) -> None:
    await run(cluster, "c0", user="ann")
    async with aclosing(EventHub(CLIENTS.client)) as events:
        of_task = await events.listen(LogFilter(task="c2"), None)
        of_user = await events.listen(LogFilter(["task.completed"], user="ann"), (0, 1 << 30))
        of_skill = await events.listen(LogFilter(["task.submitted"], skill="fail"), None)
        await run(cluster, "c1", user="bob")
        await run(cluster, "c2", user="ann")
        await cluster.client.submit("fail", {}, id="c3")
        assert {json.loads(each["data"])["id"] for each in await heard(of_task, "task.completed")} == {"c2"}
        assert [json.loads(each["data"])["id"] for each in await heard(of_user, "task.completed", 2)] == ["c0", "c2"]
        assert [json.loads(each["data"])["id"] for each in await heard(of_skill, "task.submitted")] == ["c3"]


async def test_a_slow_reader_is_told_and_cut_and_can_go_on(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listeners, "_QUEUE_BYTES", 0)
    async with aclosing(EventHub(CLIENTS.client)) as events:
        slow = await events.listen(LogFilter(["task.*"]), None)
        quick = await events.listen(LogFilter(["task.completed"]), None)
        for number in range(3):
            await run(cluster, f"d{number}")
            await heard(quick, "task.completed")
            if not number:
                first = await heard(slow, "task.completed")
        rest = [each async for text in slow for each in frames(text)]
        assert rest[-1]["event"] == "lagged"
        last = (first + rest[:-1])[-1]["id"]
        again = await heard(await events.listen(LogFilter(["task.completed"]), id_of(last)), "task.completed", 2)
        assert [json.loads(each["data"])["id"] for each in again][-2:] == ["d1", "d2"]


async def test_another_leader_is_followed_from_where_the_last_one_was(cluster: Cluster) -> None:
    async with aclosing(EventHub(CLIENTS.client)) as events:
        listening = await events.listen(LogFilter(["task.completed"]), None)
        await run(cluster, "e1")
        await heard(listening, "task.completed")
        await cluster.restart_control()
        await run(cluster, "e2")
        again = await events.listen(LogFilter(["task.completed"]), None)
        await run(cluster, "e3")
        await heard(again, "task.completed")


async def test_the_output_of_a_task_is_sent_to_its_end(http: httpx.AsyncClient, cluster: Cluster) -> None:
    await run(cluster, "o1", "talk")
    sent = await http.get("/tasks/o1/stream/out")
    assert sent.headers["content-type"].startswith("text/event-stream")
    first, second, end = frames(sent.content)
    assert [json.loads(each["data"])["value"] for each in (first, second)] == [1, {"<b>": 2}]
    assert end["event"] == "end"
    rest = await http.get("/tasks/o1/stream/out", headers={"Last-Event-ID": first["id"]})
    assert frames(rest.content)[0] == second
    for path, status in (
        ("/tasks/nope/stream/out", 404),
        ("/tasks/nope/events", 404),
        ("/events?from=x", 400),
        (f"/tasks/o1/stream/out?after={10**30}", 400),
        ("/tasks/o1/stream/a b", 409),
    ):
        assert (await http.get(path)).status_code == status
    assert (await http.get("/events", headers={"Last-Event-ID": "1.x"})).status_code == 400


@skill("says")
async def says(task: Task) -> None:
    for number in range(5):
        await task.emit(number)
        await task.signal("more")


async def values(listening: Any, number: int) -> list[int]:
    """So many values that are heard."""
    found: list[int] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(found) < number:
            found += [json.loads(each["data"])["value"] for each in frames(await anext(listening))]
    return found


async def test_the_output_of_a_task_is_followed_once_for_all_who_may_read_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[str] = []
    follow = outputs._OutputFanout.follow

    async def counted(self: Any) -> None:
        begun.append(self._id)
        await follow(self)

    monkeypatch.setattr(outputs._OutputFanout, "follow", counted)
    async with Cluster([says]) as cluster, aclosing(outputs.OutputHub()) as hub:
        ref = await cluster.client.submit("says", id="s1")
        many = [hub.listen(cluster.client, "ann", "s1", "out", 0) for _ in range(20)]
        assert [await values(each, 1) for each in many] == [[0]] * 20
        await ref.signal("more")
        late = hub.listen(cluster.client, "ann", "s1", "out", 0)
        other = hub.listen(cluster.client, "bob", "s1", "out", 0)
        for each in (late, other):
            assert await values(each, 2) == [0, 1]
        assert begun == ["s1", "s1"], "one for ann, one for bob"
        for each in (*many[1:], late, other):
            await each.aclose()
        for _ in range(4):
            await ref.signal("more")
        rest = [each async for text in many[0] for each in frames(text)]
        assert [json.loads(each["data"]).get("value") for each in rest] == [1, 2, 3, 4, None]
        assert rest[-1]["event"] == "end"
        assert not hub._known
