"""R-T6: one id makes one task, a repeat with other content is refused; a spec is what the log will give back."""

import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from clawactors.kernel.errors import Refused
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.spec import as_event
from clawactors.systems.tasks.submission import as_stored, checked_id, difference, priority_of, spec_of
from tests.clawactors.systems.tasks.vocabulary import HISTORIES, given


def submitted(spec: e.Spec) -> e.Submitted:
    """What is in the log after it was submitted."""
    (event,) = given().decider.decide(c.Submit(spec), given().state)
    (stored,) = e.CODEC.decode(e.CODEC.encode((event,)))
    assert isinstance(stored, e.Submitted)
    return stored


FULL: dict[str, Any] = {
    "skill": "migrate-table",
    "params": {"source": "a.db", "batch": 100, "deep": [{"x": None}]},
    "name": "move it",
    "description": "a table",
    "user": "ada",
    "type": "batch",
    "priority": "high",
    "requires": ["sqlite"],
    "prefers": ["ssd"],
    "affinity": {"room": "1"},
    "tags": ["nightly"],
    "metadata": {"ticket": 7},
    "timeout_s": 900,
    "max_retries": 5,
}
OTHER: dict[str, Any] = {
    "skill": "echo",
    "params": {"source": "b.db"},
    "name": "copy it",
    "description": "",
    "user": "bob",
    "type": "single",
    "priority": 1,
    "requires": [],
    "prefers": ["ssd", "gpu"],
    "affinity": {"room": "2"},
    "tags": ["daily"],
    "metadata": {"ticket": "7"},
    "timeout_s": 901,
    "max_retries": None,
}
TOLD = {
    "params": "different parameters",
    "requires": "different requirements",
    "prefers": "different preferences",
    "tags": "different tags",
    "metadata": "different metadata",
    "timeout_s": "a different timeout",
    "max_retries": "a different number of retries",
}


@pytest.mark.parametrize("status", HISTORIES)
def test_a_repeat_is_quiet_in_every_state(status: str) -> None:
    spec = spec_of(**FULL)
    history = HISTORIES[status]  # type: ignore[index]
    given(submitted(spec), *history[1:]).when(c.Submit(spec), c.Submit(spec_of(**FULL))).quietly()


def test_a_task_is_the_same_whether_it_comes_alone_or_in_a_batch() -> None:
    given(submitted(spec_of(**FULL))).when(c.Submit(spec_of(**FULL | {"type": OTHER["type"]}))).quietly()


@pytest.mark.parametrize("name", sorted(OTHER.keys() - {"type"}))
def test_a_repeat_with_other_content_is_refused_and_told_what_differs(name: str) -> None:
    other = spec_of(**(FULL | {name: OTHER[name]}))
    given(submitted(spec_of(**FULL))).when(c.Submit(other)).refused(
        f"exists with {TOLD.get(name, f'a different {name}')};"
    )


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ({"a": (1, 2)}, {"a": [1, 2]}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a": Fraction(1, 2)}, {"a": "1/2"}),
        ({"a": b"bytes"}, {"a": "Ynl0ZXM="}),
    ],
)
def test_what_the_log_tells_alike_is_the_same(one: dict[Any, Any], same: dict[str, Any]) -> None:
    given(submitted(spec_of("echo", one))).when(
        c.Submit(spec_of("echo", same)), c.Submit(spec_of("echo", one))
    ).quietly()


@pytest.mark.parametrize(("one", "other"), [(1, True), (0, False), (1, 1.0), ("1", 1), ([1], [[1]])])
def test_what_the_log_tells_apart_is_other_content(one: object, other: object) -> None:
    stored = submitted(spec_of("echo", {"a": one}))
    given(stored).when(c.Submit(spec_of("echo", {"a": other}))).refused("exists with different parameters")


def test_a_spec_made_by_hand_is_compared_as_the_log_would_give_it_back() -> None:
    by_hand = e.Spec(skill="echo", params={"a": (1, 2)}, timeout_s=60)
    given(submitted(by_hand)).when(c.Submit(by_hand)).quietly()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@hypothesis_given(st.dictionaries(st.text(), JSON, max_size=4))
def test_every_json_comes_back_as_it_was(params: dict[str, Any]) -> None:
    spec = spec_of("echo", params)
    assert spec.params == params
    assert as_stored(spec) == spec
    assert difference(submitted(spec), spec) is None


def test_nothing_wished_for_takes_the_defaults() -> None:
    spec = spec_of("echo")
    assert (spec.priority, spec.type, spec.max_retries, spec.timeout_s) == (2, "single", None, None)
    assert given(submitted(spec)).state.max_retries == 3


@pytest.mark.parametrize(("value", "priority"), [("low", 1), ("normal", 2), ("high", 3), ("urgent", 4), (1, 1), (4, 4)])
def test_priorities_have_names(value: str | int, priority: int) -> None:
    assert priority_of(value) == priority


@pytest.mark.parametrize("value", [0, 5, -1, True, 2.0, "", "HIGH", "2", None])
def test_other_priorities_are_refused(value: Any) -> None:
    with pytest.raises(Refused, match="is none of low, normal, high, urgent"):
        priority_of(value)


@pytest.mark.parametrize("id", ["", "a.b", "a b", "a*", ">", "a/b", "é", "a\n", "x" * 129, "x" * 10_000])
def test_what_is_no_id_is_refused_in_a_line(id: str) -> None:
    with pytest.raises(Refused, match="is no id: 1 to 128 letters") as refusal:
        checked_id(id)
    assert len(str(refusal.value)) < 120
    assert checked_id("t-1_A") == "t-1_A"


def deep(levels: int) -> list[Any]:
    """Lists within lists."""
    inner: list[Any] = []
    for _ in range(levels - 1):
        inner = [inner]
    return inner


def test_values_may_be_nested_a_hundred_levels_deep() -> None:
    assert spec_of("echo", {"a": deep(99)}, metadata={"a": deep(99)}).params == {"a": deep(99)}


LOOP: list[Any] = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"skill": ""}, "is no name of a skill"),
        ({"skill": "x" * 129}, "is no name of a skill"),
        ({"skill": "a\0b"}, "is no name of a skill"),
        ({"skill": 7}, "is no name of a skill"),
        ({"requires": [""]}, "is no name of a skill"),
        ({"params": [1]}, "params is an object with named values"),
        ({"params": {"a": object()}}, "it holds an object: make it a dataclass, a msgspec.Struct"),
        ({"params": {1: "x", "1": "y"}}, "1 is the key of a dict: write the keys as texts"),
        ({"params": {"a": "\ud800"}}, "can't be written as a task"),
        ({"params": {"a": LOOP}}, "can't be written as a task"),
        ({"params": {"a": deep(100)}}, "values are nested deeper than 100"),
        ({"params": {"a": 10**5000}}, "can't be written as a task"),
        ({"params": {"a": [{"b": 2**64}]}}, "an integer is outside of -2^63 to 2^64 - 1"),
        ({"params": {"a": -(2**63) - 1}}, "an integer is outside of -2^63 to 2^64 - 1"),
        ({"metadata": {"a": {"b": 10**400}}}, "an integer is outside of -2^63 to 2^64 - 1"),
        ({"params": {"a": math.nan}}, "nan is a number that is not finite"),
        ({"params": {"a": None, "b": (1, -math.inf)}}, "-inf is a number that is not finite"),
        ({"params": {object(): 1}}, "can't be written as a task"),
        ({"name": 7}, "Expected `str`, got `int`"),
        ({"type": "cron"}, "type 'cron' is none of single, batch, scheduled, workflow"),
        ({"priority": "soon"}, "priority 'soon' is none of"),
        ({"requires": "sqlite"}, "requires is a list of strings, not 'sqlite'"),
        ({"tags": 7}, "tags is a list of strings, not 7"),
        ({"tags": [7]}, "Expected `str`, got `int`"),
        ({"affinity": {"room": 1}}, "Expected `str`, got `int`"),
        ({"params": 10**5000}, "params is an object with named values, not a value of type int"),
        ({"metadata": "x"}, "metadata is an object with named values"),
        ({"timeout_s": 0}, "a timeout is a number of seconds, more than 0"),
        ({"timeout_s": -1}, "a timeout is a number of seconds, more than 0"),
        ({"timeout_s": math.nan}, "a timeout is a number of seconds, more than 0"),
        ({"timeout_s": math.inf}, "a timeout is a number of seconds, more than 0"),
        ({"timeout_s": "5s"}, "a timeout is a number of seconds, more than 0"),
        ({"max_retries": -1}, "retries are 0 or more"),
        ({"max_retries": 1.5}, "Expected `int | null`, got `float`"),
        ({"max_retries": "3"}, "Expected `int | null`, got `str`"),
        ({"max_retries": 2**63}, "can't be written as a task"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_options_are_refused_before_anything_is_written(value: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused) as refusal:
        spec_of(**({"skill": "echo"} | value))
    assert words in str(refusal.value)


def test_the_event_has_every_field_of_what_was_asked_for() -> None:
    names = e.Spec.__struct_fields__
    spec = e.Spec(**{name: object() for name in names})  # type: ignore[arg-type]
    event = as_event(spec, e.Submitted)
    assert all(getattr(event, name) is getattr(spec, name) for name in names)
