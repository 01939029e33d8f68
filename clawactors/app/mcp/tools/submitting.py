"""Tools that make tasks and wait for them."""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from clawactors.app.cli.missing import missing
from clawactors.app.cli.request import request_of_line
from clawactors.app.mcp.calling import CallContext
from clawactors.app.mcp.cutting import sparse
from clawactors.app.mcp.following import answer_when_ended, submitted_answer, task_answer
from clawactors.app.mcp.shapes import CHANGES, TASK, listed, shape
from clawactors.app.mcp.tooling import Duration, Moment, Names, Payload, TaskId, mcp_tool, seconds, when_ns

__all__ = ["CALLERS", "RISKY", "TOOLS"]

RISKY: Final = frozenset(("shell", "python", "install-package", "migrate-table"))
"""Built-in skills that run any code, or change machines: a person is asked before an agent submits one."""

CALLERS: Final = frozenset(("workflow", "agent"))
"""Built-in skills that run others, of which their parameters may tell."""

_NAMED_WORKFLOW: Final = frozenset(("workflow", "params", "version"))
"""The parameters of one that a person has added."""

_WAIT_S: Final = 30.0

type _Skill = Annotated[str, Meta(description="The name of a skill; the tool skills lists those that nodes offer")]
type _Params = Annotated[Payload, Meta(description="The parameters of the skill")]
type _Id = Annotated[str, Meta(description="An id of your own; the same id and content again returns the same task")]
type _Key = Annotated[str, Meta(description="An idempotency key: the same call again makes no second task")]
type _After = Annotated[Names, Meta(description="Ids of tasks that must complete first")]
type _Files = Annotated[dict[str, str], Meta(description="Text files for the task: the parameter, and the content")]
type _Wait = Annotated[str, Meta(description="Wait for its end, at most so long: 30s, 5m; by default it does not wait")]
type _WaitOn = Annotated[str, Meta(description="Wait for its end, at most so long: 30s, 5m")]
type _OnCancel = Annotated[
    Literal["cancel", "leave"], Meta(description="What happens to the task if this call is cancelled while it waits")
]
type _Line = Annotated[Payload, Meta(description="A task: skill, params, id, after, name, priority, tags, …")]


def _is_risky(arguments: Any) -> bool:
    """True for what runs any code, be it by the steps or the tools that its parameters name."""
    skill, params = arguments.get("skill"), arguments.get("params") or {}
    if skill == "workflow":
        return not (isinstance(params, dict) and params.keys() <= _NAMED_WORKFLOW) or bool(arguments.get("files"))
    if skill == "agent":
        tools = params.get("tools") if isinstance(params, dict) else None
        told = isinstance(params, dict) and not any(name.startswith("$") for name in params)
        return not told or bool(arguments.get("files")) or any(each in CALLERS | RISKY for each in _listed(tools))
    return skill in RISKY


def _listed(tools: Any) -> list[str]:
    return [str(each) for each in tools] if isinstance(tools, list) else [] if tools is None else sorted(RISKY)


def _any_is_risky(arguments: Any) -> bool:
    return any(map(_is_risky, arguments["tasks"]))


@mcp_tool("Submit a task", "tasks", "change", returns=TASK, asks=_is_risky)
async def submit_task(
    call: CallContext,
    *,
    skill: _Skill,
    params: _Params = {},  # noqa: B006 # read for its type only
    id: _Id = "",
    key: _Key = "",
    name: str = "",
    description: str = "",
    priority: Literal["low", "normal", "high", "urgent"] = "normal",
    requires: Names = [],  # noqa: B006
    prefers: Names = [],  # noqa: B006
    affinity: dict[str, str] = {},  # noqa: B006
    tags: Names = [],  # noqa: B006
    metadata: Payload = {},  # noqa: B006
    after: _After = [],  # noqa: B006
    on_dead: Annotated[
        Literal["block", "fail", "run"], Meta(description="What follows if a task of `after` is dead")
    ] = "block",
    delay: Duration = "",
    at: Moment = "",
    deadline: Moment = "",
    timeout: Duration = "",  # noqa: ASYNC109 # that of the task
    retries: Annotated[int, Meta(description="Retries after the first attempt; -1 for the default", ge=-1)] = -1,
    files: _Files = {},  # noqa: B006
    wait: _Wait = "",
    on_cancel: _OnCancel = "cancel",
) -> dict[str, Any]:
    """Submits a durable task of a skill: it survives crashes and is retried. Returns the task.

    With `wait` it returns when the task has ended, or after that time with `ended` false: then call wait_task. The
    progress of the task is the progress of this call. Cancelling this call cancels the task, unless on_cancel is leave.
    """
    wait_s, client = seconds(wait, "wait"), await call.client()
    ref = await client.submit(
        skill,
        params,
        id=id or None,
        key=key or None,
        delay_s=seconds(delay, "delay"),
        files={each: text.encode("utf-8", "replace") for each, text in files.items()},
        name=name,
        description=description,
        priority=priority,
        requires=requires,
        prefers=prefers,
        affinity=affinity,
        tags=tags,
        metadata=metadata,
        after=after,
        on_dead=on_dead,
        not_before_ns=when_ns(at, "at") or 0,
        deadline_ns=when_ns(deadline, "deadline") or 0,
        timeout_s=seconds(timeout, "timeout"),
        max_retries=None if retries < 0 else retries,
    )
    warning = "; ".join(await missing(client, skill, params, "the task"))
    warned: dict[str, Any] = {"warning": warning} if warning else {}
    return await submitted_answer(call, ref, wait_s, leave=on_cancel == "leave") | warned


@mcp_tool("Submit many tasks", "tasks", "change", returns=CHANGES, asks=_any_is_risky)
async def submit_tasks(
    call: CallContext, *, tasks: Annotated[list[_Line], Meta(max_length=1000, description="The tasks")]
) -> dict[str, Any]:
    """Submits many tasks at once, also with predecessors among them. A refusal holds up only what comes after it.

    Each task is an object with skill, and optionally params, id, key, name, description, priority, requires, prefers,
    affinity, tags, metadata, after, on_dead, delay, at, deadline, timeout, retries, as in submit_task. Returns for each
    its id, and the refusal if there is one.
    """
    client = await call.client()
    own = {"user": client.user}
    requests = [request_of_line(msgspec.json.encode(line | own)) for line in tasks]
    batch = await client.submit_many(requests)
    refusals = {rejected.index: rejected.message for rejected in batch.refused}
    rows = [
        {"id": request.id} | ({"refusal": refusals[number]} if number in refusals else {"status": "submitted"})
        for number, request in enumerate(requests)
    ]
    return {"changes": rows, "submitted": batch.submitted, "existing": batch.existing}


@mcp_tool("Wait for a task", "tasks", returns=TASK)
async def wait_task(call: CallContext, *, id: TaskId, wait: _WaitOn = "30s") -> dict[str, Any]:
    """Waits until a task has ended or needs a person, at most so long, and returns it with its result.

    `ended` is false where it is still under way: call again. Cancelling this call leaves the task alone.
    """
    return await answer_when_ended(call, id, seconds(wait, "wait", _WAIT_S) or 0.0)


@mcp_tool("Fork a task", "tasks", "change", returns=TASK)
async def fork(
    call: CallContext,
    *,
    id: TaskId,
    step: Annotated[str, Meta(description="The step that runs again; get_task lists the steps")],
    new_id: _Id = "",
) -> dict[str, Any]:
    """Starts a new task that inherits the steps of another one before this step. Returns the new task."""
    ref = await (await call.client()).fork(id, step, new_id=new_id or None)
    return await task_answer(call, ref.id)


@mcp_tool("Change a pending task", "details", "destroy", returns=TASK)
async def edit(
    call: CallContext,
    *,
    id: TaskId,
    changes: Annotated[Payload, Meta(description="Fields to set: params, priority, name, description, tags, …")],
) -> dict[str, Any]:
    """Changes fields of a task before it first runs."""
    if "user" in changes:
        changes = {name: value for name, value in changes.items() if name != "user"}
    await (await call.client()).edit(id, **changes)
    return await task_answer(call, id)


@mcp_tool("List skills", "cluster", returns=listed("skills", shape({"name": {"type": "string"}})))
async def skills(call: CallContext, *, name: str = "") -> dict[str, Any]:
    """Lists the skills that nodes offer, with their parameters; with `name`, only that one."""
    rows = await (await call.client()).skills_known()
    return {"skills": [sparse(row) for row in rows if name in ("", row.name)]}


TOOLS: Final = (submit_task, submit_tasks, wait_task, fork, edit, skills)
