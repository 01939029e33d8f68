"""The one expression language: CEL, for conditions and for values in templates. Deterministic, without side effects.

1. An expression is at most `LENGTH_MAX` characters, nested `DEPTH_MAX` deep, with macros (`exists`, `all`, `map` …)
   two deep; with macros it may take at most `ITERATIONS_MAX` steps on the collections that it is given.
2. A value is what JSON can hold, at most `RESULT_MAX_BYTES`.
3. The library is loaded when the first expression is parsed: its compiled module alone, without its command line.
"""

import importlib.util
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib.machinery import PathFinder
from typing import Any, Final

import msgspec

from clawactors.kernel.errors import Refused

__all__ = [
    "DEPTH_MAX",
    "ITERATIONS_MAX",
    "LENGTH_MAX",
    "RESULT_MAX_BYTES",
    "Expression",
    "ExpressionError",
    "Template",
]

LENGTH_MAX: Final = 4096
DEPTH_MAX: Final = 32
RESULT_MAX_BYTES: Final = 64_000
ITERATIONS_MAX: Final = 100_000
"""About 0.1 s."""
_MACROS_DEEP: Final = 2

_TOKEN: Final = re.compile(
    r"""(?P<text>[rRbB]{0,2}(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'))"""
    r"""|(?P<macro>\.\s*(?:all|exists|exists_one|existsOne|map|filter)\s*\()|(?P<open>[([{])|(?P<close>[)\]}])""",
    re.DOTALL,
)
_PLACE: Final = re.compile(r"ERROR: <input>:(\d+):(\d+): (?:Syntax error: )?([^\n]*)")
_MISSING: Final = (
    "expressions need the package common-expression-language: "
    "pip install 'clawactors[expressions]' where this process runs"
)


class ExpressionError(Refused):
    """The expression is wrong, or has no value for these variables; the text is one line, with the column if known."""


class Expression:
    """A parsed expression; `text` is its source."""

    def __init__(self, text: str, program: Any, macros: int) -> None:
        self.text, self._program, self._macros = text, program, macros

    def __repr__(self) -> str:
        return f"<expression {self.text!r}>"

    @property
    def variables(self) -> frozenset[str]:
        """The variables that it names, those of its macros too."""
        return frozenset(self._program.variables())

    @property
    def functions(self) -> frozenset[str]:
        """The functions that it calls; operators and macros are none."""
        return frozenset(name for name in self._program.functions() if name.isidentifier())

    @classmethod
    def parse(cls, text: str) -> "Expression":
        """The expression. Raises: `ExpressionError`: what is wrong, and at which column."""
        if not text.strip():
            raise ExpressionError("an expression is empty")
        if len(text) > LENGTH_MAX:
            raise ExpressionError(f"an expression has at most {LENGTH_MAX} characters, not {len(text)}")
        macros = _checked_depth(text)
        try:
            program = _library().compile(text)
        except ValueError as error:
            raise ExpressionError(_line(text, str(error))) from None
        except BaseException as error:
            raise _known(error, text) from None
        return cls(text, program, macros)

    def evaluate(self, variables: Mapping[str, Any]) -> Any:
        """The value, as JSON holds it. Raises: `ExpressionError`."""
        if self._macros:
            largest = max((len(each) for each in _collections(variables.values())), default=0)
            if largest**self._macros > ITERATIONS_MAX:
                raise ExpressionError(f"{_short(self.text)}: too much work on {largest} elements, narrow it down")
        try:
            value = self._program.execute(dict(variables))
            size = len(msgspec.json.encode(value))
        except BaseException as error:
            raise _known(error, self.text) from None
        if size > RESULT_MAX_BYTES:
            raise ExpressionError(f"{_short(self.text)}: its value has {size} bytes, {RESULT_MAX_BYTES} is the most")
        return value

    def holds(self, variables: Mapping[str, Any]) -> bool:
        """Whether the condition holds. Raises: `ExpressionError`, also where it is neither true nor false."""
        value = self.evaluate(variables)
        if not isinstance(value, bool):
            kind = type(value).__name__
            raise ExpressionError(f"{_short(self.text)}: a condition is true or false, this is a value of type {kind}")
        return value


class Template:
    """A JSON value whose strings may hold `${expression}`: alone in its string it gives its value, else text."""

    def __init__(self, parts: Any) -> None:
        self._parts = parts

    @classmethod
    def parse(cls, value: Any, expression: Callable[[str], Expression] = Expression.parse) -> "Template":
        """The template; `expression` parses what stands in `${…}`. Raises: `ExpressionError`."""
        return cls(_parsed(value, expression))

    def fill(self, variables: Mapping[str, Any]) -> Any:
        """The value. Raises: `ExpressionError`."""
        return _filled(self._parts, variables)


class _Text(msgspec.Struct, frozen=True):
    parts: tuple[str | Expression, ...]


def _parsed(value: Any, expression: Callable[[str], Expression]) -> Any:
    if isinstance(value, Mapping):
        return {key: _parsed(each, expression) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_parsed(each, expression) for each in value]
    if not isinstance(value, str) or "${" not in value:
        return value
    parts = tuple(_pieces(value, expression))
    return parts[0] if len(parts) == 1 and isinstance(parts[0], Expression) else _Text(parts)


def _pieces(text: str, expression: Callable[[str], Expression]) -> Iterator[str | Expression]:
    at = 0
    while (start := text.find("${", at)) >= 0:
        if start > at:
            yield text[at:start]
        at = _end(text, start + 2)
        yield expression(text[start + 2 : at - 1])
    if at < len(text):
        yield text[at:]


def _end(text: str, start: int) -> int:
    """Behind the brace that closes the expression."""
    open_ = 0
    for token in _TOKEN.finditer(text, start):
        if token["open"] or token["macro"]:
            open_ += 1
        elif token["close"]:
            if not open_:
                return token.end()
            open_ -= 1
    raise ExpressionError(f"{_short(text)}: a ${{ has no }}")


def _filled(part: Any, variables: Mapping[str, Any]) -> Any:
    if isinstance(part, dict):
        return {key: _filled(each, variables) for key, each in part.items()}
    if isinstance(part, list):
        return [_filled(each, variables) for each in part]
    if isinstance(part, Expression):
        return part.evaluate(variables)
    if isinstance(part, _Text):
        return "".join(each if isinstance(each, str) else _shown(each.evaluate(variables)) for each in part.parts)
    return part


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


@cache
def _library() -> Any:
    found = importlib.util.find_spec("cel")  # finds it, and runs nothing of it
    spec = found and PathFinder.find_spec("cel.cel", found.submodule_search_locations)
    if spec is None or spec.loader is None:
        raise ExpressionError(_MISSING)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _checked_depth(text: str) -> int:
    """How deep macros are nested. Raises: `ExpressionError`."""
    brackets: list[bool] = []
    macros = 0
    for token in _TOKEN.finditer(text):
        if token["open"] or token["macro"]:
            brackets.append(bool(token["macro"]))
            macros = max(macros, sum(brackets))
        elif token["close"] and brackets:
            brackets.pop()
        if len(brackets) > DEPTH_MAX:
            raise ExpressionError(f"column {token.start() + 1}: an expression is nested at most {DEPTH_MAX} deep")
        if macros > _MACROS_DEEP:
            raise ExpressionError(f"column {token.start() + 1}: macros are nested at most {_MACROS_DEEP} deep")
    return macros


def _collections(values: Iterable[Any]) -> Iterator[Any]:
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            yield value
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            yield value
            waiting.extend(value)


def _line(text: str, message: str) -> str:
    found = _PLACE.search(message)
    if found is None:
        return f"{_short(text)}: {' '.join(message.split())[:200]}"
    row, column, what = found.groups()
    what = what.partition(" expecting ")[0].replace("<EOF>", "end of text")
    where = f"column {column}" if row == "1" else f"line {row}, column {column}"
    return f"{_short(text)}: {where}: {what}"


def _known(error: BaseException, text: str) -> BaseException:
    """The error for people; what cancels or ends the process stays as it is, a panic of the library does not."""
    if isinstance(error, ExpressionError):
        return error
    if isinstance(error, Exception) or type(error).__name__ == "PanicException":
        return ExpressionError(f"{_short(text)}: {' '.join(str(error).split())[:200]}")
    return error


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:59]}…"
