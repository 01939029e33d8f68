"""The clock of a test cluster: it runs with the machine's, and can be moved on."""

import random
import time
from typing import Final

__all__ = ["VirtualClock"]

_NS: Final = 1_000_000_000


class VirtualClock:
    """A `Clock`. The time of day moves on when it is told to; durations, as of leases, stay those of the machine."""

    def __init__(self, seed: int, start_ns: int | None = None) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - for tests
        self._ahead_ns = (time.time_ns() if start_ns is None else start_ns) - time.monotonic_ns()

    def now_ns(self) -> int:
        """The time in the cluster, ns since 1970."""
        return time.monotonic_ns() + self._ahead_ns

    def monotonic_s(self) -> float:
        """Seconds of the machine that only grow."""
        return time.monotonic()

    def elapsed_ns(self) -> int:
        """As `now_ns`: time that is moved on has passed, for everybody."""
        return self.now_ns()

    def roll(self) -> float:
        """A number in 0..1, the same for the same seed."""
        return self._chance.random()

    def move_to(self, at_ns: int) -> None:
        """It is that time now; never goes back."""
        self._ahead_ns += max(0, at_ns - self.now_ns())
