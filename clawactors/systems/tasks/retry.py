"""What follows when an attempt failed: the retry policy, pure. 1, 2, 4 … seconds, capped, with jitter."""

import math
from typing import Final, Literal

import msgspec

from clawactors.systems.tasks.events import Outcome
from clawactors.systems.tasks.failures import Strategy
from clawactors.systems.tasks.task import MAX_RETRIES

__all__ = ["DEFAULT_RETRY", "OnFailure", "Retry", "Verdict", "after_failure"]

_LONGEST_S = 1e9


class Retry(msgspec.Struct, frozen=True):
    """How often and when a failed task or step is tried again: after `wait_s`, `wait_s * factor`, and so on.

    Waits are in seconds, `cap_s` at most; `jitter` is the share of a wait that is random. Errors whose strategy is
    `back_off` (network errors) wait by `back_off_factor` in place of `factor`, where it is given.
    Raises: `ValueError` for a policy that is not valid.
    """

    max_retries: int = MAX_RETRIES
    wait_s: float = 1.0
    factor: float = 2.0
    cap_s: float = 60.0
    jitter: float = 0.1
    back_off_factor: float | None = None

    def __post_init__(self) -> None:
        if self.max_retries < 0:
            raise ValueError("retries are 0 or more")
        if not (0 <= self.wait_s < math.inf and 0 <= self.cap_s < _LONGEST_S):
            raise ValueError("waits are seconds, 0 or more, and end one day")
        if not all(1 <= each < math.inf for each in (self.factor, self.back_off_factor or 1)):
            raise ValueError("a wait never gets shorter: its factor is 1 or more")
        if not 0 <= self.jitter <= 1:
            raise ValueError("jitter is a share, 0 to 1")

    def wait_after(self, failures: int, strategy: Strategy, roll: float) -> float:
        """Seconds before the next try after the n-th failure; `roll` in 0..1 spreads the jitter around the wait."""
        factor = (self.back_off_factor if strategy == "back_off" else None) or self.factor
        try:
            grown_s = self.wait_s * float(factor) ** (failures - 1)
        except OverflowError:
            grown_s = math.inf if self.wait_s else 0.0
        return min(self.cap_s, grown_s) * (1 - self.jitter + 2 * self.jitter * roll)


DEFAULT_RETRY: Final = Retry(back_off_factor=4.0)
"""The policy of a skill that names none: 1, 2, 4 … s, and 1, 4, 16 … s after network errors."""


type OnFailure = Literal["retry", "compensate", "forward", "manual"]
"""What follows when the retries of a task are used up, or can't help: it ends (`retry`), it ends once its steps are
undone (`compensate`), it is retried until it succeeds (`forward`), or a person decides (`manual`)."""


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What follows: `retry_at_ns` (since 1970) where it is tried again, `elsewhere` when another node is better.

    `max_retries` is what the skill's policy allows, where that counted.
    """

    then: Outcome
    retry_at_ns: int = 0
    elsewhere: bool = False
    max_retries: int | None = None


def after_failure(
    retry: Retry,
    strategy: Strategy,
    failures: int,
    max_retries: int | None,
    now_ns: int,
    roll: float,
    on_failure: OnFailure = "retry",
) -> Verdict:
    """What follows the failure that comes after `failures` earlier ones.

    `max_retries` is the task's own option, None takes the skill's policy.
    """
    if strategy == "ask":
        return Verdict("blocked")
    if on_failure == "forward" and max_retries is None:
        wait_s = retry.wait_after(failures + 1, strategy, roll)
        return Verdict("retry", now_ns + int(wait_s * 1e9), strategy == "elsewhere")
    if strategy == "give_up":
        return Verdict("blocked" if on_failure == "manual" else "failed")
    limit, of_skill = (retry.max_retries, retry.max_retries) if max_retries is None else (max_retries, None)
    if failures >= limit:
        return Verdict("blocked" if on_failure == "manual" else "dead", max_retries=of_skill)
    wait_s = retry.wait_after(failures + 1, strategy, roll)
    return Verdict("retry", now_ns + int(wait_s * 1e9), strategy == "elsewhere", of_skill)
