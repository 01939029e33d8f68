"""Stopping: the code has to end, at its next step or where it awaits, and has not ended yet."""

from typing import ClassVar, override

from clawactors.runtime.node.attempt.phase import GENTLE, STRENGTH, Phase, StopReason, end_code
from clawactors.runtime.node.code import Code

__all__ = ["StoppingPhase"]


class StoppingPhase(Phase):
    """A stronger reason replaces a weaker one; an error is kept with it."""

    is_stopping: ClassVar[bool] = True

    def __init__(self, reason: StopReason, code: Code | None = None, error: BaseException | None = None) -> None:
        self.reason, self.code, self.error = reason, code, error

    @override
    def stop(self, reason: StopReason) -> Phase:
        if self.reason is not None and STRENGTH[reason] <= STRENGTH[self.reason]:
            return self
        if self.code is not None and reason not in GENTLE:
            end_code(self.code, reason)
        return StoppingPhase(reason, self.code, self.error)
