"""The text of a definition: YAML, TOML or JSON, with the place of each value.

1. What is read is JSON: text, numbers, true, false, null, lists, and objects whose keys are texts.
2. YAML is YAML 1.2: `on`, `no` and dates are texts. Tags, merge keys and several documents are refused.
3. A text has at most `TEXT_MAX_BYTES`, `DEPTH_MAX` levels and, aliases counted in full, `VALUES_MAX` values.
"""

import json
import re
import tomllib
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Any, Final

from clawactors.runtime.workflows.problems import DefinitionProblem, InvalidDefinition

__all__ = ["DEPTH_MAX", "TEXT_MAX_BYTES", "DefinitionSource", "read_source"]

TEXT_MAX_BYTES: Final = 4 << 20
DEPTH_MAX: Final = 50
_TOO_DEEP: Final = f"values are nested more than {DEPTH_MAX} deep"

type Path = Sequence[str | int]
type Find = Callable[[Path, bool], tuple[int, int]]

_TOML_PLACE: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)")


class DefinitionSource:
    """A value that was read from text; `file` names the text."""

    def __init__(self, value: Any, file: str, find: Find | None = None) -> None:
        self.value, self.file, self._find = value, file, find

    def problem(self, path: Path, message: str, *, key: bool = False) -> DefinitionProblem:
        """The problem with what stands at that path; with `key`, with the key itself."""
        if self._find is not None:
            return DefinitionProblem(self.file, *self._find(path, key), message)
        where = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path).lstrip(".")
        return DefinitionProblem(self.file, 0, 0, f"{where}: {message}" if where else message)


def read_source(text: str | bytes, file: str = "") -> DefinitionSource:
    """What the text says; the ending of the file's name tells the language, else it is YAML, or JSON if it begins so.

    Raises: `InvalidDefinition`.
    """
    name = file or "definition"

    def refuse(message: str, line: int = 1, column: int = 1) -> InvalidDefinition:
        return InvalidDefinition([DefinitionProblem(name, line, column, message)])

    if len(text) > TEXT_MAX_BYTES:
        raise refuse(f"a definition has at most {TEXT_MAX_BYTES >> 20} MB; let steps run other workflows")
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            before = error.object[: error.start]
            column = error.start - (before.rfind(b"\n") + 1) + 1
            raise refuse("the text is not UTF-8", before.count(b"\n") + 1, column) from None
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise refuse("the text is empty; a definition begins with `workflow: NAME`")
    kind = PurePath(file).suffix.lower()
    if kind == ".json" or (kind not in (".yaml", ".yml", ".toml") and text.lstrip().startswith("{")):
        return _read_json(text, name)
    if kind == ".toml":
        return _read_toml(text, name)
    from clawactors.runtime.workflows.yamltext import read_yaml

    value, find = read_yaml(text, refuse)
    return DefinitionSource(value, name, find)


def _read_json(text: str, file: str) -> DefinitionSource:
    def refuse(message: str, at: int) -> InvalidDefinition:
        return InvalidDefinition([DefinitionProblem(file, *_place(text, at), message)])

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            at = [found.start() for found in re.finditer(re.escape(json.dumps(twice)) + r"\s*:", text)]
            raise refuse(f"the key {twice!r} stands twice in one object; remove one", at[1] if len(at) > 1 else 0)
        return made

    def constant(name: str) -> Any:
        raise refuse(f"{name} is not JSON; write a number", text.find(name))

    try:
        value = json.loads(text, object_pairs_hook=unique, parse_constant=constant)
    except json.JSONDecodeError as error:
        raise refuse(f"this is not JSON: {error.msg}", error.pos) from None
    except RecursionError:
        raise refuse(_TOO_DEEP, 0) from None
    if _is_deep(value):
        raise refuse(_TOO_DEEP, 0)
    return DefinitionSource(value, file, lambda path, key: _place(text, _json_offset(text, path, key)))


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEPTH_MAX + 2):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return bool(level)


def _place(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1


_SPACE: Final = re.compile(r"[\s,:]*")


def _json_offset(text: str, path: Path, of_key: bool) -> int:
    """Where the value at the path begins, as far as there is one."""
    decoder = json.JSONDecoder()
    at = _skip(text, 0)
    for depth, step in enumerate(path):
        last = depth == len(path) - 1
        inner = _skip(text, at + 1)
        number = 0
        while text[inner] not in "]}":
            start = inner
            if text[at] == "{":
                key, inner = decoder.raw_decode(text, inner)
                inner = _skip(text, inner)
                found = key == step
            else:
                found = number == step
            if found:
                at = start if last and of_key else inner
                break
            inner = _skip(text, decoder.raw_decode(text, inner)[1])
            number += 1
        else:
            return at
    return at


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _read_toml(text: str, file: str) -> DefinitionSource:
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _TOML_PLACE.search(str(error))
        line, column = (int(found[1]), int(found[2])) if found and found[1] else _place(text, len(text))
        message = f"this is not TOML: {_TOML_PLACE.sub('', str(error))}"
        raise InvalidDefinition([DefinitionProblem(file, line, column, message)]) from None
    except RecursionError:
        raise InvalidDefinition([DefinitionProblem(file, 1, 1, _TOO_DEEP)]) from None
    if _is_deep(value):
        raise InvalidDefinition([DefinitionProblem(file, 1, 1, _TOO_DEEP)])
    return DefinitionSource(_as_json(value), file, lambda path, _: _toml_place(text, path))


def _as_json(value: Any) -> Any:
    """Times as texts."""
    if isinstance(value, dict):
        return {key: _as_json(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_as_json(each) for each in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def _toml_place(text: str, path: Path) -> tuple[int, int]:
    """The line that most likely has it: the n-th `[[steps]]`, then the key; tables may be written in many ways."""
    start, end = 0, len(text)
    for step in path:
        if isinstance(step, int):
            heads = [found.start() for found in re.finditer(r"^\s*\[\[\s*steps\s*\]\]", text, re.MULTILINE)]
            if step < len(heads):
                start = _skip(text, heads[step])
                end = heads[step + 1] if step + 1 < len(heads) else len(text)
            continue
        found = re.compile(
            rf"""(?:^|[{{,.]|\[)[ \t]*(["']?{re.escape(str(step))}["']?)(?=\s*[=.\]])""", re.MULTILINE
        ).search(text, start, end)
        start = found.start(1) if found else start
    return _place(text, start)
