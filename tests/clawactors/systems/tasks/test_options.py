"""The options of a new task: their types are those of `spec_of`, and an unknown one is told with the right name."""

import inspect

import pytest

from clawactors.kernel.errors import Refused
from clawactors.systems.schedules.planning import plan_of
from clawactors.systems.tasks.options import RepeatedOptions, TaskOptions, unknown_option
from clawactors.systems.tasks.submission import spec_of


def test_the_types_are_those_of_spec_of() -> None:
    parameters = inspect.signature(spec_of).parameters.values()
    own = {each.name: each.annotation for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY}
    assert own == TaskOptions.__annotations__


@pytest.mark.parametrize(
    ("given", "meant"),
    [("retries", "max_retries"), ("timeout", "timeout_s"), ("tgas", "tags"), ("metdata", "metadata"), ("delay", "?")],
)
def test_an_unknown_option_is_told_with_the_right_name(given: str, meant: str) -> None:
    error = unknown_option("submit", ["tags", given], TaskOptions.__annotations__)
    hint = f"did you mean {meant!r}?" if meant != "?" else "it has affinity, after, deadline_ns, description, max_retr"
    assert isinstance(error, TypeError)
    assert str(error).startswith(f"submit() has no option {given!r}; {hint}")


def test_known_options_are_no_error() -> None:
    assert unknown_option("submit", ["tags", "after"], TaskOptions.__annotations__) is None


def test_a_schedule_takes_the_options_that_make_sense_more_than_once() -> None:
    assert plan_of("* * * * *", "say", tags=["a"], max_retries=2).task.max_retries == 2
    assert "after" not in RepeatedOptions.__annotations__
    with pytest.raises(Refused, match="can't be said of a task that comes again"):
        plan_of("* * * * *", "say", after=["a"])  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"schedules\.add\(\) has no option 'timezone'; did you mean 'zone'"):
        plan_of("* * * * *", "say", timezone="UTC")  # type: ignore[call-arg]
