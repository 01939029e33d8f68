"""Changes of tasks: of one, `/api/v1/tasks/{id}/…`, and of many."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, post
from litestar.params import Body, JSONBody
from msgspec.structs import replace

from clawactors.app.problem import Problem
from clawactors.app.web.answers import json_of, submitted, versioned
from clawactors.app.web.confined import check_own, confined_to
from clawactors.app.web.parameters import Claw, InPath, Key, check_user, moment, task_selection
from clawactors.kernel.fold import Snapshot
from clawactors.runtime.client.asking import AskFailed
from clawactors.runtime.client.listing import TaskFilters
from clawactors.runtime.client.rows import TaskRow, task_row
from clawactors.runtime.client.selecting import ChangeName, ChangeSummary
from clawactors.runtime.naming import id_of_key
from clawactors.systems.tasks import Task

__all__ = ["ManyTasksRoutes", "TaskChangeRoutes"]


class _TaskBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class CancelBody(_TaskBody, frozen=True):
    """`undo`: its done steps are undone first; `now`: its code has no time to clean up."""

    undo: bool = False
    now: bool = False


class RetryBody(_TaskBody, frozen=True):
    """`deadline`: a new one, ISO 8601, '' for none."""

    deadline: str | None = None


class ForkBody(_TaskBody, frozen=True):
    """`step`: the new task has all steps before this one; `id`: that of the new task."""

    step: str
    id: str | None = None


class AnswerBody(_TaskBody, frozen=True):
    """`name`: of the question, where the task asks several; `comment`: why."""

    name: str = ""
    comment: str = ""


class AskBody(_TaskBody, frozen=True):
    """`args`: what the function is called with; `timeout`: how long its answer may take, as in `10s`."""

    args: list[Any] = []
    timeout: str = "10s"


class FilterBody(_TaskBody, frozen=True):
    """What tasks are selected by, as in `GET /api/v1/tasks`."""

    status: list[str] = []
    node: str = ""
    user: str = ""
    skill: str = ""
    tag: str = ""
    parent: str = ""
    error: str = ""
    interrupted: bool = False
    text: str = ""
    silent: str = ""
    since: str = ""
    until: str = ""

    def filters(self) -> TaskFilters:
        """As the client takes them. Raises: `InvalidQuery`."""
        return task_selection(**msgspec.structs.asdict(self)).wanted


class ChangeBody(_TaskBody, frozen=True):
    """`change` is applied to the tasks with these `ids` or by this `filter`, at most `limit` of them."""

    change: ChangeName
    ids: list[str] = []
    filter: FilterBody | None = None
    limit: int = 1000
    dry_run: bool = False
    undo: bool = False
    now: bool = False
    deadline: str | None = None
    rate_per_s: float | None = None


def _deadline_ns(text: str | None) -> int | None:
    return None if text is None else moment("deadline", text) or 0


class TaskChangeRoutes(Controller):
    """Each answers with the task after the change, without its steps."""

    path = "/tasks/{id:str}"
    tags = ["tasks"]  # noqa: RUF012 # as litestar declares it

    @post("/cancel", operation_id="cancel", status_code=200)
    async def cancel(self, claw: Claw, id: InPath, data: JSONBody[CancelBody | None] = None) -> Response[TaskRow]:
        """Cancels the task; running code cleans up first, and then its status is `cancelled`."""
        asked = data or CancelBody()
        return _after(id, await claw.cancel(id, undo=asked.undo, now=asked.now))

    @post("/pause", operation_id="pause", status_code=200)
    async def pause(self, claw: Claw, id: InPath) -> Response[TaskRow]:
        """Pauses the task; running code stops at its next step."""
        return _after(id, await claw.pause(id))

    @post("/resume", operation_id="resume", status_code=200)
    async def resume(self, claw: Claw, id: InPath) -> Response[TaskRow]:
        """Resumes a paused task."""
        return _after(id, await claw.resume(id))

    @post("/retry", operation_id="retry", status_code=200)
    async def retry(
        self, claw: Claw, id: InPath, data: JSONBody[RetryBody | None] = None, idempotency_key: Key = ""
    ) -> Response[TaskRow]:
        """Retries a failed, dead, cancelled or blocked task."""
        return _after(
            id, await claw.retry(id, deadline_ns=_deadline_ns(data.deadline if data else None), key=idempotency_key)
        )

    @post("/redrive", operation_id="redrive", status_code=200)
    async def redrive(self, claw: Claw, id: InPath) -> Response[TaskRow]:
        """Retries the task if it is dead."""
        [report] = await claw.redrive(id)
        if report.task is None:
            raise Problem("refused", f"task {id} was left as it is: {report.left}", f"claw why {id} says more")
        return _after(id, report.task)

    @post("/fork", operation_id="fork", status_code=201)
    async def fork(
        self, claw: Claw, id: InPath, data: JSONBody[ForkBody], idempotency_key: Key = ""
    ) -> Response[TaskRow]:
        """A new task that has the steps before this one; answers with its row."""
        new_id = data.id if data.id is not None or not idempotency_key else id_of_key(idempotency_key)
        return submitted(await claw.task((await claw.fork(id, data.step, new_id=new_id)).id))

    @post("/approve", operation_id="approve", status_code=200)
    async def approve(self, claw: Claw, id: InPath, data: JSONBody[AnswerBody | None] = None) -> Response[TaskRow]:
        """Approves what the task asks for."""
        asked = data or AnswerBody()
        return _after(id, await claw.approve(id, asked.name, asked.comment))

    @post("/deny", operation_id="deny", status_code=200)
    async def deny(self, claw: Claw, id: InPath, data: JSONBody[AnswerBody | None] = None) -> Response[TaskRow]:
        """Denies what the task asks for."""
        asked = data or AnswerBody()
        return _after(id, await claw.deny(id, asked.name, asked.comment))

    @post("/signals/{name:str}", operation_id="signal", status_code=200)
    async def signal(
        self,
        claw: Claw,
        id: InPath,
        name: InPath,
        data: Annotated[Any, Body(description="the payload: any JSON, or nothing")] = None,
        idempotency_key: Key = "",
    ) -> Response[TaskRow]:
        """Sends the task a signal; signals are kept in order until its code takes them."""
        return _after(id, await claw.signal(id, name, data, key=idempotency_key))

    @post("/ask/{name:str}", operation_id="ask_task", status_code=200, media_type="application/json")
    async def ask(self, claw: Claw, id: InPath, name: InPath, data: JSONBody[AskBody | None] = None) -> Response[Any]:
        """What the task's code answers, as JSON; nothing is recorded."""
        asked = data or AskBody()
        try:
            return json_of(await claw.ask_task(id, name, *asked.args, timeout=asked.timeout))
        except AskFailed as failed:
            text = f"the answer {name!r} of task {id} raised {failed.error.kind}: {failed.error.message}"
            raise Problem("failed", text, f"claw logs {id} shows what it printed") from None


class ManyTasksRoutes(Controller):
    """Changes of many tasks."""

    path = "/tasks"
    tags = ["tasks"]  # noqa: RUF012 # as litestar declares it

    @post("/change", operation_id="change_tasks", status_code=200)
    async def change(self, request: Request[Any, Any, Any], claw: Claw, data: JSONBody[ChangeBody]) -> ChangeSummary:
        """Cancels, pauses, resumes, retries, deletes or redrives many tasks; one refusal does not stop the others.

        With `dry_run` it only lists them. `more` says that the limit has left some out.
        """
        wanted = data.filter or FilterBody()
        if user := confined_to(request.scope["state"]["asker"]):
            await check_own(claw, data.ids)
            check_user(claw, wanted.user)
            wanted = replace(wanted, user=user) if wanted != FilterBody() else wanted
        return await claw.change_tasks(
            data.change,
            ids=data.ids,
            limit=data.limit,
            dry_run=data.dry_run,
            undo=data.undo,
            now=data.now,
            deadline_ns=_deadline_ns(data.deadline),
            rate_per_s=data.rate_per_s,
            **wanted.filters(),
        )


def _after(id: str, known: Snapshot[Task]) -> Response[TaskRow]:
    return versioned(task_row(id, known))
