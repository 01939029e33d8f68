"""YAML, read to JSON values with places. The library is loaded when the first YAML is read."""

import re
from collections.abc import Callable
from typing import Any, Final

from clawactors.runtime.workflows.problems import InvalidDefinition
from clawactors.runtime.workflows.source import DEPTH_MAX, Find, Path

__all__ = ["VALUES_MAX", "read_yaml"]

VALUES_MAX: Final = 1_000_000

_TAG: Final = "tag:yaml.org,2002:"
_BRACKET: Final = re.compile(r"[\[\]{}]")
_BRACKETS_MAX: Final = 500
"""Texts may hold some that are never closed."""
_TEXTS: Final = ("str", "timestamp")
_INT: Final = re.compile(r"[-+]?(0o[0-7_]+|0x[0-9a-fA-F_]+|0b[01_]+|[0-9_]+)")

type Refuse = Callable[[str, int, int], InvalidDefinition]


def read_yaml(text: str, refuse: Refuse) -> tuple[Any, Find]:
    """The value, and what finds the place of a path. Raises: `InvalidDefinition`."""
    _refuse_deep(text, refuse)
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        nodes = list(YAML(typ="safe", pure=True).compose_all(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(filter(None, (error.context, error.problem)))
        if "'\\t'" in what:
            what = "tabs can't indent YAML; use spaces"
        raise refuse(f"this is not YAML: {what}", mark.line + 1, mark.column + 1) from None
    except YAMLError as error:
        raise refuse(f"this is not YAML: {' '.join(str(error).split())[:200]}", 1, 1) from None
    except RecursionError:
        raise refuse(f"values are nested more than {DEPTH_MAX} deep", 1, 1) from None
    if len(nodes) != 1:
        line = nodes[1].start_mark.line + 1 if nodes else 1
        raise refuse("a file holds one definition; put each into a file of its own", line, 1)
    reader = _NodeReader(refuse)
    return reader.read(nodes[0], 0), _finder(nodes[0])


def _refuse_deep(text: str, refuse: Refuse) -> None:
    """The library takes a time that grows with the square of the depth of brackets."""
    depth = 0
    for found in _BRACKET.finditer(text):
        depth += 1 if found[0] in "[{" else -1
        if depth > _BRACKETS_MAX:
            before = text[: found.start()]
            message = f"values are nested more than {DEPTH_MAX} deep"
            raise refuse(message, before.count("\n") + 1, found.start() - before.rfind("\n"))


class _NodeReader:
    def __init__(self, refuse: Refuse) -> None:
        self._refuse = refuse
        self._open: set[int] = set()
        self._known: dict[int, tuple[Any, int]] = {}
        self._count = 0

    def _no(self, node: Any, message: str) -> InvalidDefinition:
        return self._refuse(message, node.start_mark.line + 1, node.start_mark.column + 1)

    def read(self, node: Any, depth: int) -> Any:
        """The value of the node; that of an alias is the one of its anchor."""
        if (known := self._known.get(id(node))) is not None:
            self._spend(node, known[1])
            return known[0]
        if depth > DEPTH_MAX:
            raise self._no(node, f"values are nested more than {DEPTH_MAX} deep")
        if id(node) in self._open:
            raise self._no(node, "this anchor holds itself; write the value out")
        self._open.add(id(node))
        before = self._count
        self._spend(node, 1)
        value = self._value(node, depth)
        self._open.discard(id(node))
        if node.anchor:
            self._known[id(node)] = value, self._count - before
        return value

    def _spend(self, node: Any, values: int) -> None:
        self._count += values
        if self._count > VALUES_MAX:
            raise self._no(node, f"with its aliases written out this has more than {VALUES_MAX} values")

    def _value(self, node: Any, depth: int) -> Any:
        tag = str(node.tag or "")
        kind = tag.removeprefix(_TAG)
        if kind == "map" and node.id == "mapping":
            return self._mapping(node, depth)
        if kind == "seq" and node.id == "sequence":
            return [self.read(each, depth + 1) for each in node.value]
        if node.id != "scalar" or not tag.startswith(_TAG):
            raise self._no(node, f"the tag {tag[:40]!r} is not supported; write plain values")
        return self._scalar(node, kind)

    def _mapping(self, node: Any, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, value in node.value:
            if key.id != "scalar":
                raise self._no(key, "a key is a text")
            if str(key.tag) == f"{_TAG}merge" or (key.value == "<<" and not key.style):
                raise self._no(key, "merge keys (<<) are not supported; write the fields out")
            if key.value in made:
                raise self._no(key, f"the key {key.value!r} stands twice; remove one")
            made[key.value] = self.read(value, depth + 1)
        return made

    def _scalar(self, node: Any, kind: str) -> Any:
        text = node.value
        if kind in _TEXTS:
            return text
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        try:
            if kind == "int" and _INT.fullmatch(text):
                return self._whole(node, text.replace("_", ""))
            if kind == "float":
                return self._number(node, text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            pass
        raise self._no(node, f"{text[:40]!r} is no value of JSON; put it in quotes if it is a text")

    def _whole(self, node: Any, text: str) -> int:
        value = int(text, 0 if text.lstrip("+-")[:2] in ("0o", "0x", "0b") else 10)
        if not -(2**63) <= value < 2**63:
            raise self._no(node, "a whole number has at most 64 bits; put it in quotes")
        return value

    def _number(self, node: Any, text: str) -> float:
        value = float(text)
        if value in (float("inf"), float("-inf")) or value != value:
            raise self._no(node, f"{node.value!r} is not a number of JSON")
        return value


def _finder(root: Any) -> Find:
    def find(path: Path, of_key: bool) -> tuple[int, int]:
        node = place = root
        for step in path:
            if node.id == "sequence" and isinstance(step, int) and step < len(node.value):
                node = place = node.value[step]
                continue
            pairs = node.value if node.id == "mapping" else ()
            found = next(((key, value) for key, value in pairs if key.value == step), None)
            if found is None:
                break
            key, node = found
            place = key if of_key else node
        return place.start_mark.line + 1, place.start_mark.column + 1

    return find
