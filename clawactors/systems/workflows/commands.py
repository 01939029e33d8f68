"""What can be asked of a workflow."""

from typing import Any

import msgspec

__all__ = ["AddWorkflow", "RemoveWorkflow", "WorkflowCommand"]


class AddWorkflow(msgspec.Struct, frozen=True):
    """Add this definition as its newest version; the JSON of it, or a reference."""

    definition: dict[str, Any]
    by: str = ""


class RemoveWorkflow(msgspec.Struct, frozen=True):
    """Offer it no longer."""

    by: str = ""


type WorkflowCommand = AddWorkflow | RemoveWorkflow
"""What `decide` takes."""
