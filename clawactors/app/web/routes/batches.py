"""Many tasks in one request: `POST /api/v1/tasks/batch`."""

from typing import Any, Final

import msgspec
from litestar import Controller, Request, post

from clawactors.app.batches import BatchReport
from clawactors.app.web.bodies import read_lines
from clawactors.app.web.parameters import Claw
from clawactors.app.web.problems import HttpProblem
from clawactors.eventlog import TooLarge

__all__ = ["BatchRoutes"]

_LIST_MAX_BYTES: Final = 64 << 20
_HELD_MAX_BYTES: Final = 64 << 20


class RejectedLine(msgspec.Struct, frozen=True):
    """A line that was refused, and why."""

    line: int
    id: str | None
    message: str


class BatchAnswer(msgspec.Struct, frozen=True):
    """How many tasks were made, how many were there, and which lines were refused."""

    submitted: int
    existing: int
    refused: tuple[RejectedLine, ...]


class BatchRoutes(Controller):
    """Submits many tasks."""

    path = "/tasks/batch"
    tags = ["tasks"]  # noqa: RUF012 # as litestar declares it

    @post(operation_id="submit_many", status_code=200, request_max_body_size=None)
    async def submit_many(self, request: Request[Any, Any, Any], claw: Claw) -> BatchAnswer:
        """Submits each task of a JSON list, or of JSON lines, which are read as they come; a refusal stops no other.

        A task is as in `POST /api/v1/tasks`; with `id` or `key` the same batch again makes nothing twice.
        """
        report = BatchReport(claw, _HELD_MAX_BYTES)
        try:
            async for lines in read_lines(request, _LIST_MAX_BYTES):
                await report.add(lines)
        except TooLarge:
            text = "too many lines are refused, or come after other tasks; what stands before them is submitted"
            raise HttpProblem(413, "refused", text, "send fewer lines at once, with ids or keys") from None
        return msgspec.convert(await report.end(), BatchAnswer)
