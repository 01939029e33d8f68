"""Tools that read tasks: rows, lists, histories, output, results."""

from contextlib import aclosing
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from clawactors.app.mcp.calling import CallContext
from clawactors.app.mcp.cutting import cut_text, fitted, sparse
from clawactors.app.mcp.following import task_answer
from clawactors.app.mcp.shapes import ANSWER, TASK, TASKS, listed, shape
from clawactors.app.mcp.tooling import Moment, Names, PastMoment, TaskId, mcp_tool, place
from clawactors.app.problem import Problem
from clawactors.kernel.time import iso
from clawactors.runtime.client.listing import TaskFilters
from clawactors.runtime.client.streaming import Chunk
from clawactors.runtime.output import LOG

__all__ = ["TOOLS", "chunk_row"]

_PAGE_CHARS: Final = 20_000
_STRING: Final = {"type": "string"}
_WHY: Final = shape({"id": _STRING, "status": _STRING, "reasons": {"type": "array", "items": _STRING}})

type _Limit = Annotated[int, Meta(ge=1, le=1000, description="At most so many")]
type _Cursor = Annotated[str, Meta(description="The cursor of the page before")]


@mcp_tool("Get a task", "tasks", returns=TASK)
async def get_task(call: CallContext, *, id: TaskId, at: PastMoment = "") -> dict[str, Any]:
    """Gets a task: status, parameters, steps, result or error. With `at`, its state at that moment."""
    if not at:
        return await task_answer(call, id)
    client = await call.client()
    return fitted(sparse(await client.task(id, **await place(client, at, "at"))), call.options.limit_chars)


@mcp_tool("List tasks", "tasks", returns=TASKS)
async def list_tasks(
    call: CallContext,
    *,
    status: Annotated[
        Names,
        Meta(description="pending, waiting, scheduled, running, blocked, paused, completed, failed, dead, cancelled"),
    ] = [],  # noqa: B006 # read for its type only
    skill: str = "",
    user: str = "",
    tag: str = "",
    node: str = "",
    parent: Annotated[str, Meta(description="The children of this task")] = "",
    error: Annotated[str, Meta(description="A class of errors, as in ConnectionError")] = "",
    text: Annotated[str, Meta(description="Words of the name or the last error; conn* for a beginning")] = "",
    since: Moment = "",
    until: Moment = "",
    limit: _Limit = 20,
    cursor: _Cursor = "",
) -> dict[str, Any]:
    """Lists tasks by any of these filters, newest first. `cursor` of the answer asks for the next page."""
    page = await (await call.client()).tasks(
        status=status,
        skill=skill,
        user=user,
        tag=tag,
        node=node,
        parent=parent,
        error=error,
        text=text,
        since=since or None,
        until=until or None,
        limit=limit,
        cursor=cursor,
        fresh=not cursor,
    )
    return call.rows("tasks", page, "get_task shows it")


@mcp_tool("Explain a task's state", "tasks", returns=_WHY)
async def why(call: CallContext, *, id: TaskId) -> dict[str, Any]:
    """Explains in sentences why a task is in its state, what it waits for, and what would help."""
    found = await (await call.client()).why(id)
    return {"reasons": list(found.reasons)} | sparse(found)


@mcp_tool("Get a task's history", "tasks", returns=listed("events"))
async def history(call: CallContext, *, id: TaskId, at: PastMoment = "") -> dict[str, Any]:
    """Lists every event of a task, oldest first: what happened, when, and who did it."""
    client = await call.client()
    entries = await client.history(id, **await place(client, at, "at"))
    return call.rows("events", (entry.row for entry in entries))


@mcp_tool("Show what changed in a task", "details", returns=ANSWER)
async def diff(call: CallContext, *, id: TaskId, begin: PastMoment = "", end: PastMoment = "") -> dict[str, Any]:
    """Shows what changed in a task between two moments, by default from its start to now."""
    client = await call.client()
    first, last = await place(client, begin, "begin"), await place(client, end, "end")
    moments = {"from_seq": first.get("at_seq"), "begin": first.get("at")}
    moments |= {"to_seq": last.get("at_seq"), "end": last.get("at")}
    found = await client.difference(id, **moments)
    return fitted(msgspec.to_builtins(found), call.options.limit_chars)


@mcp_tool("Show a task's children", "tasks", returns=listed("tasks"))
async def task_tree(call: CallContext, *, id: TaskId, limit: _Limit = 200) -> dict[str, Any]:
    """Lists a task, its children and theirs: the steps of a workflow, the tools that an agent has called."""
    tree = await (await call.client()).task_tree(id, limit=limit)
    return fitted({"tasks": [sparse(row) for row in tree.rows], "more": tree.more}, call.options.limit_chars)


@mcp_tool("Get a large result", "tasks", returns=shape({"text": _STRING}))
async def get_result(
    call: CallContext,
    *,
    id: TaskId,
    offset: Annotated[int, Meta(ge=0, description="Where the page begins, in characters")] = 0,
    limit: Annotated[int, Meta(ge=1, le=100_000, description="How many characters")] = _PAGE_CHARS,
) -> dict[str, Any]:
    """Gets the result of a completed task as JSON text, page by page, where get_task has cut it."""
    row = await (await call.client()).task(id)
    if row.status != "completed" and row.result is None:
        raise Problem("refused", f"task {id} has no result: it is {row.status}", "why explains, wait_task waits")
    text = msgspec.json.encode(row.result).decode()
    answer = {"text": text[offset : offset + limit], "offset": offset, "characters": len(text)}
    return answer | ({"next_offset": offset + limit} if offset + limit < len(text) else {})


@mcp_tool("Read a task's output", "tasks", returns=listed("lines"))
async def logs(
    call: CallContext,
    *,
    id: TaskId,
    stream: Annotated[str, Meta(description="log: what it printed and logged; out: what it emitted")] = LOG,
    after: Annotated[int, Meta(ge=0, description="Only what came after this position")] = 0,
    last: _Limit = 200,
) -> dict[str, Any]:
    """Reads the last lines of what a task printed and logged in the last seven days."""
    lines: list[dict[str, Any]] = []
    left, position = 0, after
    async with aclosing((await call.client()).ref(id).stream(stream, after=after, live=False)) as chunks:
        async for chunk in chunks:
            position = chunk.position
            lines.append(chunk_row(chunk))
            if len(lines) > last:
                del lines[0]
                left += 1
    answer: dict[str, Any] = {"lines": lines, "position": position}
    if left:
        answer["earlier"] = left
    return fitted(answer, call.options.limit_chars)


def chunk_row(chunk: Chunk) -> dict[str, Any]:
    """A piece of output; text without what a terminal would obey."""
    about = {"position": chunk.position, "at": iso(chunk.at_ns), "attempt": chunk.attempt}
    value = chunk.value
    if not isinstance(value, dict) or not isinstance(value.get("text"), str):
        return about | {"value": value}
    text = "".join(each if each.isprintable() or each in "\n\t" else " " for each in value["text"])
    level = {"level": value["level"]} if "level" in value else {}
    return about | level | {"text": cut_text(text, _PAGE_CHARS)}


@mcp_tool("Count tasks", "details", returns=shape({"count": {"type": "integer"}}))
async def count_tasks(
    call: CallContext,
    *,
    status: Names = [],  # noqa: B006
    skill: str = "",
    user: str = "",
    tag: str = "",
    error: str = "",
    since: Moment = "",
    until: Moment = "",
) -> dict[str, Any]:
    """Counts the tasks that match these filters, as in list_tasks."""
    wanted: TaskFilters = {"status": status, "skill": skill, "user": user, "tag": tag, "error": error}
    wanted |= {"since": since or None, "until": until or None}
    return {"count": await (await call.client()).count(fresh=True, **wanted)}


@mcp_tool("Ask a task's code", "details", returns=ANSWER)
async def ask_task(
    call: CallContext,
    *,
    id: TaskId,
    name: Annotated[str, Meta(description="What to ask, as the code names it in task.answer")],
    args: Annotated[list[Any], Meta(description="Arguments")] = [],  # noqa: B006
    timeout: str = "10s",  # noqa: ASYNC109 # the client has it
) -> dict[str, Any]:
    """Asks the code of a task that runs or waits; nothing is changed or recorded."""
    answer = await (await call.client()).ask_task(id, name, *args, timeout=timeout)
    return fitted({"answer": answer}, call.options.limit_chars)


TOOLS: Final = (
    get_task,
    list_tasks,
    why,
    history,
    diff,
    task_tree,
    get_result,
    logs,
    count_tasks,
    ask_task,
)
