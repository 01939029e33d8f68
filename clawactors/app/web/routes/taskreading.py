"""What is known of one task: `/api/v1/tasks/{id}/…`."""

from typing import Annotated, Any

from litestar import Controller, Response, get
from litestar.params import QueryParameter

from clawactors.app.web.answers import json_of
from clawactors.app.web.parameters import At, Claw, InPath, as_of, place, seconds
from clawactors.app.web.waiting import result_of
from clawactors.runtime.client.files import FileRow
from clawactors.runtime.client.reasons import Explanation
from clawactors.runtime.client.rows import Page, StepRow, TaskTree

__all__ = ["TaskReadingRoutes"]

_From = Annotated[
    str, QueryParameter(name="from", description="a sequence, a time, or a time ago; by default its start")
]
_To = Annotated[str, QueryParameter(name="to", description="a sequence, a time, or a time ago; by default now")]


class TaskReadingRoutes(Controller):
    """What happened to a task, why it is in its state, what it has returned."""

    path = "/tasks/{id:str}"
    tags = ["tasks"]  # noqa: RUF012 # as litestar declares it

    @get("/history", operation_id="history")
    async def history(self, claw: Claw, id: InPath, at: At = "") -> Page[dict[str, Any]]:
        """Every event of the task, oldest first, each with `seq`, `at`, `type` and what it says."""
        entries = await claw.history(id, **await place(claw, "at", at))
        return Page(tuple(entry.row for entry in entries))

    @get("/tree", operation_id="task_tree")
    async def tree(
        self, claw: Claw, id: InPath, limit: Annotated[int, QueryParameter(ge=1, le=10_000)] = 1000, at: At = ""
    ) -> TaskTree:
        """The task with its children and theirs, each before its own children."""
        return await as_of(claw, at).task_tree(id, limit=limit)

    @get("/why", operation_id="why")
    async def why(self, claw: Claw, id: InPath) -> Explanation:
        """Why the task is in its state, in sentences and as data."""
        return await claw.why(id)

    @get("/diff", operation_id="difference")
    async def diff(self, claw: Claw, id: InPath, begin: _From = "", end: _To = "") -> dict[str, Any]:
        """What changed between two moments: in `changed` the fields before and after, in `events` what happened."""
        first, last = await place(claw, "from", begin), await place(claw, "to", end)
        found = await claw.difference(
            id, from_seq=first.get("at_seq"), begin=first.get("at"), to_seq=last.get("at_seq"), end=last.get("at")
        )
        return found.row

    @get("/steps", operation_id="steps")
    async def steps(self, claw: Claw, id: InPath, at: At = "") -> Page[StepRow]:
        """The steps of the task, in the order in which they began."""
        row = await claw.task(id, **await place(claw, "at", at))
        return Page(row.steps or ())

    @get("/result", operation_id="result", media_type="application/json")
    async def result(
        self,
        claw: Claw,
        id: InPath,
        wait: Annotated[str, QueryParameter(description="waits so long for the end, as in `30s`; 300 s at most")] = "",
    ) -> Response[Any]:
        """What the task has returned, as JSON; a problem (409, 504) with the task's row where there is nothing."""
        return json_of(await result_of(claw, id, seconds("wait", wait) or 0.0))

    @get("/files", operation_id="files.of")
    async def files(self, claw: Claw, id: InPath) -> Page[FileRow]:
        """The files of the task: those that it was given, and those that it has made."""
        return Page(tuple(await claw.files.of(id)))
