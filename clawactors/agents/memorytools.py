"""Tools that let a model look into memory and add to it, for the user of the task."""

from typing import Annotated

from clawactors.runtime.node.context import TaskContext

__all__ = ["recall", "remember"]

_TOKENS = 1000


async def recall(task: TaskContext, question: Annotated[str, "What you want to know, in one sentence"]) -> str:
    """Looks up what memory holds: earlier chats, notes and tasks of this user."""
    found = await task.context(question, tokens=_TOKENS)
    return str(found["text"]) or "Memory holds nothing on it."


async def remember(task: TaskContext, fact: Annotated[str, "One fact, in one sentence that stands alone"]) -> str:
    """Keeps a fact about this user for later conversations."""
    await task.remember(fact)
    return "remembered"
