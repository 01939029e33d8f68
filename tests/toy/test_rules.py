"""The rules of counters: pure, in milliseconds."""

from tests.spec import spec
from tests.toy.counters.decider import COUNTER, Raise, Raised, Reset, WasReset

given = spec(COUNTER)


def test_a_counter_is_raised_up_to_its_limit() -> None:
    given().when(Raise(3), Raise(4)).then(Raised(3), Raised(4))
    given(Raised(999)).when(Raise(2)).refused("at 999, and 1000 is the most")
    given().when(Raise(0)).refused("by 1 or more")


def test_a_reset_of_nothing_is_quiet() -> None:
    given(Raised(3)).when(Reset()).then(WasReset())
    given().when(Reset()).quietly()
