"""Tools do what the client does, and say what is wrong in its words."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from clawactors import Task, skill
from clawactors.app.mcp.catalogue import ALL_TOOLS, tools_for
from clawactors.app.mcp.options import DEFAULT_GROUPS, GROUPS, McpOptions
from clawactors.app.skills.simple import echo, sleep
from clawactors.eventlog import Unavailable
from tests.app.mcp.connecting import MODES, Fixed, bench, data, said

ALL = tuple(GROUPS)


@skill("large")
async def large(task: Task, size: int) -> dict[str, str]:
    print("a line")
    return {"text": "é" * size}


@skill("failing")
async def failing(task: Task) -> None:
    raise ValueError("no such disk")


@pytest.mark.parametrize("mode", MODES)
async def test_a_task_is_submitted_waited_for_and_read(mode: str) -> None:
    reported: list[float] = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        reported.append(done)

    async with bench([echo, sleep]) as at, at.connect(mode) as agent:
        made = data(await agent.call_tool("submit_task", {"skill": "echo", "params": {"text": "hi"}, "wait": "20s"}))
        assert (made["status"], made["result"], made["ended"], made["user"]) == ("completed", "hi", True, "mcp")
        slow = {"skill": "sleep", "params": {"seconds": 0.6, "steps": 3}, "wait": "20s"}
        assert data(await agent.call_tool("submit_task", slow, progress_callback=progress))["ended"]
        assert reported == sorted(set(reported)), "progress grows with each report"
        assert len(reported) >= 2
        rows = data(await agent.call_tool("list_tasks", {"skill": "echo"}))["tasks"]
        assert [row["id"] for row in rows] == [made["id"]]
        events = data(await agent.call_tool("history", {"id": made["id"]}))["events"]
        assert events[0]["type"] == "task.submitted"
        assert events[0]["by"] == "client/mcp", "who did it is on record"


async def test_a_past_state_is_found_by_sequence_time_or_time_ago() -> None:
    async with bench() as at, at.connect() as agent:
        id = (await at.person.submit("nobody")).id
        await at.person.pause(id)
        first, second = data(await agent.call_tool("history", {"id": id}))["events"]
        for event, status in ((first, "pending"), (second, "paused")):
            for moment in (str(event["seq"]), event["at"]):
                asked = {"id": id, "at": moment}
                assert data(await agent.call_tool("get_task", asked))["status"] == status, "that event has happened"
                assert data(await agent.call_tool("history", asked))["events"][-1] == event
        assert data(await agent.call_tool("get_task", {"id": id, "at": "-0s"}))["status"] == "paused"
        assert "at: 'soon' is not a valid time" in said(await agent.call_tool("get_task", {"id": id, "at": "soon"}))


async def test_a_skill_that_nobody_offers_is_told_at_once() -> None:
    async with bench([echo]) as at, at.connect() as agent:
        made = data(await agent.call_tool("submit_task", {"skill": "ecko", "params": {"text": "x"}}))
        assert "no node offers the skill 'ecko' (did you mean 'echo'?)" in made["warning"]
        assert "warning" not in data(await agent.call_tool("submit_task", {"skill": "echo", "params": {"text": "x"}}))


async def test_a_wait_that_is_over_says_what_to_do_next() -> None:
    async with bench([sleep]) as at, at.connect() as agent:
        made = data(await agent.call_tool("submit_task", {"skill": "nobody", "wait": "0.2s"}))
        assert (made["status"], made["ended"]) == ("pending", False)
        assert "wait_task" in made["next"]
        reasons = data(await agent.call_tool("why", {"id": made["id"]}))["reasons"]
        assert "no online node has the skill 'nobody'" in reasons[0]


async def test_what_is_wrong_with_a_call_is_its_result_with_the_reason_of_the_core() -> None:
    async with bench([echo]) as at, at.connect() as agent:
        for name, arguments, told in (
            ("submit_task", {"skil": "echo"}, "did you mean 'skill'?"),
            ("submit_task", {"skill": "echo", "params": {"txt": "x"}}, "it takes text"),
            ("submit_task", {}, "missing required field `skill`"),
            ("submit_task", {"skill": "echo", "delay": "soon"}, "write 30s, 5m"),
            ("submit_task", {"skill": "echo", "params": {"text": "x"}, "wait": "soon"}, "write 30s, 5m"),
            ("submit_task", {"skill": "echo", "at": "tomorrow"}, "not a valid time"),
            ("get_task", {"id": "nope"}, "not_found: there is no task 'nope'"),
            ("get_task", {"id": "a b"}, "is no id"),
            ("list_tasks", {"limit": 0}, ">= 1"),
            ("list_tasks", {"cursor": "rubbish"}, "cursor"),
            ("recall", {"text": "x", "limit": "many"}, "Expected `int`"),
            ("forget", {}, "give one of both"),
            ("cancel", {"id": "nope"}, "there is no task 'nope'"),
            ("deny", {"id": "nope"}, "there is no task 'nope'"),
        ):
            result = await agent.call_tool(name, arguments)
            assert result.is_error, (name, arguments)
            assert told in said(result), said(result)
            assert "Traceback" not in said(result)
        with pytest.raises(Exception, match="there is no tool 'nope'"):
            await agent.call_tool("nope", {})
        assert not await at.person.count(fresh=True), "nothing of it was done"


async def test_arguments_are_read_as_models_mean_them() -> None:
    async with bench([echo]) as at, at.connect() as agent:
        made = data(
            await agent.call_tool(
                "submit_task",
                {
                    "skill": "echo",
                    "params": '{"text": "hi"}',  # an object as text
                    "tags": "red, blue",  # a list as text
                    "after": ["null"],  # nothing, as some clients write it
                    "key": None,
                    "name": "null",
                    "retries": "2",
                    "wait": 20,
                },
            )
        )
        assert (made["result"], made["tags"], made["max_retries"]) == ("hi", ["red", "blue"], 2)
        assert len(data(await agent.call_tool("list_tasks", {"limit": "5", "status": "completed"}))["tasks"]) == 1


async def test_a_large_result_is_cut_with_a_reference_and_read_in_pages() -> None:
    async with bench([large], limit_chars=5000, export=("large",)) as at, at.connect() as agent:
        made = data(await agent.call_tool("submit_task", {"skill": "large", "params": {"size": 30_000}, "wait": "20s"}))
        assert len(msgspec.json.encode(made)) < 6000
        assert "more characters: get_result" in str(made["result"])
        text, offset = "", 0
        while offset is not None:
            page = data(await agent.call_tool("get_result", {"id": made["id"], "offset": offset}))
            text, offset = text + page["text"], page.get("next_offset")
        assert msgspec.json.decode(text) == {"text": "é" * 30_000}
        answer = data(await agent.call_tool("skill_large", {"size": 30_000}))
        assert "more characters: get_result" in str(answer["result"])
        many = [{"skill": "large", "params": {"size": 30_000}} for _ in range(30)]
        ids = data(await agent.call_tool("submit_tasks", {"tasks": many}))["changes"]
        assert len(ids) == 30
        await at.cluster.settle()
        listed = data(await agent.call_tool("list_tasks", {}))
        assert len(msgspec.json.encode(listed)) < 6000
        assert listed["left_out"] + len(listed["tasks"]) == 20
        lines = data(await agent.call_tool("logs", {"id": made["id"], "stream": "out"}))
        assert lines["lines"] == []


async def test_what_a_batch_refuses_stands_beside_what_it_takes() -> None:
    async with bench([echo]) as at, at.connect() as agent:
        tasks = [{"skill": "echo", "id": "a"}, {"skill": "echo", "params": {"text": "x"}, "id": "b", "user": "root"}]
        answer = data(await agent.call_tool("submit_tasks", {"tasks": tasks}))
        first, second = answer["changes"]
        assert "text" in first["refusal"]
        assert second == {"id": "b", "status": "submitted"}
        assert (await at.person.task("b")).user == "mcp", "an agent speaks for its user only"
        wrong = await agent.call_tool("submit_tasks", {"tasks": [{"skill": "echo", "colour": "red"}]})
        assert "colour" in said(wrong)


@skill("shouting")
async def shouting(task: Task) -> dict[str, Any]:
    return await task.save_file("loud.txt", (await task.file("text").read()).decode().upper().encode())


async def test_files_are_given_as_text_and_read_in_pages() -> None:
    async with bench([shouting]) as at, at.connect() as agent:
        asked = {"skill": "shouting", "files": {"text": "héllo " * 1000}, "wait": "9s"}
        id = data(await agent.call_tool("submit_task", asked))["id"]
        rows = data(await agent.call_tool("files", {"id": id}))["files"]
        assert {row["name"] for row in rows} == {"text", "loud.txt"}
        text, offset = "", 0
        while offset is not None:
            asked = {"id": id, "name": "loud.txt", "offset": offset, "limit": 4000}
            page = data(await agent.call_tool("read_file", asked))
            text, offset = text + page["text"], page.get("next_offset")
        assert text.startswith("HÉLLO HÉLLO")
        assert "has no file" in said(await agent.call_tool("read_file", {"id": id, "name": "../../etc/passwd"}))


async def test_many_tasks_are_changed_by_a_filter() -> None:
    async with bench(groups=ALL, allow_destructive=True) as at, at.connect() as agent:
        ids = {(await at.person.submit("nobody", tags=["old"])).id for _ in range(5)}
        kept = (await at.person.submit("nobody")).id
        asked = {"change": "cancel", "tag": "old"}
        planned = data(await agent.call_tool("change_tasks", asked | {"dry_run": True}))
        assert {row["id"] for row in planned["changes"]} == ids
        done = data(await agent.call_tool("change_tasks", asked))
        assert {row["status"] for row in done["changes"]} == {"cancelled"}
        assert done["changed"] == 5
        assert (await at.person.task(kept)).status == "pending"
        assert "ids or a filter" in said(await agent.call_tool("change_tasks", {"change": "cancel"}))


async def test_notes_are_remembered_found_and_changed() -> None:
    async with bench() as at, at.connect() as agent:
        id = data(await agent.call_tool("remember", {"text": "The backup runs at 03:00 in Berlin", "tags": ["ops"]}))[
            "id"
        ]
        hits = data(await agent.call_tool("recall", {"text": "when does the backup run"}))["memories"]
        assert [hit["id"] for hit in hits] == [id]
        assert hits[0]["owner"] == "mcp"
        assert data(await agent.call_tool("get_memory", {"id": id}))["text"].startswith("The backup")
        assert "03:00" in data(await agent.call_tool("context", {"text": "backup", "tokens": 200}))["text"]
        planned = data(await agent.call_tool("forget", {"ids": [id], "dry_run": True}))
        assert planned["ids"] == [id]
        said_ = data(await agent.call_tool("say", {"conversation": "c1", "text": "I like green tea"}))
        assert said_["message"]


async def test_every_tool_that_only_reads_answers_as_its_schema_says() -> None:
    """The client of the SDK checks each answer against the schema."""
    async with bench([echo, failing], groups=ALL) as at, at.connect() as agent:
        id = data(await agent.call_tool("submit_task", {"skill": "echo", "params": {"text": "x"}, "wait": "9s"}))["id"]
        memory = data(await agent.call_tool("remember", {"text": "x is a letter"}))["id"]
        by_name: dict[str, dict[str, Any]] = {
            **{
                name: {"id": id}
                for name in ("get_task", "why", "history", "diff", "task_tree", "get_result", "logs", "files")
            },
            **{name: {"id": id} for name in ("wait_task", "working_memory")},
            "about": {"name": "x"},
            "events": {"after": 0},
            **{name: {"text": "letter"} for name in ("recall", "context")},
            **{name: {"id": memory} for name in ("get_memory", "memory_history")},
        }
        others = {
            "ask_task",
            "blob",
            "get_dead_letter",
            "read_file",
            "get_workflow",
            "workflow_diagram",
            "check_workflow",
            "compact",
        }
        # Only a real cluster has a server to check, and a process that builds views of the past.
        others |= {"doctor", "past_tasks", "past_status", "past_nodes", "past_stats"}
        for tool in tools_for(McpOptions(groups=ALL, read_only=True)).values():
            if tool.name not in others:
                assert data(await agent.call_tool(tool.name, by_name.get(tool.name, {}))) is not None, tool.name


def keywords(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        for name, value in schema.items():
            yield name
            if name == "properties":
                for each in value.values():
                    yield from keywords(each)
            elif name not in ("default", "required", "enum"):
                yield from keywords(value)


@pytest.mark.parametrize("tool", ALL_TOOLS, ids=lambda tool: tool.name)
def test_schemas_are_what_all_clients_take(tool: Any) -> None:
    plain = {"type", "properties", "required", "additionalProperties", "description", "default", "items", "enum"}
    plain |= {"minimum", "maximum", "minItems", "maxItems"}
    for schema in (tool.input_schema, tool.output_schema):
        assert schema["type"] == "object"
        assert "properties" in schema
        assert set(keywords(schema)) <= plain
    encoded = msgspec.json.encode([tool.input_schema, tool.output_schema]).decode()
    assert encoded.count('"type":"array"') <= encoded.count('"items"')
    assert tool.description
    assert len(tool.description) < 700
    assert tool.group in GROUPS
    assert tool.effect != "read" or tool.idempotent


def test_names_are_one_each_and_few_by_default() -> None:
    assert len({tool.name for tool in ALL_TOOLS}) == len(ALL_TOOLS)
    assert len(tools_for(McpOptions(groups=DEFAULT_GROUPS))) <= 35, "some editors show 40 tools of all servers together"
    for name in ("submit_task", "get_task", "list_tasks", "why", "cancel", "signal", "approve", "remember", "recall"):
        assert name in tools_for(McpOptions()), "interface.md promises it"


async def test_where_no_cluster_runs_every_call_says_so_and_the_server_goes_on() -> None:
    class Absent(Fixed):
        async def client(self) -> Any:
            raise Unavailable("no cluster runs on /data: start one with `claw up`")

    async with bench([echo]) as at:
        source = at.service._source
        at.service._source = Absent(at.agent)
        async with at.connect() as agent:
            assert len((await agent.list_tools()).tools) > 20
            answer = await agent.call_tool("status", {})
            assert said(answer).startswith("unavailable: no cluster runs on /data")
            with pytest.raises(Exception, match="no cluster runs"):
                await agent.list_resources()
            at.service._source = source
            assert data(await agent.call_tool("status", {}))["nodes"]["online"] == 1


async def test_a_tool_that_is_at_fault_shows_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Fixed):
        async def client(self) -> Any:
            raise ZeroDivisionError("division by zero")

    async with bench() as at:
        at.service._source = Broken(at.agent)
        async with at.connect() as agent:
            answer = await agent.call_tool("status", {})
        assert said(answer).startswith("internal: ZeroDivisionError")
        assert "Traceback" not in said(answer)
        assert "Traceback" in caplog.text
