"""The time of the log in a process that has no say in it, whatever happens to the process's own clock."""

from typing import Final

from clawactors.runtime.clock import Clock

__all__ = ["LogTime"]

_TRUSTED_NS: Final = 60_000_000_000
"""So far may the process's own clock be ahead of what the log proves: deliveries may be late, clocks a little off."""


class LogTime:
    """Records bring times of the log; between them the process's steady clock goes on from the latest one.

    That is never ahead of the log. The process's own clock is better while it agrees; where it was set to another
    time it is not believed.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead_ns: int | None = None

    def observe(self, at_ns: int) -> None:
        """A record with this time has come."""
        ahead_ns = at_ns - self._steady_ns()
        if self._ahead_ns is None or ahead_ns > self._ahead_ns:
            self._ahead_ns = ahead_ns

    def now_ns(self) -> int:
        """The time of the log, ns since 1970, as well as it can be known here."""
        own_ns = self._clock.now_ns()
        if self._ahead_ns is None:
            return own_ns
        proved_ns = self._steady_ns() + self._ahead_ns
        return own_ns if 0 <= own_ns - proved_ns <= _TRUSTED_NS else proved_ns

    def _steady_ns(self) -> int:
        return int(self._clock.monotonic_s() * 1e9)
