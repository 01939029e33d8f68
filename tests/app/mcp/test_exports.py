"""Skills as tools: by allow-list, as nodes offer them now; their calls, and what becomes of their tasks."""

import asyncio
import re
from typing import Any

import anyio
import pytest
from mcp_types import ToolListChangedNotification

from clawactors import Task, skill
from clawactors.app.mcp.exports import exported_skills
from clawactors.app.skills.shell import shell
from clawactors.app.skills.simple import echo
from clawactors.runtime.client.rows import SkillRow
from tests.app.mcp.connecting import MODES, PATIENCE_S, Bench, ServerStreams, bench, data, said
from tests.waiting import until


@skill("ocr.page")
async def ocr_page(task: Task, path: str, pages: int = 1, lang: str | None = None) -> str:
    """Reads the text of a page."""
    if path == "torn":
        raise ValueError("the page is torn")
    return f"{path}: {pages} {lang}"


@skill("summarise")
async def summarise(task: Task, texts: list[str], options: dict[str, Any] | None = None) -> str:
    return " ".join(texts)


@skill("waits")
async def waits(task: Task) -> Any:
    return await task.signal("go")


def row(name: str, nodes: tuple[str, ...] = ("n1",)) -> SkillRow:
    return SkillRow(
        name=name,
        description="",
        parameters=(),
        open=False,
        versions={},
        concurrency=None,
        nodes=nodes,
        submitted=0,
        succeeded=0,
        failed=0,
        mean_s=0.0,
    )


async def test_chosen_skills_are_tools_with_their_schemas() -> None:
    async with bench([ocr_page, summarise, echo, shell], export=("ocr*", "summarise")) as at, at.connect() as agent:
        tools = {each.name: each for each in (await agent.list_tools()).tools if each.name.startswith("skill_")}
        names = sorted(tools)
        assert len(names) == 2
        page = next(tools[name] for name in names if "ocr" in name)
        assert page.input_schema["properties"] == {
            "path": {"type": "string"},
            "pages": {"type": "integer"},
            "lang": {"type": "string"},
        }
        assert page.input_schema["required"] == ["path"]
        assert page.description.startswith("Reads the text of a page.")
        assert page.description.endswith("cancelling the call cancels the task.")
        assert tools["skill_summarise"].input_schema["properties"]["texts"] == {"type": "array", "items": {}}
        answer = data(await agent.call_tool(page.name, {"path": "a.png", "pages": 2}))
        assert (answer["status"], answer["result"]) == ("completed", "a.png: 2 None")
        assert (await at.person.task(answer["task"])).user == "mcp"
        failed = await agent.call_tool(page.name, {"path": "torn"})
        assert failed.is_error
        assert "ValueError: the page is torn" in said(failed)
        assert "Traceback" not in said(failed)
        assert "does not take 'colour'" in said(await agent.call_tool(page.name, {"path": "a", "colour": "red"}))


def test_names_of_tools_never_stand_in_for_others() -> None:
    names = ["cancel", "a.b", "a_b", "a b", "x" * 100, "x" * 101, "日本", "approve", "a-b"]
    found = exported_skills(["*"], [row(name) for name in names])
    assert {each.skill for each in found.values()} == set(names)
    for name in found:
        assert name.startswith("skill_")
        assert re.fullmatch(r"\w{1,48}", name, re.ASCII), "some clients take no more"


def test_skills_that_run_any_code_are_exported_by_their_name_only() -> None:
    rows = [row("shell"), row("python"), row("echo"), row("gone", ())]
    assert list(exported_skills(["*"], rows)) == ["skill_echo"]
    assert list(exported_skills(["shell", "e*"], rows)) == ["skill_shell", "skill_echo"]


@pytest.mark.parametrize("mode", MODES)
async def test_tools_come_and_go_with_nodes_and_clients_are_told(mode: str) -> None:
    told = asyncio.Event()

    async def on_message(message: Any) -> None:
        if isinstance(message, ToolListChangedNotification):
            told.set()

    async def names() -> list[str]:
        return [each.name for each in (await agent.list_tools()).tools if each.name.startswith("skill_")]

    async with bench(export=("echo",), nodes=0) as at:
        at.service.watch._look_s = 0.02
        async with at.connect(mode, message_handler=on_message) as agent, asyncio.timeout(PATIENCE_S):
            assert await names() == []
            if mode == "legacy":
                assert agent.server_capabilities.tools.list_changed
                await at.cluster.start_node("n9", [echo])
                await told.wait()
            else:
                async with agent.listen(tools_list_changed=True) as events:
                    await at.cluster.start_node("n9", [echo])
                    await anext(aiter(events))
            assert await names() == ["skill_echo"]
            await at.cluster.stop_node("n9")

            async def are_gone() -> bool:
                return not await names()

            await until(are_gone, "its tools are gone", PATIENCE_S)


async def status_of(at: Bench, wanted: str) -> str:
    """The id of the only task that waits for a signal, once it has that status."""
    found: list[str] = []

    async def has_it() -> bool:
        found[:] = [row.id for row in await at.person.tasks(skill="waits", status=wanted, fresh=True)]
        return bool(found)

    await until(has_it, f"a task is {wanted}", PATIENCE_S)
    return found[0]


@pytest.mark.parametrize(("arguments", "options", "ends"), [
    ({"name": "skill_waits", "arguments": {}}, {}, True),
    ({"name": "skill_waits", "arguments": {}}, {"leave_running": True}, False),
    ({"name": "submit_task", "arguments": {"skill": "waits", "wait": "50s"}}, {}, True),
    ({"name": "submit_task", "arguments": {"skill": "waits", "wait": "50s", "on_cancel": "leave"}}, {}, False),
])  # fmt: skip
async def test_cancelling_a_call_cancels_the_task_that_it_has_made(
    arguments: dict[str, Any], options: dict[str, Any], ends: bool
) -> None:
    async with bench([waits], export=("waits",), **options) as at, at.connect() as agent:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:

                async def cancel_it() -> None:
                    await status_of(at, "waiting")
                    scope.cancel()

                group.start_soon(cancel_it)
                await agent.call_tool(**arguments)
        if ends:
            await status_of(at, "cancelled")
        else:
            data(await agent.call_tool("status", {}))  # the cancellation has been heard by now
            await at.cluster.settle()
            await status_of(at, "waiting")


async def test_cancelling_a_call_that_found_its_task_leaves_it_to_who_made_it() -> None:
    told: list[str] = []

    async with bench([waits]) as at, at.connect() as agent:
        made = await at.agent.submit("waits", {}, key="nightly")
        assert made.new
        assert not (await at.agent.submit("waits", {}, key="nightly")).new
        await status_of(at, "waiting")
        with anyio.CancelScope() as scope:

            async def progress(done: float, total: float | None, message: str | None) -> None:
                told.append(message or "")
                scope.cancel()

            asked = {"skill": "waits", "key": "nightly", "wait": "50s", "on_cancel": "cancel"}
            await agent.call_tool("submit_task", asked, progress_callback=progress)
        data(await agent.call_tool("status", {}))  # the cancellation has been heard by now
        await at.cluster.settle()
        assert await status_of(at, "waiting") == made.id
        assert "was there before; cancelling this call leaves it running" in told[0]


async def test_a_task_goes_on_where_the_client_has_gone() -> None:
    async with bench([waits], export=("waits",)) as at:
        async with at.connect() as agent:
            calling = asyncio.create_task(agent.call_tool("skill_waits", {}))
            id = await status_of(at, "waiting")
            assert isinstance(agent.server, ServerStreams)
            await agent.server.hang_up()
            await asyncio.wait((calling,))
            assert calling.exception() is not None
        assert await status_of(at, "waiting") == id
        await at.person.signal(id, "go", 1)
        assert await at.person.ref(id).result() == 1


async def test_a_long_skill_is_left_running_and_can_be_waited_for() -> None:
    async with bench([waits], export=("waits",), wait_s=0.1) as at, at.connect() as agent:
        answer = data(await agent.call_tool("skill_waits", {}))
        assert "wait_task" in answer["next"]
        await at.person.signal(answer["task"], "go", {"n": 1})
        assert data(await agent.call_tool("wait_task", {"id": answer["task"]}))["result"] == {"n": 1}
