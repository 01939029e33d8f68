"""Time and randomness as a port, so that a test decides what time it is."""

import random
import time
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """What the runtime knows of time."""

    def now_ns(self) -> int:
        """Wall clock, ns since 1970."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that only grow, for durations."""
        ...

    def roll(self) -> float:
        """A random number in 0..1, for jitter."""
        ...


class SystemClock:
    """The machine's own."""

    def now_ns(self) -> int:
        """Wall clock, ns since 1970."""
        return time.time_ns()

    def monotonic_s(self) -> float:
        """Seconds that only grow, for durations."""
        return time.monotonic()

    def roll(self) -> float:
        """A random number in 0..1, for jitter."""
        return random.random()  # noqa: S311 - spreads retries, protects nothing
