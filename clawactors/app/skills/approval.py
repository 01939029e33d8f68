"""`ask-approval`: asks people, and returns their answer."""

from typing import Any, Final

from clawactors.runtime.node.context import TaskContext
from clawactors.systems.skills import skill

__all__ = ["ask_approval"]

_TIMEOUT: Final = "1h"


@skill("ask-approval")
async def ask_approval(task: TaskContext, question: str, timeout: str = _TIMEOUT) -> dict[str, Any]:  # noqa: ASYNC109
    """Asks people the question; returns `approved`, `by` and `comment`. Without an answer in time it is denied."""
    answer = await task.approve(question, timeout=timeout)
    return {"approved": answer.approved, "by": answer.by, "comment": answer.comment}
