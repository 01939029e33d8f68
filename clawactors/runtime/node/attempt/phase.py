"""What all phases of an attempt share. The order is assigned, running, stopping (if it is stopped), ended."""

from abc import ABC, abstractmethod
from typing import ClassVar, Final, Literal

from clawactors.runtime.node.code import Code

__all__ = ["GENTLE", "STRENGTH", "Phase", "StopReason", "end_code"]

type StopReason = Literal["failed", "pause", "drain", "unpark", "continued", "cancel", "crashed", "lost", "superseded"]

STRENGTH: Final[dict[StopReason, int]] = {
    "failed": 0,
    "pause": 1,
    "drain": 1,
    "unpark": 1,
    "continued": 1,
    "cancel": 2,
    "crashed": 3,
    "lost": 4,
    "superseded": 5,
}
"""A stronger reason replaces a weaker one."""

GENTLE: Final[frozenset[StopReason]] = frozenset({"pause", "drain", "unpark", "continued"})
"""These let the code reach its next step."""


class Phase(ABC):
    """Where an attempt is in its life; `code` is what runs, if anything does."""

    is_stopping: ClassVar[bool] = False
    """True once the code should end."""

    code: Code | None = None
    reason: StopReason | None = None
    """Why the attempt was stopped before its code was done."""
    error: BaseException | None = None
    """What ended the attempt from outside of the code: a timeout, or a record that could not be written."""

    @abstractmethod
    def stop(self, reason: StopReason) -> "Phase":
        """The phase after the attempt was told to stop."""

    def fail(self, error: BaseException) -> "Phase":
        """The phase after something around the code went wrong."""
        return self


def end_code(code: Code, reason: StopReason) -> None:
    """Ends the code where it awaits; only a cancel is a cancel for the code."""
    code.cancel(cleans_up=reason == "cancel", suspends=reason in ("crashed", "lost", "superseded"))
