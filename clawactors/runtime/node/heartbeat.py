"""Signs of life of a running task, published to control: a few a second at most, stored nowhere."""

from collections.abc import Callable
from typing import Final

import msgspec

from clawactors.runtime.clock import Clock

__all__ = ["ALIVE", "ReportedProgress", "TaskHeartbeat"]

ALIVE: Final = "claw.alive"
"""What the subjects begin with; the id of the task follows."""

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
