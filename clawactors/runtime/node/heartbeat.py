"""Signs of life of a running task, published to control: a few a second at most, stored nowhere."""

import math
from collections.abc import Callable
from typing import Any, Final

import msgspec

from clawactors.kernel.errors import Refused
from clawactors.runtime.clock import Clock

__all__ = ["ALIVE", "ReportedProgress", "TaskHeartbeat", "share_of"]

ALIVE: Final = "claw.alive"
"""What the subjects begin with; the node and the id of the task follow."""

_INTERVAL_S: Final = 0.25


class ReportedProgress(msgspec.Struct, frozen=True, gc=False):
    """How far the code of that attempt says it is, 0..1."""

    attempt: int
    progress: float


class TaskHeartbeat:
    """The heartbeat of one attempt; `publish` sends one. May be used in any thread."""

    def __init__(self, clock: Clock, publish: Callable[[bytes], None] | None = None, attempt: int = 0) -> None:
        self._clock, self._publish, self._attempt = clock, publish, attempt
        self._next_s = 0.0
        self.last_s = 0.0
        """When the code last gave one, in seconds of the clock."""

    def beat(self, progress: float | None = None) -> None:
        """Publishes a sign of life, with the progress of the task, unless the last was less than 0.25 s ago."""
        now_s = self.last_s = self._clock.monotonic_s()
        if self._publish is not None and now_s >= self._next_s:
            self._next_s = now_s + _INTERVAL_S
            report = None if progress is None else ReportedProgress(self._attempt, progress)
            self._publish(b"" if report is None else msgspec.json.encode(report))


def share_of(done: Any, total: Any) -> float:
    """The share that is done, 0..1. Raises: `Refused` where these are no numbers."""
    numbers = []
    for each in (done, total):
        try:
            number = math.nan if isinstance(each, str) else float(each)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number):
            raise Refused(f"task.progress takes two numbers, as in task.progress(3, 10), not {repr(each)[:40]}")
        numbers.append(number)
    done, total = numbers
    return min(1.0, max(0.0, done / total)) if total else 0.0
