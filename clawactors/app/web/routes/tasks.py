"""Tasks: `/api/v1/tasks`."""

from litestar import Controller, get
from litestar.params import Parameter

from clawactors.app.client import Client
from clawactors.runtime.client.rows import Page, TaskRow

__all__ = ["TaskRoutes"]


class TaskRoutes(Controller):
    """What can be asked of tasks, and done to them."""

    path = "/tasks"
    tags = ["tasks"]  # noqa: RUF012 # as litestar declares it

    @get()
    async def tasks(
        self,
        claw: Client,
        status: list[str] | None = None,
        skill: str = "",
        user: str = "",
        limit: int = Parameter(default=100, ge=1, le=1000),
        cursor: str = "",
    ) -> Page[TaskRow]:
        """A page of the tasks that match, newest first; `cursor` begins the next one."""
        return await claw.tasks(status=status or (), skill=skill, user=user, limit=limit, cursor=cursor)

    @get("/{id:str}")
    async def task(self, claw: Client, id: str) -> TaskRow:
        """The task as it is now."""
        return await claw.task(id)
