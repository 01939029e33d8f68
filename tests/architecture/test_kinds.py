"""A kind is special in its own files and nowhere else: no `if kind ==`, no second list of kinds, no subject by hand.

That a system is added by its own files and two lists is shown by `tests/toy/`.
"""

import ast
import re
from collections.abc import Iterator, Mapping

import pytest

from clawactors.kinds import KINDS
from tests.architecture.source import hold, sources

NAMES = frozenset(KINDS.names)
SUBJECT = re.compile(rf"^claw\.({'|'.join(sorted(NAMES))})\.")
OWN = ("clawactors/systems/", "clawactors/runtime/node/", "projections/views/", "memory/")
"""The own files of systems, and two processes with kinds of their own: nodes run tasks, memory holds memories."""


def kinds_named(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Places where code asks for a kind by its name, lists kinds, or writes the subject of one."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare(left=left, comparators=[right]) if _is_kind(left) or _is_kind(right):
                for side in (left, right):
                    if named := _named(side):
                        yield node.lineno, f"compares a kind with {named}"
            case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
                if sum(isinstance(each, ast.Constant) and each.value in NAMES for each in elements) > 1:
                    yield node.lineno, "lists kinds"
            case ast.Constant(value=str(text)) if SUBJECT.match(text):
                yield node.lineno, f"writes the subject {text!r}"


def _is_kind(side: ast.expr) -> bool:
    return ast.unparse(side).rpartition(".")[2] == "kind"


def _named(side: ast.expr) -> str:
    match side:
        case ast.Constant(value=str(text)) if text in NAMES:
            return repr(text)
        case ast.Attribute(value=ast.Name(id=name), attr="kind" | "name") if name.isupper():
            return ast.unparse(side)
        case ast.Tuple(elts=elements) | ast.Set(elts=elements):
            return next(filter(None, map(_named, elements)), "")
    return ""


def test_nothing_but_a_kinds_own_files_asks_which_kind_something_has() -> None:
    found: Mapping[str, str] = {
        path: f"{path}:{line} {what}"
        for path, tree in sources().items()
        if not path.startswith(OWN)
        for line, what in kinds_named(tree)
    }
    hold(found, to_do="put what is special about a kind into its Kind, or hand it in by kind")


@pytest.mark.parametrize(
    "source",
    [
        "if commit.kind == 'task': ...",
        "if commit.kind == SCHEDULE.kind: ...",
        "if kind in ('node', 'x'): ...",
        "PATTERNS = ('task', 'node')",
        "log.follow(['claw.schedule.>'])",
        "log.follow([f'claw.task.*.to.{node}'])",
    ],
)
def test_code_that_asks_for_a_kind_is_found(source: str) -> None:
    assert list(kinds_named(ast.parse(source)))


def test_code_that_is_handed_kinds_passes() -> None:
    source = "if kind in self._kinds or each.kind != first.kind: follow([kind.pattern for kind in kinds])"
    assert not list(kinds_named(ast.parse(source.replace(": f", ":\n    f"))))
