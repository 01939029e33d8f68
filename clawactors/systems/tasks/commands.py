"""What can be asked of a task. A command from a node carries the fence of the run that it speaks for."""

from typing import Any

import msgspec

from clawactors.systems.tasks.approvals import AnswerApproval, AskApproval, WithdrawApproval
from clawactors.systems.tasks.attemptcommands import (
    AttemptCommand,
    BeginUndo,
    Compensate,
    Complete,
    CompleteStep,
    ConfirmCancel,
    ContinueRun,
    EndUndo,
    Fail,
    FailStep,
    FailUndo,
    NoteRecalled,
    Park,
    Return,
    StartStep,
    StartTask,
    Unpark,
    Wait,
    Wake,
)
from clawactors.systems.tasks.children import ChildEnd
from clawactors.systems.tasks.spec import Fence, Spec, TaskError, WaitReason
from clawactors.systems.tasks.stepevents import InheritedStep

__all__ = [
    "Admit",
    "AnswerApproval",
    "ArchiveTask",
    "AskApproval",
    "Await",
    "BeginUndo",
    "Block",
    "Cancel",
    "Compensate",
    "Complete",
    "CompleteStep",
    "ConfirmCancel",
    "ContinueRun",
    "Delete",
    "Edit",
    "EndUndo",
    "Expire",
    "Fail",
    "FailStep",
    "FailUndo",
    "Inherit",
    "Interrupt",
    "NoteChildren",
    "NoteFork",
    "NoteRecalled",
    "Park",
    "Pause",
    "Ready",
    "Resume",
    "RetryTask",
    "Return",
    "ScheduleTask",
    "Signal",
    "StartStep",
    "StartTask",
    "Submit",
    "TaskCommand",
    "Unblock",
    "Unpark",
    "Wait",
    "Wake",
    "WithdrawApproval",
]


class _TaskCommand(msgspec.Struct, frozen=True, gc=False):
    pass


class Submit(_TaskCommand, frozen=True):
    """Make it. `delayed`: its start was reckoned from the moment of asking, so a repeat may have another."""

    spec: Spec
    delayed: bool = False


class Admit(_TaskCommand, frozen=True):
    """Make it and give it to a node at once; where it exists, as `Submit`."""

    spec: Spec
    node: str
    incarnation: str
    losses: int = 0


class Ready(_TaskCommand, frozen=True):
    """What it waited for came."""


class ScheduleTask(_TaskCommand, frozen=True):
    """Give it to a node whose incarnation has been lost, and has returned, so many times."""

    node: str
    incarnation: str
    losses: int = 0


class Await(_TaskCommand, frozen=True):
    """The predecessor that it is blocked for goes on again."""


class Interrupt(_TaskCommand, frozen=True):
    """That run of it is gone. `counted` False: the code is known not to be the cause."""

    fence: Fence
    reason: str
    counted: bool = True


class Cancel(_TaskCommand, frozen=True):
    """End it, once its code has cleaned up, or `now`; with `undo`, what its steps have done is undone first."""

    by: str = ""
    undo: bool = False
    now: bool = False


class Pause(_TaskCommand, frozen=True):
    """Hold it."""

    by: str = ""


class Resume(_TaskCommand, frozen=True):
    """Resume it where it is paused; where it waits and no node has its code in memory, run that up to the wait."""


class Block(_TaskCommand, frozen=True):
    """Put it before a person; with a fence where its own run found the reason.

    `waits_for`: it goes on by itself should that come after all.
    """

    reason: str
    fence: Fence | None = None
    waits_for: WaitReason | None = None


class Unblock(_TaskCommand, frozen=True):
    """The person is done."""


class RetryTask(_TaskCommand, frozen=True):
    """Retry an ended or blocked task, asked for at that time (0: unknown).

    `deadline_ns` None keeps its deadline, 0 removes it.
    """

    by: str = ""
    at_ns: int = 0
    deadline_ns: int | None = None


class Signal(_TaskCommand, frozen=True):
    """Tell it something."""

    name: str
    payload: Any = None


class Edit(_TaskCommand, frozen=True):
    """Ask for something else instead; only before it runs, and with `was` only while that is what is asked for."""

    spec: Spec
    was: Spec | None = None


class Delete(_TaskCommand, frozen=True):
    """Take it away."""

    by: str = ""


class Expire(_TaskCommand, frozen=True):
    """End it without a result, whatever it does."""

    error: TaskError


class Inherit(_TaskCommand, frozen=True):
    """Some steps for a fork to begin with; the `last` of them set it going."""

    steps: tuple[InheritedStep, ...]
    last: bool = False


class NoteFork(_TaskCommand, frozen=True):
    """Another task begins with steps of this one."""

    to: str
    step: str


class NoteChildren(_TaskCommand, frozen=True):
    """Children of it have ended."""

    ends: tuple[ChildEnd, ...]


class ArchiveTask(_TaskCommand, frozen=True):
    """Its history, from the sequence `first` on, is in that file of the archive."""

    file: str = ""
    first: int = 0


type TaskCommand = (
    AttemptCommand
    | Submit
    | Admit
    | Ready
    | ScheduleTask
    | Interrupt
    | Cancel
    | Pause
    | Resume
    | Block
    | Await
    | Unblock
    | RetryTask
    | Signal
    | Edit
    | Delete
    | Expire
    | Inherit
    | NoteFork
    | NoteChildren
    | ArchiveTask
    | AskApproval
    | AnswerApproval
    | WithdrawApproval
)
