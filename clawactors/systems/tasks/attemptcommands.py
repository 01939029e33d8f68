"""What the node that runs a task may ask: each command carries the fence of its attempt."""

from typing import Any

import msgspec

from clawactors.systems.tasks.spec import DurableWait, Fence, Outcome, TaskError, WaitReason
from clawactors.systems.tasks.stepevents import Undo

__all__ = [
    "AttemptCommand",
    "BeginUndo",
    "Compensate",
    "Complete",
    "CompleteStep",
    "ConfirmCancel",
    "ContinueRun",
    "EndUndo",
    "Fail",
    "FailStep",
    "FailUndo",
    "NoteRecalled",
    "Park",
    "Return",
    "StartStep",
    "StartTask",
    "Unpark",
    "Wait",
    "Wake",
]


class _AttemptCommand(msgspec.Struct, frozen=True, gc=False):
    fence: Fence


class StartTask(_AttemptCommand, frozen=True):
    """The node runs it now."""


class Return(_AttemptCommand, frozen=True):
    """The node will not run it now."""

    reason: str = ""


class StartStep(_AttemptCommand, frozen=True):
    """A step has been running for so long."""

    step: str
    ran_s: float = 0.0


class CompleteStep(_AttemptCommand, frozen=True):
    """A step has its result."""

    step: str
    result: Any = None
    took_s: float = 0.0
    progress: float | None = None
    fingerprint: str = ""
    undo: Undo | None = None


class FailStep(_AttemptCommand, frozen=True):
    """A step raised."""

    step: str
    error: str
    took_s: float = 0.0


class NoteRecalled(_AttemptCommand, frozen=True):
    """Memory answered its code with these memories."""

    memories: tuple[str, ...]


class Compensate(_AttemptCommand, frozen=True):
    """A step was undone."""

    step: str
    took_s: float = 0.0


class FailUndo(_AttemptCommand, frozen=True):
    """A step could not be undone."""

    step: str
    error: str
    took_s: float = 0.0


class BeginUndo(_AttemptCommand, frozen=True):
    """The code wants its steps undone; the error is what the task ends with should this attempt be lost."""

    error: TaskError


class EndUndo(_AttemptCommand, frozen=True):
    """All is undone that can be."""


class Wait(_AttemptCommand, frozen=True):
    """The code waits; its slot is free meanwhile. `taken` signals of the name it has had, as this reader counts them:
    when there are more by now, it need not wait."""

    reason: WaitReason
    until_ns: int = 0
    name: str = ""
    taken: int = 0


class Park(_AttemptCommand, frozen=True):
    """The code does nothing but wait, and its node keeps it in memory meanwhile.

    `waits` go with how many signals of the name each has had, as for `Wait`. `limited`: its skill has a limit.
    `progress` is what the code has reported, if it has.
    """

    waits: tuple[tuple[DurableWait, int], ...]
    limited: bool = False
    progress: float | None = None


class Wake(_AttemptCommand, frozen=True):
    """Code that is parked has something to do that it did not wait for."""


class Unpark(_AttemptCommand, frozen=True):
    """The node keeps the parked code no longer."""

    reason: str = ""


class Fail(_AttemptCommand, frozen=True):
    """The code raised; the rest is what the retry policy says (see `Verdict`)."""

    error: TaskError
    then: Outcome
    retry_at_ns: int = 0
    elsewhere: bool = False
    max_retries: int | None = None


class Complete(_AttemptCommand, frozen=True):
    """The code returned."""

    result: Any = None


class ContinueRun(_AttemptCommand, frozen=True):
    """The code ends its run, and wants another one; it has had so many signals of each name."""

    params: dict[str, Any]
    taken: dict[str, int] = {}


class ConfirmCancel(_AttemptCommand, frozen=True):
    """The node has stopped its code."""


type AttemptCommand = (
    StartTask
    | BeginUndo
    | EndUndo
    | FailUndo
    | Return
    | StartStep
    | CompleteStep
    | FailStep
    | NoteRecalled
    | Compensate
    | Wait
    | Park
    | Wake
    | Unpark
    | Fail
    | Complete
    | ContinueRun
    | ConfirmCancel
)
