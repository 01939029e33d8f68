"""Workflows: definitions of steps as data, each kept by name in versions that never change. Pure.

In: `commands` from people. Out: `events` on `claw.workflow.<name>.log`. A version stays readable for ever, so an
instance, which is a task of the skill `workflow`, goes on with the version that it began with.
Never here: what runs a definition (`clawactors.runtime.node.workflows`), and expressions.
"""

from clawactors.systems.workflows.decider import WORKFLOW, Workflow, WorkflowVersion
from clawactors.systems.workflows.definition import Definition, WorkflowStep

__all__ = ["WORKFLOW", "Definition", "Workflow", "WorkflowStep", "WorkflowVersion"]
