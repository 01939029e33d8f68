"""Signs of life of a running task, told to whoever listens: a few a second at most, stored nowhere."""

from collections.abc import Callable
from typing import Final

from clawactors.runtime.clock import Clock

__all__ = ["ALIVE", "NodeMetrics"]

ALIVE: Final = "claw.alive"
"""What the subjects begin with; the id of the task follows."""

_APART_S: Final = 0.25


class NodeMetrics:
    """The beats of one attempt; `tell` says that it lives, None where nobody listens. May be called in any thread."""

    def __init__(self, clock: Clock, tell: Callable[[], None] | None = None) -> None:
        self._clock, self._tell = clock, tell
        self._next_s = 0.0

    def beat(self) -> None:
        """It lives; too soon after the last beat it says nothing."""
        now_s = self._clock.monotonic_s()
        if self._tell is not None and now_s >= self._next_s:
            self._next_s = now_s + _APART_S
            self._tell()
