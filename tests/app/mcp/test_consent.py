"""What destroys something needs a person: no call of an agent does it alone, however it is put."""

import asyncio
from typing import Any

import pytest
from mcp import Client
from mcp_types import ElicitResult

from clawactors import Task, skill
from clawactors.app.mcp.catalogue import ALL_TOOLS, tools_for
from clawactors.app.mcp.options import GROUPS, McpOptions
from clawactors.app.skills.simple import echo
from tests.app.mcp.connecting import MODES, Bench, bench, data, said

SHELL = {"id": {"skill": "shell", "params": {"argv": ["id"]}}}


@skill("deploy")
async def deploy(task: Task) -> str:
    return "deployed" if await task.approve("Deploy to production?") else "left alone"


def asks(action: str, content: dict[str, Any] | None = None) -> tuple[Any, list[str]]:
    """A client whose person answers so, and what they were asked."""
    asked: list[str] = []

    async def answer(_: Any, params: Any) -> ElicitResult:
        asked.append(params.message)
        return ElicitResult(action=action, content=content)

    return answer, asked


async def cancelled(agent: Client, id: str) -> Any:
    return await agent.call_tool("cancel", {"id": id})


async def approved(agent: Client, id: str) -> Any:
    return await agent.call_tool("approve", {"id": id})


async def waiting(at: Bench) -> str:
    return (await at.person.submit("nobody-has-it")).id


@pytest.mark.parametrize("mode", MODES)
async def test_the_client_asks_its_person_where_it_can(mode: str) -> None:
    async with bench() as at:
        id = await waiting(at)
        for action, content in (("decline", None), ("cancel", None), ("accept", {"approve": False}), ("accept", None)):
            callback, asked = asks(action, content)
            async with at.connect(mode, elicitation_callback=callback) as agent:
                assert "a person denied this call" in said(await cancelled(agent, id))
                assert id in asked[0]
                assert "cancel" in asked[0]
        assert (await at.person.task(id)).status == "pending"
        callback, asked = asks("accept", {"approve": True})
        async with at.connect(mode, elicitation_callback=callback) as agent:
            assert data(await cancelled(agent, id))["status"] == "cancelled"
        assert len(asked) == 1
        assert (await at.person.history(id))[-1].by == "client/mcp"


async def test_an_answer_counts_for_the_call_that_it_was_asked_for() -> None:
    """A stateless client calls again with the answer; with other arguments, or unasked, that is worth nothing."""
    yes = {"consent": ElicitResult(action="accept", content={"approve": True})}
    async with bench() as at:
        one, other = await waiting(at), await waiting(at)
        callback, _ = asks("accept", {"approve": True})
        async with at.connect("auto", elicitation_callback=callback) as agent:
            call = agent.session.call_tool
            forged = await call("cancel", {"id": one}, input_responses=yes, allow_input_required=True)
            assert forged.result_type == "input_required"
            assert "consent" not in forged.request_state
            with pytest.raises(Exception, match="requestState"):
                await call(
                    "cancel",
                    {"id": other},
                    input_responses=yes,
                    request_state=forged.request_state,
                    allow_input_required=True,
                )
        statuses = [(await at.person.task(each)).status for each in (one, other)]
        assert statuses == ["pending", "pending"]


async def test_a_client_that_can_ask_nobody_gets_the_approval_of_the_cluster() -> None:
    async with bench() as at, at.connect() as agent:
        id, other = await waiting(at), await waiting(at)
        refusal = await cancelled(agent, id)
        [asked] = await at.person.approvals()
        assert f"claw approve {asked.task}" in said(refusal)
        assert id in asked.question
        assert "cancel" in asked.question
        assert said(await cancelled(agent, id)) == said(refusal), "asked once, however often it is called"
        assert "was submitted by this agent" in said(await approved(agent, asked.task)), "no agent approves itself"
        await at.person.approve(asked.task, comment="go ahead")
        await at.person.ref(asked.task).result()
        assert "needs a person" in said(await cancelled(agent, other)), "an approval is for one call"
        assert data(await cancelled(agent, id))["status"] == "cancelled"
        again = said(await cancelled(agent, id))
        assert "needs a person" in again, "and for one time"
        second = next(each.task for each in await at.person.approvals() if id in each.question)
        await at.person.deny(second, comment="not now")
        await at.person.ref(second).result()
        assert "was not approved (answered by client/ada: not now)" in said(await cancelled(agent, id))


async def test_an_approval_cannot_be_prepared_by_the_agent() -> None:
    """It knows the id of the next one, and asks a person something harmless under it."""
    async with bench() as at, at.connect() as agent:
        id = await waiting(at)
        await cancelled(agent, id)
        [asked] = await at.person.approvals()
        await at.person.approve(asked.task)
        await at.person.ref(asked.task).result()
        data(await cancelled(agent, id))
        trap = {"skill": "ask-approval", "params": {"question": "Do you like tea?"}, "id": f"{asked.task[:-1]}1"}
        data(await agent.call_tool("submit_task", trap))
        await at.person.approve(trap["id"])
        await at.person.ref(trap["id"]).result()
        refusal = await cancelled(agent, id)
        assert refusal.is_error


async def test_a_person_is_not_asked_without_end() -> None:
    async with bench() as at, at.connect() as agent:
        for number in range(30):
            told = said(await agent.call_tool("forget", {"ids": [f"m-{number}"]}))
            assert ("20 calls of this server wait" in told) == (number >= 20)
        await at.cluster.settle()
        assert len(await at.person.approvals()) == 20


async def test_where_no_node_can_ask_the_call_is_refused_with_what_to_do() -> None:
    async with bench(nodes=0) as at, at.connect() as agent:
        id = await waiting(at)
        assert "claw mcp --allow-destructive" in said(await cancelled(agent, id))
    async with bench(nodes=0, allow_destructive=True) as at, at.connect() as agent:
        assert data(await cancelled(agent, await waiting(at)))["status"] == "cancelled"


async def test_an_agent_answers_approvals_of_others_only() -> None:
    callback, asked = asks("accept", {"approve": True})
    async with bench([deploy]) as at, at.connect(elicitation_callback=callback) as agent:
        own = data(await agent.call_tool("submit_task", {"skill": "deploy"}))["id"]
        theirs = (await at.person.submit("deploy", id="theirs")).id
        await at.cluster.settle()
        assert {row["task"] for row in data(await agent.call_tool("approvals", {}))["approvals"]} == {own, theirs}
        refusal = said(await approved(agent, own))
        assert "was submitted by this agent" in refusal
        assert f"claw approve {own}" in refusal
        forked = (await at.agent.submit("deploy", id="mine", user="ada")).id
        await at.cluster.settle()
        assert "was submitted by this agent" in said(await approved(agent, forked)), "whatever user it names"
        data(await approved(agent, theirs))
        assert await at.person.ref(theirs).result() == "deployed"
        assert len(asked) == 1, "what is refused anyway is asked of nobody"
    callback, _ = asks("accept", {"approve": True})
    async with bench([deploy], approve_own=True) as at, at.connect(elicitation_callback=callback) as agent:
        own = data(await agent.call_tool("submit_task", {"skill": "deploy"}))["id"]
        await at.cluster.settle()
        data(await approved(agent, own))
        assert await at.person.ref(own).result() == "deployed"


async def test_an_agent_cannot_answer_by_a_signal() -> None:
    async with bench([deploy]) as at, at.connect() as agent:
        own = data(await agent.call_tool("submit_task", {"skill": "deploy"}))["id"]
        await at.cluster.settle()
        [asked] = await at.person.approvals()
        payload = {"approved": True, "by": "client/ada", "comment": ""}
        for name in (f"!approval:{asked.name}", f"approval:{asked.name}", asked.name):
            await agent.call_tool("signal", {"id": own, "name": name, "payload": payload})
        await at.cluster.settle()
        assert [each.task for each in await at.person.approvals()] == [own]


async def test_one_approval_is_for_one_of_many_calls_at_once() -> None:
    async with bench([echo]) as at, at.connect() as agent:
        task = {"skill": "python", "params": {"function": "os:getcwd"}}
        assert "needs a person" in said(await agent.call_tool("submit_task", task))
        [asked] = await at.person.approvals()
        await at.person.approve(asked.task)
        await at.person.ref(asked.task).result()
        answers = await asyncio.gather(*(agent.call_tool("submit_task", task) for _ in range(5)))
        assert sum(not each.is_error for each in answers) == 1
        assert await at.person.count(skill="python", fresh=True) == 1


async def test_skills_that_run_any_code_need_a_person() -> None:
    async with bench([echo], groups=tuple(GROUPS)) as at, at.connect() as agent:
        for name, arguments in (
            ("submit_task", {"skill": "shell", "params": {"argv": ["id"]}}),
            ("submit_tasks", {"tasks": [{"skill": "echo"}, {"skill": "python"}]}),
            ("submit_task", {"skill": "workflow", "params": {"definition": {"workflow": "w", "steps": SHELL}}}),
            ("submit_task", {"skill": "workflow", "params": {"$blob": "0" * 64, "bytes": 10}}),
            ("submit_task", {"skill": "workflow", "files": {"definition": "x"}}),
            ("submit_tasks", {"tasks": [{"skill": "workflow", "params": {"definition": {"steps": SHELL}}}]}),
            (
                "submit_task",
                {"skill": "agent", "params": {"prompt": "p", "model": "m", "tools": ["shell"], "approve": []}},
            ),
            ("submit_task", {"skill": "agent", "params": {"prompt": "p", "model": "m", "tools": ["workflow"]}}),
            ("submit_task", {"skill": "agent", "params": {"prompt": "p", "model": "m", "tools": "shell"}}),
            ("edit", {"id": await waiting(at), "changes": {"skill": "shell"}}),
        ):
            assert "needs a person" in said(await agent.call_tool(name, arguments))
        assert not await at.person.tasks(skill="shell")
        data(await agent.call_tool("submit_task", {"skill": "workflow", "params": {"workflow": "of-a-person"}}))
        data(await agent.call_tool("submit_task", {"skill": "agent", "params": {"prompt": "p", "tools": ["echo"]}}))


def test_everything_that_destroys_asks() -> None:
    destroys = {tool.name for tool in ALL_TOOLS if tool.effect == "destroy"}
    assert {"cancel", "approve", "deny", "forget", "change_tasks", "delete_task", "edit"} <= destroys
    for tool in ALL_TOOLS:
        given = dict.fromkeys((field for field in tool.input_schema["properties"]), "")
        assert tool.effect != "destroy" or tool.asks({**given, "dry_run": False}), tool.name


async def test_a_server_that_only_reads_has_nothing_else() -> None:
    tools = tools_for(McpOptions(groups=tuple(GROUPS), read_only=True))
    assert all(tool.effect == "read" for tool in tools.values())
    async with bench([echo], read_only=True, export=("echo",)) as at, at.connect() as agent:
        listed = (await agent.list_tools()).tools
        assert all(each.annotations.read_only_hint for each in listed)
        for name in ("submit_task", "cancel", "skill_echo"):
            with pytest.raises(Exception, match="there is no tool"):
                await agent.call_tool(name, {"id": "x", "skill": "echo", "text": "x"})
        assert not await at.person.tasks()


async def test_hints_say_what_a_tool_does() -> None:
    async with bench() as at, at.connect() as agent:
        hints = {each.name: each.annotations for each in (await agent.list_tools()).tools}
        assert (hints["cancel"].destructive_hint, hints["cancel"].idempotent_hint) == (True, True)
        assert (hints["get_task"].read_only_hint, hints["get_task"].destructive_hint) == (True, False)
        assert (hints["submit_task"].read_only_hint, hints["submit_task"].destructive_hint) == (False, False)
