"""What happened to the steps of a task. Tags are promises, as in `events`."""

from typing import Any

import msgspec

__all__ = [
    "InheritedStep",
    "Recalled",
    "StepCompensated",
    "StepCompleted",
    "StepFailed",
    "StepStarted",
    "StepUndoFailed",
    "Undo",
]


class _StepEvent(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    pass


class Undo(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """How a completed step is undone: the function, as `module:name` (the skill's own where there is none), and the
    arguments of the step, `{"args": …, "kwargs": …}`, or a reference to them. `auto`: when the task fails."""

    function: str
    call: Any = None
    auto: bool = False


class StepStarted(_StepEvent, frozen=True, tag="step.started"):
    """A step has run for `ran_s`; only of long ones."""

    step: str
    ran_s: float = 0.0


class StepCompleted(_StepEvent, frozen=True, tag="step.completed"):
    """A step's result is on record: it never runs again.

    `progress` is 0..1 where the code reported it; `fingerprint` tells what was called with which arguments.
    """

    step: str
    result: Any = None
    took_s: float = 0.0
    progress: float | None = None
    fingerprint: str = ""
    undo: Undo | None = None


class StepFailed(_StepEvent, frozen=True, tag="step.failed"):
    """A step raised."""

    step: str
    error: str = ""
    took_s: float = 0.0


class Recalled(_StepEvent, frozen=True, tag="task.recalled"):
    """Memory answered its code with these memories, by id: what it says from now on may repeat them."""

    memories: tuple[str, ...]


class StepCompensated(_StepEvent, frozen=True, tag="step.compensated"):
    """A completed step was undone."""

    step: str
    took_s: float = 0.0


class StepUndoFailed(_StepEvent, frozen=True, tag="step.undo_failed"):
    """A completed step could not be undone: what it did stays."""

    step: str
    error: str = ""
    took_s: float = 0.0


class InheritedStep(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A completed step that a fork begins with."""

    step: str
    result: Any = None
    took_s: float = 0.0
    fingerprint: str = ""
