"""What code gets of a child that ended without a result."""

from clawactors.runtime.client.waiting import TaskFailed
from clawactors.systems.tasks.events import TaskError

__all__ = ["ChildFailed"]


class ChildFailed(TaskFailed):
    """A child ended without a result. Its own policy has retried it, so a parent that raises this is not retried."""

    def __init__(self, id: str, status: str, error: TaskError | None) -> None:
        super().__init__(id, status, error)
        what = f": {error.kind}: {error.message}" if error else ""
        self.args = (f"child {id} is {status}{what}; after `claw retry {id}`, retry this task",)
