"""One way to read: a node asks the home of a kind for a state, and reads the log from a version that it knows."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.source import hold, imports, module_of, sources

NODE = ("clawactors/runtime/node/", "clawactors/app/processes/node.py")
"""What only nodes run."""
ACTOR = "clawactors/runtime/actor.py"
"""Nodes decide with it, and it reads what others appended meanwhile."""
LOG = re.compile(r"(^|\b|_)log$")


def readings(tree: ast.AST, *, from_start: bool) -> Iterator[int]:
    """Lines that read a log: all, or those that say not after which version."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="read", value=value), keywords=keywords) if LOG.search(
                ast.unparse(value)
            ):
                if not (from_start and any(each.arg == "after" for each in keywords)):
                    yield node.lineno


def test_a_node_reads_no_aggregate_from_its_start() -> None:
    found: dict[str, str] = {}
    for path, tree in sources().items():
        if path.startswith(NODE):
            found |= {f"{path}:{line}": f"{path}:{line} reads the log" for line in readings(tree, from_start=False)}
            if any(name.endswith(".LogSnapshots") for name in imports(module_of(path), tree)):
                found[path] = f"{path} folds aggregates from the log"
    hold(found, to_do="ask `context.dispatcher.snapshots`, or let an `Actor` catch up")


def test_an_actor_reads_only_what_follows_a_version_that_it_knows() -> None:
    tree = sources()[ACTOR]
    assert list(readings(tree, from_start=False)), f"{ACTOR} reads: else this test looks for the wrong thing"
    assert not list(readings(tree, from_start=True))
    [catch_up] = [each for each in ast.walk(tree) if isinstance(each, ast.AsyncFunctionDef) and each.name == "catch_up"]
    first = next(each for each in catch_up.body if isinstance(each, ast.If))
    assert ast.unparse(first.test).startswith("not self.version and ")
    assert all(line > first.lineno for line in readings(catch_up, from_start=False))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("async def f(self): return [r async for r in self.context.log.read([pattern])]", True),
        ("async def f(log): return [r async for r in log.read([pattern], until=7)]", True),
        ("async def f(log): return [r async for r in log.read([pattern], after=3)]", False),
        ("async def f(file): return file.read()", False),
    ],
)
def test_a_reading_from_the_start_is_found(source: str, found: bool) -> None:
    assert bool(list(readings(ast.parse(source), from_start=True))) is found
