"""Runs workflows: ordinary task code on the public `TaskContext`, so a workflow is as durable as any task.

A step is a child, a durable wait or a value. All are named after the step, so a resume finds what was done.
"""

from clawactors.runtime.node.workflows.running import run_workflow

__all__ = ["run_workflow"]
