"""What follows when an attempt failed: the retry policy, pure. 1, 2, 4 … seconds, capped, with jitter."""

import math

import msgspec

from clawactors.tasks.events import Outcome, TaskError
from clawactors.tasks.task import MAX_RETRIES

__all__ = ["Retry", "after_failure"]

NOT_RETRIED = frozenset(("validation", "cancelled"))
"""Error classes that come back the same however often one tries."""

_LONGEST_S = 1e9


class Retry(msgspec.Struct, frozen=True):
    """How often and when a failed task is tried again. Waits in seconds; `jitter` is the share that is random.

    Raises: `ValueError` for what is no policy.
    """

    max_retries: int = MAX_RETRIES
    wait_s: float = 1.0
    factor: float = 2.0
    cap_s: float = 60.0
    jitter: float = 0.1

    def __post_init__(self) -> None:
        if self.max_retries < 0:
            raise ValueError("retries are 0 or more")
        if not (0 <= self.wait_s < math.inf and 0 <= self.cap_s < _LONGEST_S):
            raise ValueError("waits are seconds, 0 or more, and end one day")
        if not 1 <= self.factor < math.inf:
            raise ValueError("a wait never gets shorter: its factor is 1 or more")
        if not 0 <= self.jitter <= 1:
            raise ValueError("jitter is a share, 0 to 1")

    def wait_after(self, failures: int, roll: float) -> float:
        """Seconds before the next try after the n-th failure; `roll` in 0..1 spreads the jitter around the wait."""
        try:
            grown_s = self.wait_s * float(self.factor) ** (failures - 1)
        except OverflowError:
            grown_s = math.inf if self.wait_s else 0.0
        return min(self.cap_s, grown_s) * (1 - self.jitter + 2 * self.jitter * roll)


def after_failure(
    retry: Retry, error: TaskError, failures: int, max_retries: int | None, now_ns: int, roll: float
) -> tuple[Outcome, int]:
    """The outcome of the failure that follows `failures` earlier ones, and when to try again (ns since 1970).

    `max_retries` is the task's own wish, None takes the skill's policy.
    """
    if error.kind in NOT_RETRIED:
        return "failed", 0
    limit = retry.max_retries if max_retries is None else max_retries
    if failures >= limit:
        return "dead", 0
    return "retry", now_ns + int(retry.wait_after(failures + 1, roll) * 1e9)
