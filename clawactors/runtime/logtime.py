"""The time of the log as one process keeps it: one clock that is wrong, or is set, does not move it (ADR 78).

1. Between two measurements a clock goes on that nobody sets, and that counts the sleep of the machine.
2. A measurement is a time that was told between a question and its answer. What differs by a moment is followed.
3. Control measures the server's clock. Where that differs by more, the machine's own decides: the server is not
   believed while that is nearer to the time that is kept, else only once it has held for `HOLD_S`.
4. All others measure control, and follow it: they have no say.
"""

from typing import Final

from clawactors.runtime.clock import Clock

__all__ = ["HOLD_S", "MOMENT_NS", "LogTime", "off_by"]

MOMENT_NS: Final = 1_000_000_000
"""Clocks that differ by this agree, and so a timer may be early or late by it."""
HOLD_S: Final = 30.0
"""A clock that was set back within that time moves nothing."""
_RIGHT_NS: Final = 60_000_000_000
"""An own clock that differs by more from the time that is kept can't confirm it."""


class LogTime:
    """`server_ahead_ns` is how far the server's clock was ahead of the time that is kept, 0 where they agree."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead_ns: int | None = None
        """Of the clock that nobody sets."""
        self._shown_ns = 0
        self._doubt: tuple[int, int] | None = None
        """What the server's clock shows instead, and since when."""
        self.server_ahead_ns = 0

    def now_ns(self) -> int:
        """The time of the log, ns since 1970. It goes back only where it was set back.

        The machine's own while nothing was measured.
        """
        if self._ahead_ns is None:
            return self._clock.now_ns()
        self._shown_ns = max(self._shown_ns, self._clock.elapsed_ns() + self._ahead_ns)
        return self._shown_ns

    @property
    def own_ahead_ns(self) -> int:
        """How far this machine's clock is ahead of the time of the log."""
        return 0 if self._ahead_ns is None else self._clock.now_ns() - self._clock.elapsed_ns() - self._ahead_ns

    def asking(self) -> int:
        """When a question for the time is sent: a measurement needs it."""
        return self._clock.elapsed_ns()

    def follow(self, at_ns: int, asked_ns: int) -> None:
        """Control has answered that it is that time; `asked_ns` is what `asking` gave before the question."""
        nearest_ns = self._nearest(at_ns, asked_ns)
        if self._ahead_ns is None or abs(nearest_ns - self._ahead_ns) > MOMENT_NS:
            self._set(at_ns - self._clock.elapsed_ns())
        else:
            self._ahead_ns = nearest_ns

    def measure(self, at_ns: int, asked_ns: int) -> int:
        """The server has answered that its clock shows that time; by how much that sets the time of the log, in ns."""
        nearest_ns = self._nearest(at_ns, asked_ns)
        if self._ahead_ns is None:
            self._set(nearest_ns)
            return 0
        self.server_ahead_ns = jump_ns = nearest_ns - self._ahead_ns
        if abs(jump_ns) <= MOMENT_NS:
            self._ahead_ns, self._doubt, self.server_ahead_ns = nearest_ns, None, 0
            return 0
        own_ns = abs(self.own_ahead_ns)
        if own_ns <= min(_RIGHT_NS, abs(self.own_ahead_ns - jump_ns)):
            self._doubt = None
            return 0
        now_ns = self._clock.elapsed_ns()
        if self._doubt is None or abs(self._doubt[0] - nearest_ns) > MOMENT_NS:
            self._doubt = nearest_ns, now_ns
        if now_ns - self._doubt[1] < HOLD_S * 1e9:
            return 0
        self._set(nearest_ns)
        return jump_ns

    def _nearest(self, at_ns: int, asked_ns: int) -> int:
        """What fits the measurement and is nearest to what is known; never ahead of it where nothing is."""
        least_ns = at_ns - self._clock.elapsed_ns()
        return least_ns if self._ahead_ns is None else min(max(self._ahead_ns, least_ns), at_ns - asked_ns)

    def _set(self, ahead_ns: int) -> None:
        self._ahead_ns, self._shown_ns, self._doubt, self.server_ahead_ns = ahead_ns, 0, None, 0


def off_by(ns: int) -> str:
    """How far a clock is ahead, or behind where it is negative, in words."""
    return f"{abs(ns) / 1e9:.0f} s {'ahead' if ns > 0 else 'behind'}"
