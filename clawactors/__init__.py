"""ClawActors: durable tasks and memory for AI agents, as one event log on NATS JetStream.

The names below are imported when they are first used, so that importing a decider starts nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clawactors.app.client import Client
    from clawactors.errors import NotFound, Refused
    from clawactors.runtime.client.client import Ref, TaskFailed
    from clawactors.runtime.client.streaming import Chunk
    from clawactors.runtime.client.submitting import Batch, Rejected, Wish
    from clawactors.runtime.node.handle import SyncTaskHandle as SyncTask
    from clawactors.runtime.node.handle import TaskHandle as Task
    from clawactors.runtime.said import LOG
    from clawactors.skills import Skill, skill
    from clawactors.tasks.failures import ErrorRule
    from clawactors.tasks.retry import Retry
    from clawactors.tasks.submission import spec_of
    from eventlog.errors import Corrupt, Misconfigured, Missing, PermissionDenied, TooLarge, Unavailable, WrongVersion

    __version__: str

__all__ = [
    "LOG",
    "Batch",
    "Chunk",
    "Client",
    "Corrupt",
    "ErrorRule",
    "Misconfigured",
    "Missing",
    "NotFound",
    "PermissionDenied",
    "Ref",
    "Refused",
    "Rejected",
    "Retry",
    "Skill",
    "SyncTask",
    "Task",
    "TaskFailed",
    "TooLarge",
    "Unavailable",
    "Wish",
    "WrongVersion",
    "__version__",
    "skill",
    "spec_of",
]

_CLIENT = "clawactors.runtime.client.client"
_HOMES = {
    "LOG": ("clawactors.runtime.said", "LOG"),
    "Batch": ("clawactors.runtime.client.submitting", "Batch"),
    "Chunk": ("clawactors.runtime.client.streaming", "Chunk"),
    "Client": ("clawactors.app.client", "Client"),
    "Corrupt": ("eventlog.errors", "Corrupt"),
    "ErrorRule": ("clawactors.tasks.failures", "ErrorRule"),
    "Misconfigured": ("eventlog.errors", "Misconfigured"),
    "Missing": ("eventlog.errors", "Missing"),
    "NotFound": ("clawactors.errors", "NotFound"),
    "PermissionDenied": ("eventlog.errors", "PermissionDenied"),
    "Ref": (_CLIENT, "Ref"),
    "Refused": ("clawactors.errors", "Refused"),
    "Rejected": ("clawactors.runtime.client.submitting", "Rejected"),
    "Retry": ("clawactors.tasks.retry", "Retry"),
    "Skill": ("clawactors.skills", "Skill"),
    "SyncTask": ("clawactors.runtime.node.handle", "SyncTaskHandle"),
    "Task": ("clawactors.runtime.node.handle", "TaskHandle"),
    "TaskFailed": (_CLIENT, "TaskFailed"),
    "TooLarge": ("eventlog.errors", "TooLarge"),
    "Unavailable": ("eventlog.errors", "Unavailable"),
    "Wish": ("clawactors.runtime.client.submitting", "Wish"),
    "WrongVersion": ("eventlog.errors", "WrongVersion"),
    "__version__": ("clawactors.version", "VERSION"),
    "skill": ("clawactors.skills", "skill"),
    "spec_of": ("clawactors.tasks.submission", "spec_of"),
}


def __getattr__(name: str) -> Any:
    """The public name, imported now."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _HOMES[name]
    value = globals()[name] = getattr(import_module(module), attribute)
    return value


def __dir__() -> list[str]:
    """All public names, imported or not."""
    return sorted({*globals(), *__all__})
