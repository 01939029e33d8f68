"""The Python API on a real cluster: rows equal what the command line prints, and the names of repositories map."""

import ast
import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from clawactors import Client, InvalidQuery, NotFound, TaskRow
from clawactors.app.clusterplan import ClusterPlan
from tests.scenario.system import System, running

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module")]

PAGE = (Path(__file__).parents[2] / "docs" / "python-api.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
FAN_IN = str(Path(__file__).parents[2] / "examples" / "fan_in.py")
USUAL = re.findall(r"\| `(\w+)\(.*?\)` \| `(.*)` \|", PAGE.partition("task repository")[2])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    async with running(tmp_path_factory.mktemp("api"), ClusterPlan(nodes=1, skills=(FAN_IN,))) as system:
        yield system


async def evaluated(source: str, claw: Any) -> Any:
    code = compile(source, "docs/python-api.md", "eval", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names = {"claw": claw, "datetime": datetime, "timedelta": timedelta, "UTC": UTC}
    return await eval(code, names)  # noqa: S307


async def test_the_names_of_usual_repositories_map(system: System) -> None:
    answers = {name: await evaluated(source, system.client) for name, source in USUAL}
    assert set(answers) == {
        *("create", "get", "update", "delete", "list_by_status", "get_pending_tasks", "get_statistics"),
        *("get_available_nodes", "find_unresponsive_nodes", "find_by_skill", "cleanup_old_tasks"),
    }
    assert (answers["create"].id, answers["get"].id, answers["get"].status) == ("b-1", "b-1", "pending")
    assert [row.id for row in answers["get_pending_tasks"]] == ["b-1"]
    assert answers["get_statistics"].tasks["pending"] == 1
    assert [row.id for row in answers["get_available_nodes"]] == ["n1"]
    assert answers["find_unresponsive_nodes"] == []
    assert [row.id for row in answers["find_by_skill"]] == ["n1"]
    assert answers["delete"].state.life.status == "archived"
    assert answers["cleanup_old_tasks"] == 0


async def test_the_examples_of_the_page_run(
    system: System, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asking, sync, glance, earlier, making = BLOCKS
    monkeypatch.setenv("CLAW_DATA", str(system.cluster.path))
    await evaluated_block(asking.replace("asyncio.run(main())", ""), "main")
    assert " wait for 0 s at most, runs p95 " in await evaluated_block(glance, "screen", system.client)
    of_now = earlier.replace("2026-05-01T09:00:00Z", "-0s")
    assert await evaluated_block(of_now, "failed_by_nine", system.client) == []
    assert await evaluated_block(making, "count_words", system.client, ["to be or not", "to be"]) == 6
    assert await asyncio.to_thread(sync_block(sync, "count"), ["to be or not", "to be"]) == [4, 2]
    assert sorted(capsys.readouterr().out.splitlines()) == ["count-0 has ended", "count-1 has ended"]


async def evaluated_block(source: str, name: str, *args: Any) -> Any:
    return await sync_block(source, name)(*args)


def sync_block(source: str, name: str) -> Any:
    names: dict[str, Any] = {}
    exec(compile(source, "docs/python-api.md", "exec"), names)  # noqa: S102 - our own page
    return names[name]


async def test_rows_are_what_the_command_line_prints(system: System) -> None:
    claw = system.client
    assert await claw.run("echo", {"text": "hi"}, id="row-1", tags=("rows",)) == "hi"
    for row, command in (
        (await claw.task("row-1"), ("task", "row-1")),
        (list(await claw.tasks(tag="rows", fresh=True)), ("tasks", "--tag", "rows", "--fresh")),
        ([entry.row for entry in await claw.history("row-1")], ("task", "row-1", "--history")),
        (await claw.why("row-1"), ("why", "row-1")),
        (await claw.skills_known(), ("skills",)),
    ):
        assert (
            msgspec.json.decode(msgspec.json.encode(row))
            == (await asyncio.to_thread(system.claw, *command, "--json")).answer
        ), command
    (listed,) = await claw.tasks(tag="rows")
    assert listed == await claw.task("row-1"), "a list and a look give the same row"


async def test_a_list_is_given_in_pages_or_whole(system: System) -> None:
    claw = system.client
    ids = [(await claw.submit("nobody-has-it", id=f"page-{n}", tags=("paged",))).id for n in range(5)]
    first = await claw.tasks(tag="paged", limit=3, fresh=True)
    rest = await claw.tasks(tag="paged", limit=3, cursor=first.cursor or "")
    assert [row.id for row in (*first, *rest)] == ids[::-1]
    assert (len(first), len(rest), rest.cursor) == (3, 2, None)
    assert [row.id async for row in claw.each_task(tag="paged")] == ids[::-1]
    seen = await claw.tasks(tag="paged", since=first[0].submitted_at, limit=None)
    assert seen.rows[-1].id == "page-4"
    with pytest.raises(InvalidQuery, match="no status 'asleep'"):
        await claw.tasks(status="asleep")
    with pytest.raises(InvalidQuery, match="another question"):
        await claw.tasks(tag="other", cursor=first.cursor or "")
    reports = await claw.change_many([*ids, "nobody"], claw.cancel)
    assert [report.row.status for report in reports if report.row] == ["cancelled"] * 5
    assert reports[-1].refusal == "there is no task 'nobody'"
    assert await claw.delete_ended(until=datetime.now(UTC) + timedelta(minutes=1), tag="paged") == 5


async def test_the_past_and_what_is_not_there(system: System) -> None:
    claw = system.client
    await claw.run("echo", {"text": "hi"}, id="past-1")
    history = await claw.history("past-1")
    assert history[0].type == "task.submitted"
    earlier: TaskRow = await claw.task("past-1", at_seq=history[0].seq)
    assert earlier.status in ("pending", "scheduled")
    for missing in (claw.task("nobody"), claw.history("nobody"), claw.why("nobody"), claw.node("nobody")):
        with pytest.raises(NotFound):
            await missing
    assert await claw.resolve("past-") == "past-1"
    assert await claw.resolve("nobody") is None


async def test_nodes_are_changed_and_counted(system: System) -> None:
    claw = system.client
    assert (await claw.cordon("n1")).status == "cordoned"
    assert await claw.nodes(available=True) == []
    changed = await claw.set_node("n1", slots=3, affinity={"zone": "a"})
    assert (changed.slots, changed.affinity) == (3, {"zone": "a"})
    assert (await claw.set_node("n1", affinity={"zone": ""})).affinity == {}
    assert (await claw.uncordon("n1")).status == "online"
    status = await claw.status(fresh=True)
    assert (status.leader, status.nodes["online"]) == ("control/control", 1)
    assert status.log.last_seq >= status.projection.seq > 0
    statistics = await claw.statistics()
    assert statistics.by_skill["echo"]["completed"] >= 1
    assert statistics.by_node["n1"]["completed"] >= 1
    assert statistics.durations["echo"].succeeded >= 1
    assert statistics.store.size_bytes > 0


async def test_a_client_left_open_is_closed_with_its_event_loop(system: System) -> None:
    def forgetful() -> tuple[list[Any], bool]:
        failures: list[Any] = []

        async def main() -> Any:
            asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
            opened = Client.connect(data=str(system.cluster.path))
            claw = await opened.__aenter__()
            assert await claw.run("echo", {"text": "hi"}) == "hi"
            return opened, claw

        _, claw = asyncio.run(main())
        return failures, claw.connection.is_closed

    assert await asyncio.to_thread(forgetful) == ([], True)
