"""The state machine of a workflow.

1. A changed definition is a new version, numbered from 1 without gaps; the same definition again changes nothing.
2. A version never changes and never goes, also when the workflow was removed: instances may still run it.
"""

from typing import Any, Final, Literal, assert_never

import msgspec
from msgspec.structs import replace

from clawactors.kernel.decider import Decider
from clawactors.kernel.errors import Refused
from clawactors.systems.workflows import commands as c
from clawactors.systems.workflows import events as e

__all__ = ["NAME_MAX", "WORKFLOW", "Workflow", "WorkflowVersion", "decide", "evolve"]

NAME_MAX: Final = 100

type WorkflowState = Literal["absent", "active", "removed"]

_canonical: Final = msgspec.json.Encoder(order="deterministic").encode


class WorkflowVersion(msgspec.Struct, frozen=True, omit_defaults=True):
    """One version; the definition as JSON, or a reference to it."""

    version: int
    definition: dict[str, Any]
    added_ns: int = 0
    by: str = ""


class Workflow(msgspec.Struct, frozen=True, omit_defaults=True):
    """One workflow; `versions` are all that it ever had, the newest last."""

    status: WorkflowState = "absent"
    versions: tuple[WorkflowVersion, ...] = ()
    added_ns: int = 0
    updated_ns: int = 0

    @property
    def exists(self) -> bool:
        """True while it is offered."""
        return self.status == "active"

    def find(self, version: int | None = None) -> WorkflowVersion | None:
        """That version, or the newest one; None where there is none."""
        number = len(self.versions) if version is None else version
        return self.versions[number - 1] if 0 < number <= len(self.versions) else None


def decide(command: c.WorkflowCommand, workflow: Workflow) -> tuple[e.WorkflowEvent, ...]:
    """The events that the command leads to in this state, none for a repeat. Raises `Refused`."""
    match command:
        case c.AddWorkflow(definition=definition, by=by):
            newest = workflow.find()
            if workflow.exists and newest and _canonical(newest.definition) == _canonical(definition):
                return ()
            return (e.WorkflowAdded(version=len(workflow.versions) + 1, definition=definition, by=by),)
        case c.RemoveWorkflow(by=by):
            if not workflow.exists:
                raise Refused("there is no such workflow")
            return (e.WorkflowRemoved(by),)
        case _:
            assert_never(command)


def evolve(workflow: Workflow, event: e.WorkflowEvent, at_ns: int) -> Workflow:
    """The state after the event; the same object where the event is illegal in this state."""
    match event:
        case e.WorkflowAdded(version=version) if version == len(workflow.versions) + 1:
            return Workflow(
                "active",
                (*workflow.versions, WorkflowVersion(version, event.definition, at_ns, event.by)),
                workflow.added_ns if workflow.exists else at_ns,
                at_ns,
            )
        case e.WorkflowRemoved() if workflow.exists:
            return replace(workflow, status="removed", updated_ns=at_ns)
        case e.WorkflowAdded() | e.WorkflowRemoved():
            return workflow
        case _:
            assert_never(event)


def _is_final(workflow: Workflow) -> bool:
    return workflow.status == "removed"


WORKFLOW: Decider[c.WorkflowCommand, Workflow, e.WorkflowEvent] = Decider(
    "workflow", Workflow(), decide, evolve, _is_final
)
