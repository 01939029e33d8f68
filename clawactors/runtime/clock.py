"""Time and randomness as a port, so that a test decides what time it is."""

import random
import time
from typing import Final, Protocol

__all__ = ["Clock", "SystemClock"]

_STEADY: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""The second stands still while Linux is suspended; macOS has no other, and there it goes on."""


class Clock(Protocol):
    """What the runtime knows of time."""

    def now_ns(self) -> int:
        """Wall clock, ns since 1970."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that only grow, for durations such as leases and timeouts."""
        ...

    def elapsed_ns(self) -> int:
        """Nanoseconds that only grow, for the time of the log: a test lets weeks pass without ending a lease."""
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
        """Seconds that only grow, for durations. The sleep of the machine counts: leases end meanwhile."""
        return time.clock_gettime(_STEADY)

    def elapsed_ns(self) -> int:
        """Nanoseconds that only grow. The sleep of the machine counts."""
        return time.clock_gettime_ns(_STEADY)

    def roll(self) -> float:
        """A random number in 0..1, for jitter."""
        return random.random()  # noqa: S311 - spreads retries, protects nothing
