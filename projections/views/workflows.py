"""The workflows view."""

from typing import Final

from clawactors.projections.engine.named import NamedTables, named_view
from clawactors.systems.workflows import Workflow, WorkflowVersion
from clawactors.systems.workflows.row import row

__all__ = ["WORKFLOWS_VIEW"]

WORKFLOWS_VIEW: Final = named_view(NamedTables("workflow", "workflows", Workflow), Workflow, WorkflowVersion, row=row)
