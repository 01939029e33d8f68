"""The tables of `docs/skills.md` say what the code does: errors, waits, options, fields, and what a task can do."""

import builtins
import inspect
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from clawactors import ErrorRule, Retry, SyncTask, Task, skill
from clawactors.runtime.node.step import TaskHandle
from clawactors.systems.settings import DEFAULTS
from clawactors.systems.tasks import failures
from clawactors.systems.tasks.failures import STRATEGIES, Strategy, Symptom, kind_of, told
from clawactors.systems.tasks.retry import after_failure

PAGE = (Path(__file__).parents[3] / "docs" / "skills.md").read_text("utf-8")


def table(heading: str) -> list[list[str]]:
    """The cells of the first table whose head begins so, without its head."""
    block = PAGE.partition(f"\n| {heading} |")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in block.splitlines()[2:]]


def test_every_snippet_names_its_file_and_so_is_run() -> None:
    assert len(re.findall(r"```python\n# \w+\.py\n", PAGE)) == PAGE.count("```python") > 4


def words(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


ERRORS = {row[0].strip("`"): row[1:] for row in table("class")}


def test_every_class_has_its_strategy_and_every_strategy_its_effect() -> None:
    assert {kind: row[0].strip("`") for kind, row in ERRORS.items()} == dict(STRATEGIES)
    assert {row[0].strip("`") for row in table("strategy")} == set(Strategy.__value__.__args__)


@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_is_recognised_as_the_page_says(kind: str) -> None:
    _, names, statuses, exit_codes, text = ERRORS[kind]
    symptoms = [told(_raised(name)) if hasattr(builtins, name) else Symptom((f"x.{name}",)) for name in words(names)]
    symptoms += [Symptom(("x.E",), status=int(each)) for each in statuses.split()]
    symptoms += [Symptom(("x.E",), exit_code=int(each)) for each in exit_codes.split()]
    symptoms += [Symptom(("x.E",), text=text.strip('"'))] if text else []
    for symptom in symptoms:
        assert kind_of([symptom])[0] == kind, symptom


def _raised(name: str) -> Exception:
    kind: Any = getattr(builtins, name)
    return kind("utf-8", b"x", 0, 1, "bad") if name == "UnicodeDecodeError" else kind("x")  # type: ignore[no-any-return]


def test_no_exception_and_no_exit_code_is_left_out() -> None:
    named = {name: kind for kind, row in ERRORS.items() if kind != "unknown" for name in words(row[1])}
    assert named == vars(failures)["_TYPES"] | {"ValueError": "validation"}
    codes = {int(code): kind for kind, row in ERRORS.items() for code in row[3].split()}
    assert codes == vars(failures)["_EXITS"]


def test_waits_are_as_the_page_says() -> None:
    policy = skill("x")(lambda task: None).retry
    assert "after 1, 2 and 4 s" in PAGE
    assert waits(policy, "here") == [1, 2, 4]
    assert "1, 4, 16 s" in " ".join(next(row for row in table("strategy") if row[0] == "`back_off`"))
    assert waits(policy, "back_off") == [1, 4, 16]
    assert f"**{DEFAULTS.task_silence:g} s**" in PAGE


def waits(policy: Retry, strategy: Strategy) -> list[int]:
    """Seconds, in the middle of the jitter."""
    return [after_failure(policy, strategy, n, None, 0, 0.5).retry_at_ns // 10**9 for n in range(3)]


def fields(heading: str) -> list[dict[str, str]]:
    """`name: default` of each table of that form, in order."""
    blocks = re.findall(rf"\n\| {heading} \| default \|.*?\n\n", PAGE, re.DOTALL)
    return [dict(re.findall(r"^\| `(\w+)` \|(?: `(.*?)`)? \|", block, re.MULTILINE)) for block in blocks]


def defaults(kind: type[msgspec.Struct]) -> dict[str, str]:
    return {
        each.name: "" if each.default is msgspec.NODEFAULT else shown(each.default)
        for each in msgspec.structs.fields(kind)
    }


def shown(value: Any) -> str:
    return repr(value).replace("'", '"')


def test_every_field_of_retry_and_errorrule_is_there_with_its_default() -> None:
    assert fields("field") == [defaults(Retry), defaults(ErrorRule)]


def test_every_option_of_skill_is_there_with_its_default() -> None:
    parameters = inspect.signature(skill).parameters.values()
    wanted = {each.name: "" if each.default is each.empty else shown(each.default) for each in parameters}
    assert fields("option") == [wanted]


def public(kind: type) -> dict[str, Any]:
    own = [each for each in kind.__mro__ if each not in (TaskHandle, object)]
    return {name: value for each in own for name, value in vars(each).items() if not name.startswith("_")}


def test_all_that_a_task_can_do_is_there() -> None:
    rows = {re.match(r"`(\w+)", row[0].strip())[1]: row[0].strip(" `") for row in table("name")}  # type: ignore[index]
    assert set(rows) == set(public(Task)) == set(public(SyncTask))
    for name, call in rows.items():
        member = public(Task)[name]
        if isinstance(member, property):
            assert call == name
            continue
        given = re.findall(r"[(,] ?(\*{0,2}\w+)", call)
        taken = [
            str(each).partition(":")[0].partition("=")[0] for each in inspect.signature(member).parameters.values()
        ]
        more = {"**more", "**wanted"}  # fields of a memory, filters of a question: docs/memory.md
        assert [each for each in taken[1:] if each not in more] == given, name
