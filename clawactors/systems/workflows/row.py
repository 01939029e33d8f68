"""A workflow as people and scripts read it. The keys are promises: extend freely, drop none."""

from typing import Any

from clawactors.kernel.time import iso
from clawactors.systems.workflows.decider import Workflow

__all__ = ["row"]


def row(name: str, version: int, workflow: Workflow) -> dict[str, Any]:
    """The row of a workflow: `latest` is its newest version, `definition` that of it, or a reference to it."""
    newest = workflow.find()
    return {
        "name": name,
        "status": workflow.status,
        "latest": newest.version if newest else 0,
        "definition": newest.definition if newest else {},
        "by": newest.by or None if newest else None,
        "added_at": iso(workflow.added_ns),
        "updated_at": iso(workflow.updated_ns),
        "version": version,
    }
