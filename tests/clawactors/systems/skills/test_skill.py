"""A skill is still the function that it was made of."""

import asyncio
import functools

import pytest

from clawactors.systems.skills import skill
from clawactors.systems.tasks.retry import Retry


@skill("double", version="3", retry=Retry(max_retries=1), timeout_s=5)
def double(task: object, number: int) -> int:
    """Twice the number.

    And more that nobody needs.
    """
    return 2 * number


def test_it_can_be_called_as_before() -> None:
    assert double(None, 4) == 8
    assert double(None, number=4) == 8
    assert repr(double) == "<skill 'double'>"


def test_it_says_what_it_is() -> None:
    assert (double.name, double.version, double.timeout_s, double.retry.max_retries) == ("double", "3", 5, 1)
    assert double.offer.description == "Twice the number."
    assert not double.is_async


def test_async_functions_stay_so() -> None:
    @skill("later")
    async def later(task: object, number: int = 1) -> int:
        return number

    assert later.is_async
    assert later.offer.description == ""
    assert asyncio.run(later(None)) == 1


def test_whatever_can_be_called_can_be_a_skill() -> None:
    def add(task: object, a: int, b: int) -> int:
        return a + b

    plus_one = skill("plus-one")(functools.partial(add, b=1))
    assert plus_one(None, **plus_one.arguments({"a": 4})) == 5
    assert [(each.name, each.required) for each in plus_one.offer.parameters] == [("a", True), ("b", False)]
    with pytest.raises(TypeError, match="add must take the task's handle"):
        skill("no")(functools.partial(add, None, 1, 2))


@pytest.mark.parametrize("name", ["", "a b", "a*", "a>", "a\n", "a\0", "\u200b", "x" * 129])
def test_bad_names_are_told_at_once(name: str) -> None:
    with pytest.raises(ValueError, match="is no skill name"):
        skill(name)


@pytest.mark.parametrize("timeout_s", [0, -1, float("nan")])
def test_a_timeout_is_more_than_nothing(timeout_s: float) -> None:
    with pytest.raises(ValueError, match="a timeout is more than 0 s"):
        skill("s", timeout_s=timeout_s)


def test_names_of_any_language_are_fine() -> None:
    assert skill("数据.迁移/v1")(lambda task: None).name == "数据.迁移/v1"


@pytest.mark.parametrize("concurrency", [0, -1, True, 1.5, "2"])
def test_a_limit_is_a_number_of_tasks(concurrency: object) -> None:
    with pytest.raises(ValueError, match="concurrency is how many"):
        skill("s", concurrency=concurrency)  # type: ignore[arg-type]


def test_a_limit_is_told_with_the_skill() -> None:
    assert skill("s", concurrency=4)(lambda task: None).offer.concurrency == 4
    assert skill("s")(lambda task: None).offer.concurrency is None
