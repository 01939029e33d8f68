"""The numbered rules of expressions."""

import subprocess
import sys
from typing import Any

import pytest

from clawactors.runtime.expressions import Expression, ExpressionError, Template

TASK = {"id": "t1", "skill": "fetch", "tags": ["x", "y"], "params": {"n": 2, "text": None}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('task.skill == "fetch" && task.tags.exists(t, t == "x")', True),
        ("has(task.params.url) || task.params.n > 1", True),
        ("task.params.n * 3", 6),
        ("task.params.text", None),
        ('{"id": task.id, "all": task.tags}', {"id": "t1", "all": ["x", "y"]}),
        ('"(((" + task.id + "[.map("', "(((t1[.map("),
    ],
)
def test_it_has_a_value(text: str, value: Any) -> None:
    assert Expression.parse(text).evaluate({"task": TASK}) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("1 +", "column 4: "),
        ("task.skill == 'a' && && b", "column 22: "),
        ("(" * 40 + "1" + ")" * 40, "column 33: an expression is nested at most 32 deep"),
        ("'a' + " * 1000 + "'a'", "at most 4096 characters"),
        ("l.all(x, l.all(y, l.all(z, true)))", "macros are nested at most 2 deep"),
    ],
)
def test_1_what_is_wrong_is_said_in_one_line_with_its_place(text: str, reason: str) -> None:
    with pytest.raises(ExpressionError) as error:
        Expression.parse(text)
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("task.nothing == 1", "nothing"),
        ("other", "other"),
        ("task.id < 1", "id"),
        ("1 / 0", "zero"),
        ("l.all(x, l.all(y, x < y))", "too much work on 1000 elements"),
        ("l.map(x, big)", "64000 is the most"),
    ],
)
def test_2_what_has_no_value_is_an_error_of_these_variables(text: str, reason: str) -> None:
    with pytest.raises(ExpressionError) as error:
        Expression.parse(text).evaluate({"task": TASK, "l": list(range(1000)), "big": "x" * 100})
    assert reason in str(error.value).lower()
    assert "\n" not in str(error.value)


def test_a_condition_is_true_or_false() -> None:
    with pytest.raises(ExpressionError, match="true or false, this is a value of type int"):
        Expression.parse("1").holds({})


def test_a_template_keeps_the_type_of_an_expression_alone() -> None:
    template = Template.parse(
        {"n": "${task.params.n}", "text": "${task.id}: ${task.tags} and {}", "map": ['${{"a": "}"}.a}'], "plain": 1}
    )
    assert template.fill({"task": TASK}) == {"n": 2, "text": 't1: ["x","y"] and {}', "map": ["}"], "plain": 1}


def test_3_the_library_comes_without_its_command_line() -> None:
    code = (
        "import sys; from clawactors.runtime.expressions import Expression; early = 'cel.cel' in sys.modules\n"
        "Expression.parse('1'); print(early, sorted({'typer', 'rich', 'prompt_toolkit', 'cel.cli'} & {*sys.modules}))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False []"
