"""Signs of life of a running task, published to control: a few a second at most, stored nowhere."""

from collections.abc import Callable
from typing import Final

from clawactors.runtime.clock import Clock

__all__ = ["ALIVE", "TaskHeartbeat"]

ALIVE: Final = "claw.alive"
"""What the subjects begin with; the id of the task follows."""

_INTERVAL_S: Final = 0.25


class TaskHeartbeat:
    """The heartbeat of one attempt; `publish` sends one. May be used in any thread."""

    def __init__(self, clock: Clock, publish: Callable[[], None] | None = None) -> None:
        self._clock, self._publish = clock, publish
        self._next_s = 0.0
        self.last_s = 0.0
        """When the code last gave one, in seconds of the clock."""

    def beat(self) -> None:
        """Publishes a sign of life, unless the last one was less than 0.25 s ago."""
        now_s = self.last_s = self._clock.monotonic_s()
        if self._publish is not None and now_s >= self._next_s:
            self._next_s = now_s + _INTERVAL_S
            self._publish()
