"""ClawActors: durable tasks and memory for AI agents, as one event log on NATS JetStream.

The names below are imported when they are first used, so that importing a decider starts nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clawactors.app.client import Client
    from clawactors.app.syncclient import SyncClient, SyncRef, SyncTypedRef
    from clawactors.eventlog.errors import (
        Closed,
        Corrupt,
        Misconfigured,
        Missing,
        PermissionDenied,
        TooLarge,
        Unavailable,
        WrongVersion,
    )
    from clawactors.kernel.errors import InvalidQuery, NotFound, Refused
    from clawactors.runtime.client.asking import AskFailed
    from clawactors.runtime.client.bulk import ChangeReport
    from clawactors.runtime.client.checks import Check
    from clawactors.runtime.client.history import HistoryEntry
    from clawactors.runtime.client.reasons import Explanation
    from clawactors.runtime.client.ref import Ref
    from clawactors.runtime.client.rows import (
        ApprovalRow,
        NodeRow,
        Page,
        ScheduleRow,
        SkillRow,
        StepRow,
        TaskRow,
        TaskTree,
        TreeRow,
    )
    from clawactors.runtime.client.streaming import Chunk
    from clawactors.runtime.client.submitting import Batch, Rejected, TaskRequest
    from clawactors.runtime.client.summary import ClusterStatus, Statistics
    from clawactors.runtime.client.triggerrows import AlarmRow, NotificationRow, TriggerFailureRow, TriggerRow
    from clawactors.runtime.client.waiting import TaskBlocked, TaskFailed
    from clawactors.runtime.client.workflowrows import WorkflowRow
    from clawactors.runtime.node.approvals import ApprovalAnswer
    from clawactors.runtime.node.childfailed import ChildFailed
    from clawactors.runtime.node.childrefs import ChildRef
    from clawactors.runtime.node.code import TaskSuspended
    from clawactors.runtime.node.context import TaskContext as Task
    from clawactors.runtime.node.step import Step, step
    from clawactors.runtime.node.synccontext import SyncTaskContext as SyncTask
    from clawactors.runtime.output import LOG
    from clawactors.runtime.workflows.problems import InvalidDefinition
    from clawactors.systems.skills import Skill, SkillCall, skill
    from clawactors.systems.tasks.failures import ErrorRule
    from clawactors.systems.tasks.lost import LostStep, LostWork
    from clawactors.systems.tasks.retry import Retry
    from clawactors.systems.tasks.submission import spec_of

    __version__: str

__all__ = [
    "LOG",
    "AlarmRow",
    "ApprovalAnswer",
    "ApprovalRow",
    "AskFailed",
    "Batch",
    "ChangeReport",
    "Check",
    "ChildFailed",
    "ChildRef",
    "Chunk",
    "Client",
    "Closed",
    "ClusterStatus",
    "Corrupt",
    "ErrorRule",
    "Explanation",
    "HistoryEntry",
    "InvalidDefinition",
    "InvalidQuery",
    "LostStep",
    "LostWork",
    "Misconfigured",
    "Missing",
    "NodeRow",
    "NotFound",
    "NotificationRow",
    "Page",
    "PermissionDenied",
    "Ref",
    "Refused",
    "Rejected",
    "Retry",
    "ScheduleRow",
    "Skill",
    "SkillCall",
    "SkillRow",
    "Statistics",
    "Step",
    "StepRow",
    "SyncClient",
    "SyncRef",
    "SyncTask",
    "SyncTypedRef",
    "Task",
    "TaskBlocked",
    "TaskFailed",
    "TaskRequest",
    "TaskRow",
    "TaskSuspended",
    "TaskTree",
    "TooLarge",
    "TreeRow",
    "TriggerFailureRow",
    "TriggerRow",
    "Unavailable",
    "WorkflowRow",
    "WrongVersion",
    "__version__",
    "skill",
    "spec_of",
    "step",
]

_HOMES = {
    "InvalidDefinition": ("clawactors.runtime.workflows.problems", "InvalidDefinition"),
    "InvalidQuery": ("clawactors.kernel.errors", "InvalidQuery"),
    "ChangeReport": ("clawactors.runtime.client.bulk", "ChangeReport"),
    "Check": ("clawactors.runtime.client.checks", "Check"),
    "ClusterStatus": ("clawactors.runtime.client.summary", "ClusterStatus"),
    "Explanation": ("clawactors.runtime.client.reasons", "Explanation"),
    "HistoryEntry": ("clawactors.runtime.client.history", "HistoryEntry"),
    "NodeRow": ("clawactors.runtime.client.rows", "NodeRow"),
    "Page": ("clawactors.runtime.client.rows", "Page"),
    "ScheduleRow": ("clawactors.runtime.client.rows", "ScheduleRow"),
    "SkillRow": ("clawactors.runtime.client.rows", "SkillRow"),
    "Statistics": ("clawactors.runtime.client.summary", "Statistics"),
    "Step": ("clawactors.runtime.node.step", "Step"),
    "StepRow": ("clawactors.runtime.client.rows", "StepRow"),
    "TaskTree": ("clawactors.runtime.client.rows", "TaskTree"),
    "TreeRow": ("clawactors.runtime.client.rows", "TreeRow"),
    "TriggerFailureRow": ("clawactors.runtime.client.triggerrows", "TriggerFailureRow"),
    "AlarmRow": ("clawactors.runtime.client.triggerrows", "AlarmRow"),
    "NotificationRow": ("clawactors.runtime.client.triggerrows", "NotificationRow"),
    "TriggerRow": ("clawactors.runtime.client.triggerrows", "TriggerRow"),
    "TaskRow": ("clawactors.runtime.client.rows", "TaskRow"),
    "AskFailed": ("clawactors.runtime.client.asking", "AskFailed"),
    "LOG": ("clawactors.runtime.output", "LOG"),
    "Batch": ("clawactors.runtime.client.submitting", "Batch"),
    "ApprovalAnswer": ("clawactors.runtime.node.approvals", "ApprovalAnswer"),
    "ApprovalRow": ("clawactors.runtime.client.rows", "ApprovalRow"),
    "ChildFailed": ("clawactors.runtime.node.childfailed", "ChildFailed"),
    "ChildRef": ("clawactors.runtime.node.childrefs", "ChildRef"),
    "Chunk": ("clawactors.runtime.client.streaming", "Chunk"),
    "Client": ("clawactors.app.client", "Client"),
    "Closed": ("clawactors.eventlog.errors", "Closed"),
    "Corrupt": ("clawactors.eventlog.errors", "Corrupt"),
    "ErrorRule": ("clawactors.systems.tasks.failures", "ErrorRule"),
    "LostStep": ("clawactors.systems.tasks.lost", "LostStep"),
    "LostWork": ("clawactors.systems.tasks.lost", "LostWork"),
    "Misconfigured": ("clawactors.eventlog.errors", "Misconfigured"),
    "Missing": ("clawactors.eventlog.errors", "Missing"),
    "NotFound": ("clawactors.kernel.errors", "NotFound"),
    "PermissionDenied": ("clawactors.eventlog.errors", "PermissionDenied"),
    "Ref": ("clawactors.runtime.client.ref", "Ref"),
    "Refused": ("clawactors.kernel.errors", "Refused"),
    "Rejected": ("clawactors.runtime.client.submitting", "Rejected"),
    "Retry": ("clawactors.systems.tasks.retry", "Retry"),
    "Skill": ("clawactors.systems.skills", "Skill"),
    "SkillCall": ("clawactors.systems.skills", "SkillCall"),
    "SyncClient": ("clawactors.app.syncclient", "SyncClient"),
    "SyncRef": ("clawactors.app.syncclient", "SyncRef"),
    "SyncTypedRef": ("clawactors.app.syncclient", "SyncTypedRef"),
    "SyncTask": ("clawactors.runtime.node.synccontext", "SyncTaskContext"),
    "Task": ("clawactors.runtime.node.context", "TaskContext"),
    "TaskBlocked": ("clawactors.runtime.client.waiting", "TaskBlocked"),
    "TaskFailed": ("clawactors.runtime.client.waiting", "TaskFailed"),
    "TaskSuspended": ("clawactors.runtime.node.code", "TaskSuspended"),
    "TooLarge": ("clawactors.eventlog.errors", "TooLarge"),
    "Unavailable": ("clawactors.eventlog.errors", "Unavailable"),
    "TaskRequest": ("clawactors.runtime.client.submitting", "TaskRequest"),
    "WorkflowRow": ("clawactors.runtime.client.workflowrows", "WorkflowRow"),
    "WrongVersion": ("clawactors.eventlog.errors", "WrongVersion"),
    "__version__": ("clawactors.version", "VERSION"),
    "skill": ("clawactors.systems.skills", "skill"),
    "step": ("clawactors.runtime.node.step", "step"),
    "spec_of": ("clawactors.systems.tasks.submission", "spec_of"),
}


def __getattr__(name: str) -> Any:
    """The public name, imported now."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _HOMES[name]
    value = globals()[name] = getattr(import_module(module), attribute)
    # Shown by the name by which it is imported; structs need their module to read their annotations.
    if isinstance(value, type) and not hasattr(value, "__struct_fields__"):
        value.__module__ = __name__
    return value


def __dir__() -> list[str]:
    """All public names, imported or not."""
    return sorted({*globals(), *__all__})
