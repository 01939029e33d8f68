"""What code gets of a child that ended without a result."""

import re

from clawactors.runtime.client.waiting import TaskFailed
from clawactors.systems.tasks.events import TaskError

__all__ = ["ChildFailed"]

_HEAD, _TAIL = 200, 600
"""Of a longer message the middle is left out: the cause stands at its end, however deep it was."""

_HINT = re.compile(r"; after `claw retry \S+`, retry this task$")


class ChildFailed(TaskFailed):
    """A child ended without a result. Its own policy has retried it, so a parent that raises this is not retried."""

    def __init__(self, id: str, status: str, error: TaskError | None) -> None:
        super().__init__(id, status, error)
        what = f": {error.kind}: {_shortened(error.message)}" if error else ""
        self.args = (f"child {id} is {status}{what}; after `claw retry {id}`, retry this task",)


def _shortened(message: str) -> str:
    message = _HINT.sub("", message)  # one, for the child itself, follows
    return message if len(message) <= _HEAD + _TAIL else f"{message[:_HEAD]} … {message[-_TAIL:]}"
