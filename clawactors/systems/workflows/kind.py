"""The kind of workflows."""

from typing import Final

from clawactors.kernel.kind import Kind
from clawactors.systems.workflows import commands as c
from clawactors.systems.workflows import events as e
from clawactors.systems.workflows.decider import WORKFLOW, Workflow
from clawactors.systems.workflows.external import COMMANDS, command_of

__all__ = ["WORKFLOWS"]

WORKFLOWS: Final[Kind[c.WorkflowCommand, Workflow, e.WorkflowEvent]] = Kind(
    name="workflow", decider=WORKFLOW, codec=e.CODEC, command_decoder=COMMANDS, command_of=command_of
)
