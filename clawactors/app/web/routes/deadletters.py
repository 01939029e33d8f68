"""What came to nothing and is kept: `/api/v1/dead-letters`."""

from typing import Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.params import JSONBody

from clawactors.app.web.answers import paged
from clawactors.app.web.parameters import Claw, Cursor, InPath, Limit, Several, Text, Time, moment, words
from clawactors.runtime.client.deadletterrows import DeadLetterDetail, DeadLetterReport, DeadLetterRow
from clawactors.runtime.client.rows import Page

__all__ = ["DeadLetterRoutes"]


class DeadLetterBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which of them."""

    ids: list[str]


class DeadLetterRoutes(Controller):
    """Dead tasks, failed deliveries, refused commands, records that nobody can read."""

    path = "/dead-letters"
    tags = ["tasks"]  # noqa: RUF012 # as litestar declares it

    @get(operation_id="dead_letters.list")
    async def dead_letters(
        self,
        request: Request[Any, Any, Any],
        claw: Claw,
        kind: Several = None,
        skill: Text = "",
        error: Text = "",
        since: Time = "",
        limit: Limit = 100,
        cursor: Cursor = "",
    ) -> Response[Page[DeadLetterRow]]:
        """A page of them: tasks first, then deliveries, commands and records; of each kind the newest first."""
        page = await claw.dead_letters.list(
            kind=words(kind), skill=skill, error=error, since=moment("since", since), limit=limit, cursor=cursor
        )
        return paged(request, page)

    @get("/{id:str}", operation_id="dead_letters.get")
    async def dead_letter(self, claw: Claw, id: InPath) -> DeadLetterDetail:
        """One of them, with its body or its task."""
        return await claw.dead_letters.get(id)

    @post("/redrive", operation_id="dead_letters.redrive", status_code=200)
    async def redrive(self, claw: Claw, data: JSONBody[DeadLetterBody]) -> Page[DeadLetterReport]:
        """Tries them again; what can't be is left, with the reason."""
        return Page(tuple(await claw.dead_letters.redrive(data.ids)))

    @post("/drop", operation_id="dead_letters.drop", status_code=200)
    async def drop(self, claw: Claw, data: JSONBody[DeadLetterBody]) -> Page[DeadLetterReport]:
        """Keeps them no longer: dead tasks are deleted, their histories stay readable."""
        return Page(tuple(await claw.dead_letters.drop(data.ids)))
