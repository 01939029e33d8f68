"""Tasks: `/api/v1/tasks`, and lists of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody, QueryParameter

from clawactors.app.cli.request import RequestLine, request_of
from clawactors.app.web.answers import check_match, paged, submitted, versioned
from clawactors.app.web.parameters import (
    At,
    Claw,
    Cursor,
    Fresh,
    IfMatch,
    IfNoneMatch,
    InPath,
    Key,
    Limit,
    Prefer,
    Several,
    TaskSelection,
    Text,
    Time,
    Until,
    as_of,
    check_user,
    moment,
    place,
    task_selection,
    until,
    wait_of,
    words,
)
from clawactors.app.web.routes.edits import TaskEdit, changes_of
from clawactors.app.web.waiting import row_when_ended
from clawactors.kernel.errors import Refused
from clawactors.kernel.fold import Snapshot
from clawactors.runtime.client.archivedrows import ArchivedRow
from clawactors.runtime.client.rows import Page, TaskRow, task_row
from clawactors.systems.tasks import Task

__all__ = ["TaskListRoutes", "TaskRoutes"]


@asynccontextmanager
async def _matching(claw: Claw, id: str, if_match: str) -> AsyncIterator[Snapshot[Task]]:
    """The task at the version that is wanted, for a change of it.

    Raises: `HttpProblem` (412) where it is at another one, or is by the time that the change is refused.
    """
    known = await claw.snapshot(id, brief=True)
    check_match(known.version, if_match)
    try:
        yield known
    except Refused:
        check_match((await claw.snapshot(id, brief=True)).version, if_match)
        raise


class TaskRoutes(Controller):
    """What can be asked of tasks, and how they are made."""

    path = "/tasks"
    tags = ["tasks"]  # noqa: RUF012 # as litestar declares it

    @get(operation_id="tasks", dependencies={"selected": Provide(task_selection, sync_to_thread=False)})
    async def tasks(
        self,
        request: Request[Any, Any, Any],
        claw: Claw,
        selected: NamedDependency[TaskSelection],
        limit: Limit = 100,
        cursor: Cursor = "",
        fresh: Fresh = False,
        at: At = "",
    ) -> Response[Page[TaskRow]]:
        """A page of the tasks that match, newest first; `Link` names the next one."""
        page = await as_of(claw, at).tasks(**selected.wanted, limit=limit, cursor=cursor, fresh=fresh)
        return paged(request, page)

    @get("/{id:str}", operation_id="task")
    async def task(self, claw: Claw, id: InPath, at: At = "", if_none_match: IfNoneMatch = "") -> Response[TaskRow]:
        """The task as it is now, or was then."""
        return versioned(await claw.task(id, **await place(claw, "at", at)), if_none_match)

    @post(operation_id="submit")
    async def submit(
        self, claw: Claw, data: JSONBody[RequestLine], idempotency_key: Key = "", prefer: Prefer = ""
    ) -> Response[TaskRow]:
        """Submits a task: 201 with its row, 200 where the same one was there.

        With an `Idempotency-Key`, or a `key` or an `id` in the body, the same content again finds the same task, and
        another content is refused (409).
        """
        check_user(claw, data.user)
        made = await claw.submit_one(request_of(data, key=idempotency_key))
        row, wait_s = made.row, wait_of(prefer)
        if wait_s is not None:
            row = await row_when_ended(claw, row.id, wait_s)
        answer = submitted(row, status_code=201 if made.new else 200)
        if wait_s is not None:
            answer.headers["Preference-Applied"] = f"wait={wait_s:g}"
        return answer

    @patch("/{id:str}", operation_id="edit")
    async def edit(self, claw: Claw, id: InPath, data: JSONBody[TaskEdit], if_match: IfMatch = "") -> Response[TaskRow]:
        """Changes the fields that are given, before the task's first run."""
        check_user(claw, data.user)
        if not (changes := changes_of(data)):
            raise Refused('nothing to change: name the fields that change, as in {"priority": "high"}')
        if not if_match:
            return versioned(task_row(id, await claw.edit(id, **changes)))
        async with _matching(claw, id, if_match) as known:
            return versioned(task_row(id, await claw.edit(id, of=known, **changes)))

    @delete("/{id:str}", operation_id="delete", status_code=200)
    async def delete(self, claw: Claw, id: InPath, if_match: IfMatch = "") -> Response[TaskRow]:
        """Deletes a task that no node runs; its history stays."""
        if not if_match:
            return versioned(task_row(id, await claw.delete(id)))
        async with _matching(claw, id, if_match) as known:
            return versioned(task_row(id, await claw.delete(id, version=known.version)))


class TaskListRoutes(Controller):
    """Other lists of tasks. They have paths of their own, because a task may have any name."""

    path = "/"
    tags = ["tasks"]  # noqa: RUF012 # as litestar declares it

    @get("/count", operation_id="count", dependencies={"selected": Provide(task_selection, sync_to_thread=False)})
    async def count(
        self,
        claw: Claw,
        selected: NamedDependency[TaskSelection],
        fresh: Fresh = False,
        at: At = "",
        most: Annotated[int, QueryParameter(ge=0, description="where counting takes long it ends at so many")] = 0,
    ) -> dict[str, int]:
        """How many tasks match, as `{"count": 12}`; those in the archive don't."""
        return {"count": await as_of(claw, at).count(fresh=fresh, most=most, **selected.wanted)}

    @get("/pending", operation_id="pending")
    async def pending(
        self,
        request: Request[Any, Any, Any],
        claw: Claw,
        limit: Limit = 100,
        cursor: Cursor = "",
        fresh: Fresh = False,
        at: At = "",
    ) -> Response[Page[TaskRow]]:
        """A page of the pending tasks, by priority, then by age."""
        return paged(request, await as_of(claw, at).pending(limit=limit, cursor=cursor, fresh=fresh))

    @get("/archived", operation_id="archived")
    async def archived(
        self,
        request: Request[Any, Any, Any],
        claw: Claw,
        ended: Several = None,
        user: Text = "",
        skill: Text = "",
        since: Time = "",
        until_: Until = "",
        limit: Limit = 100,
        cursor: Cursor = "",
        fresh: Fresh = False,
    ) -> Response[Page[ArchivedRow]]:
        """A page of the tasks in the archive, newest first."""
        page = await claw.archived(
            ended=words(ended),
            user=user,
            skill=skill,
            since=moment("since", since),
            until=until("until", until_),
            limit=limit,
            cursor=cursor,
            fresh=fresh,
        )
        return paged(request, page)

    @get("/ids", operation_id="ids")
    async def ids(
        self,
        claw: Claw,
        start: Annotated[str, QueryParameter(description="how they begin")] = "",
        limit: Limit = 100,
        fresh: Fresh = False,
    ) -> Page[str]:
        """The ids of tasks that begin so, sorted."""
        return Page(tuple(await claw.ids(start, limit=limit, fresh=fresh)))
