"""Expressions within a definition: CEL, and what they refer to.

1. Steps are named as `steps.ID` or `steps["ID"]`, never computed: so it is known which steps an expression needs.
2. A plain path, such as `steps.fetch.result.rows[0]`, gives the value itself, however large.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, NamedTuple, override

from clawactors.runtime.expressions import Expression, ExpressionError, Template
from clawactors.runtime.workflows.problems import meant

__all__ = ["FUNCTIONS", "SCOPE", "DefinedNames", "References", "parse_condition", "parse_template"]

_NAME: Final = r"[A-Za-z_]\w*"
_TEXT: Final = (
    r"""[rRbB]{0,2}(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
)
_MENTION: Final = re.compile(
    rf"""(?<![\w.])(?P<root>steps|params|workflow)\b\s*"""
    rf"""(?:(?:\.\s*(?P<name>{_NAME})|\[\s*(?:"(?P<d>[^"\\]*)"|'(?P<s>[^'\\]*)')\s*\])(?:\s*\.\s*(?P<of>{_NAME}))?)?"""
    rf"|(?P<text>{_TEXT})",
    re.DOTALL,
)
_BOUND: Final = re.compile(rf"\.\s*(?:all|exists|exists_one|existsOne|map|filter)\s*\(\s*({_NAME})\s*,")
_PATH: Final = re.compile(rf"""({_NAME})((?:\.{_NAME}|\[\d{{1,9}}\]|\["[^"\\]*"\]|\['[^'\\]*'\])*)""")
_PART: Final = re.compile(rf"""\.({_NAME})|\[(\d+)\]|\["([^"\\]*)"\]|\['([^'\\]*)'\]""")
SCOPE: Final = frozenset({"params", "steps", "workflow"})
"""The variables of every expression."""
_STEP_FIELDS: Final = ("result", "status", "error")
_WORKFLOW_FIELDS: Final = ("name", "version", "id")
_LITERALS: Final = ("true", "false", "null")

_OF_TIMES: Final = "Date DayOfMonth DayOfWeek DayOfYear FullYear Hours Milliseconds Minutes Month Seconds"
_OF_VALUES: Final = "bytes contains double duration dyn endsWith int matches size startsWith string timestamp type uint"
FUNCTIONS: Final = frozenset([*_OF_VALUES.split(), *(f"get{part}" for part in _OF_TIMES.split())])
"""What the library has, besides macros (`has`, `all`, `exists`, `exists_one`, `map`, `filter`)."""


class DefinedNames(NamedTuple):
    """What a definition defines: the ids of its steps and the names of its parameters."""

    steps: Collection[str]
    params: Collection[str]


class References:
    """What expressions refer to, each checked; `problem` gets what is wrong.

    `own` is the step that they belong to, `more` are variables that there are besides those that are always there.
    """

    def __init__(
        self, names: DefinedNames, problem: Callable[[str], None], own: str = "", more: Collection[str] = ()
    ) -> None:
        self._names, self._problem, self._own = names, problem, own
        self._allowed = SCOPE | {*more}
        self.steps: dict[str, None] = {}

    def parse(self, text: str) -> Expression:
        """The expression; what it refers to is noted. Raises: `ExpressionError`."""
        expression = Expression.parse(text)
        for name in sorted(expression.functions - FUNCTIONS):
            self._problem(f"there is no function {name!r}; there are {', '.join(sorted(FUNCTIONS))}")
        bound = {*_BOUND.findall(text)}
        for name in sorted(expression.variables - bound - self._allowed):
            known = ", ".join(sorted(self._allowed))
            self._problem(f"there is no variable {name!r} here; there are {known}")
        for mention in _MENTION.finditer(text):
            if mention["root"] is None:
                continue
            name = mention["name"] or mention["d"] or mention["s"]
            asks = text[: mention.start()].rstrip().endswith("has(")
            if mention["root"] == "steps":
                self._note_step(name)
                self._check_field("steps." + (name or "ID"), None if asks else mention["of"], _STEP_FIELDS)
            elif mention["root"] == "workflow":
                self._check_field("workflow", None if asks else name, _WORKFLOW_FIELDS)
            elif name and name not in self._names.params:
                self._problem(f"the parameter {name!r} is not declared{meant(name, list(self._names.params))}")
        path = _PATH.fullmatch(text.strip())
        return _PathExpression(expression, path[1], path[2]) if path and path[1] not in _LITERALS else expression

    def _note_step(self, name: str | None) -> None:
        if not name:
            self._problem('name a step, as in steps.ID.result or steps["ID"].result')
        elif name not in self.steps:
            self.steps[name] = None
            self.check_step(name)

    def _check_field(self, whose: str, field: str | None, known: tuple[str, ...]) -> None:
        if field and field not in known:
            self._problem(f"{whose} has no {field!r}; it has {', '.join(known)}{meant(field, known)}")

    def check_step(self, name: str) -> None:
        """Tells if the step can't come before this one."""
        if name == self._own:
            instead = "; here its result is named result" if "result" in self._allowed else ""
            self._problem(f"step {name!r} can't wait for itself{instead}")
        elif name not in self._names.steps:
            self._problem(f"there is no step {name!r}{meant(name, list(self._names.steps))}")


class _PathExpression(Expression):
    """A path into a variable."""

    def __init__(self, parsed: Expression, root: str, rest: str) -> None:
        super().__init__(parsed.text, None, 0)
        self._path: list[str | int] = [root]
        for name, number, double, single in _PART.findall(rest):
            self._path.append(int(number) if number else name or double or single)

    @property
    @override
    def variables(self) -> frozenset[str]:
        return frozenset({str(self._path[0])})

    @property
    @override
    def functions(self) -> frozenset[str]:
        return frozenset()

    @override
    def evaluate(self, variables: Mapping[str, Any]) -> Any:
        value: Any = variables
        for at, step in enumerate(self._path):
            try:
                inner: Any = value if isinstance(value, Mapping if isinstance(step, str) else list) else {}
                value = inner[step]
            except LookupError:
                shown = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in self._path[:at])
                what = "null" if value is None else f"without {step!r}"
                message = f"{self.text.strip()[:60]}: {shown.lstrip('.') or 'the scope'} is {what}"
                raise ExpressionError(message) from None
        return value


def parse_template(value: Any, found: References) -> Template:
    """A value whose strings may hold `${expression}`. Raises: `ExpressionError`."""
    return Template.parse(value, found.parse)


def parse_condition(text: str | bool, found: References) -> Expression:
    """An expression, with or without `${}` around it. Raises: `ExpressionError`."""
    if isinstance(text, bool):
        return Expression.parse("true" if text else "false")
    text = text.strip()
    return found.parse(text[2:-1] if text.startswith("${") and text.endswith("}") else text)
