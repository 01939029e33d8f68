"""The attempt behind the handle that code holds, for skills that are a part of the product."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt
    from clawactors.runtime.node.context import TaskContext

__all__ = ["attempt_of"]


def attempt_of(context: "TaskContext") -> "Attempt":
    """The attempt whose code holds this."""
    return context._attempt
