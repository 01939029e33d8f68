"""Expressions within a definition: CEL, and what they refer to.

1. Steps are named as `steps.ID` or `steps["ID"]`, never computed: so it is known which steps an expression needs.
2. A plain path, such as `steps.fetch.result.rows[0]`, gives the value itself, however large.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, override

from clawactors.runtime.expressions import Expression, ExpressionError, Template

__all__ = ["FUNCTIONS", "References", "parse_condition", "parse_template"]

_NAME: Final = r"[A-Za-z_]\w*"
_TEXT: Final = (
    r"""[rRbB]{0,2}(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
)
_MENTION: Final = re.compile(
    rf"""(?<![\w.])(?P<root>steps|params)\b\s*(?:\.\s*(?P<name>{_NAME})|\[\s*(?:"(?P<d>[^"\\]*)"|'(?P<s>[^'\\]*)')\s*\])?"""
    rf"|(?P<text>{_TEXT})",
    re.DOTALL,
)
_BOUND: Final = re.compile(rf"\.\s*(?:all|exists|exists_one|existsOne|map|filter)\s*\(\s*({_NAME})\s*,")
_PATH: Final = re.compile(rf"""({_NAME})((?:\.{_NAME}|\[\d{{1,9}}\]|\["[^"\\]*"\]|\['[^'\\]*'\])*)""")
_PART: Final = re.compile(rf"""\.({_NAME})|\[(\d+)\]|\["([^"\\]*)"\]|\['([^'\\]*)'\]""")
_LITERALS: Final = ("true", "false", "null")

_OF_TIMES: Final = "Date DayOfMonth DayOfWeek DayOfYear FullYear Hours Milliseconds Minutes Month Seconds"
_OF_VALUES: Final = "bytes contains double duration dyn endsWith int matches size startsWith string timestamp type uint"
FUNCTIONS: Final = frozenset([*_OF_VALUES.split(), *(f"get{part}" for part in _OF_TIMES.split())])
"""What the library has, besides macros (`has`, `all`, `exists`, `exists_one`, `map`, `filter`)."""


class References:
    """What the expressions of one step refer to. `allowed` are the variables that there are; `problem` gets a text."""

    def __init__(self, allowed: frozenset[str], problem: Callable[[str], None]) -> None:
        self._allowed, self._problem = allowed, problem
        self.steps: dict[str, None] = {}
        self.params: dict[str, None] = {}

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
            if mention["root"] == "params":
                self.params |= {name: None} if name else {}
            elif name:
                self.steps[name] = None
            else:
                self._problem('name a step, as in steps.ID.result or steps["ID"].result')
        path = _PATH.fullmatch(text.strip())
        return _PathExpression(expression, path[1], path[2]) if path and path[1] not in _LITERALS else expression


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
