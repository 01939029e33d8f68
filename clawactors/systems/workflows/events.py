"""What happened to a workflow. Tags are promises (see `clawactors.eventlog.codec`)."""

from typing import Any

import msgspec

from clawactors.eventlog import Codec
from clawactors.systems.tasks.events import Count

__all__ = ["CODEC", "WorkflowAdded", "WorkflowEvent", "WorkflowRemoved"]


class _WorkflowEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    pass


class WorkflowAdded(_WorkflowEvent, frozen=True, kw_only=True, tag="workflow.added"):
    """It has a new version; the definition as JSON, or a reference to it."""

    version: Count
    definition: dict[str, Any]
    by: str = ""


class WorkflowRemoved(_WorkflowEvent, frozen=True, tag="workflow.removed"):
    """It was removed; instances go on. If it is added again, versions are counted on."""

    by: str = ""


type WorkflowEvent = WorkflowAdded | WorkflowRemoved

CODEC: Codec[WorkflowEvent] = Codec(WorkflowEvent.__value__)
