"""`workflow`: runs one instance of a workflow."""

from typing import Any

from clawactors.runtime.node.context import TaskContext
from clawactors.systems.skills import skill

__all__ = ["workflow_skill"]


@skill("workflow")
async def workflow_skill(
    task: TaskContext,
    workflow: str = "",
    params: dict[str, Any] | None = None,
    version: int | None = None,
    definition: dict[str, Any] | None = None,
) -> Any:
    """Runs the workflow of that name, by default its newest version, or a definition; returns its result."""
    from clawactors.runtime.node.workflows import run_workflow

    return await run_workflow(task, workflow, params or {}, version, definition)
