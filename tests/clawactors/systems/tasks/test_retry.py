"""The retry policy: 1, 2, 4 … seconds, capped, with jitter; what comes back the same is not tried again."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawactors.systems.tasks.failures import Strategy
from clawactors.systems.tasks.retry import DEFAULT_RETRY, Retry, Verdict, after_failure

SECOND = 1_000_000_000


def test_waits_double_up_to_the_cap() -> None:
    waits = [Retry(jitter=0, cap_s=10).wait_after(n, "here", 0.7) for n in range(1, 7)]
    assert waits == [1, 2, 4, 8, 10, 10]


def test_network_errors_wait_as_the_policy_says_and_longer_only_by_a_factor_that_it_names() -> None:
    def waits(retry: Retry, strategy: Strategy) -> list[float]:
        return [retry.wait_after(n, strategy, 0.5) for n in range(1, 6)]

    assert waits(Retry(wait_s=0.1, factor=1), "back_off") == waits(Retry(wait_s=0.1, factor=1), "here")
    assert waits(Retry(3, wait_s=1), "back_off") == [1, 2, 4, 8, 16]
    assert waits(Retry(back_off_factor=3), "back_off") == [1, 3, 9, 27, 60]
    assert waits(Retry(back_off_factor=3), "here") == [1, 2, 4, 8, 16]


def test_a_skill_without_a_policy_backs_off_longer_after_network_errors() -> None:
    waits = [DEFAULT_RETRY.wait_after(n, strategy, 0.5) for strategy in ("here", "back_off") for n in range(1, 5)]
    assert waits == [1, 2, 4, 8, 1, 4, 16, 60]


def test_jitter_spreads_around_the_wait() -> None:
    retry = Retry(wait_s=10, jitter=0.1)
    assert [retry.wait_after(1, "here", roll) for roll in (0.0, 0.5, 1.0)] == [9.0, 10.0, 11.0]


def test_first_try_and_three_retries_then_dead() -> None:
    verdicts = [after_failure(Retry(jitter=0), "here", failures, None, 0, 0.5) for failures in range(4)]
    waits = [Verdict("retry", seconds * SECOND, max_retries=3) for seconds in (1, 2, 4)]
    assert verdicts == [*waits, Verdict("dead", max_retries=3)]


def test_the_wish_of_the_task_counts_more_than_the_skill() -> None:
    assert after_failure(Retry(max_retries=9), "here", 0, 0, 0, 0.5) == Verdict("dead")
    assert after_failure(Retry(max_retries=0, jitter=0), "here", 0, 1, 5, 0.5) == Verdict("retry", SECOND + 5)


@pytest.mark.parametrize(
    ("strategy", "verdicts"),
    [
        ("elsewhere", [Verdict("retry", 2 * SECOND, elsewhere=True), Verdict("dead")]),
        ("back_off", [Verdict("retry", 2 * SECOND), Verdict("dead")]),
        ("ask", [Verdict("blocked"), Verdict("blocked")]),
        ("give_up", [Verdict("failed"), Verdict("failed")]),
    ],
)
def test_each_strategy_has_its_own_verdict(strategy: Strategy, verdicts: list[Verdict]) -> None:
    assert [after_failure(Retry(jitter=0), strategy, n, 2, 0, 0.5) for n in (1, 2)] == verdicts


@given(
    failures=st.integers(0, 10**6),
    roll=st.floats(0, 1),
    wait_s=st.floats(0, 1e300),
    factor=st.floats(1, 1e300),
    cap_s=st.floats(0, 9e8),
    jitter=st.floats(0, 1),
)
@settings(deadline=None)
def test_no_growth_overflows(
    failures: int, roll: float, wait_s: float, factor: float, cap_s: float, jitter: float
) -> None:
    retry = Retry(10**7, wait_s, factor, cap_s, jitter)
    now_ns = 1_800_000_000 * SECOND
    strategies: tuple[Strategy, ...] = ("here", "back_off")
    for strategy in strategies:
        verdict = after_failure(retry, strategy, failures, None, now_ns, roll)
        assert verdict.then == "retry"
        assert 0 <= verdict.retry_at_ns - now_ns <= 2.1 * cap_s * SECOND
        assert verdict.retry_at_ns < 2**63


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"max_retries": -1}, "retries are 0 or more"),
        ({"wait_s": -1}, "waits are seconds"),
        ({"wait_s": float("nan")}, "waits are seconds"),
        ({"cap_s": float("inf")}, "waits are seconds"),
        ({"factor": 0.5}, "never gets shorter"),
        ({"factor": float("inf")}, "never gets shorter"),
        ({"back_off_factor": 0.5}, "never gets shorter"),
        ({"jitter": 1.5}, "jitter is a share"),
        ({"jitter": -0.5}, "jitter is a share"),
    ],
)
def test_what_is_no_policy_is_refused_at_once(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Retry(**wrong)
