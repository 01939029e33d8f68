"""One way to write: the dispatcher alone appends to the log."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.source import hold, sources

DISPATCHER = ("clawactors/runtime/dispatcher.py", "clawactors/runtime/aggregate.py")
"""The dispatcher and its queue of one aggregate, which only the dispatcher makes."""
ADAPTERS = ("eventlog/", "clawactors/testing/link.py")
"""Implement `append`; what they call is their own."""


def appends(tree: ast.Module) -> Iterator[int]:
    """Lines that append to a log: `append` is a list's as well, but nobody awaits a list or names it `log`."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="append_many" | "append_all")):
                yield node.lineno
            case ast.Await(value=ast.Call(func=ast.Attribute(attr="append"))):
                yield node.lineno
            case ast.Attribute(attr="append", value=ast.Name(id="log") | ast.Attribute(attr="log" | "_event_log")):
                yield node.lineno


def test_only_the_dispatcher_appends_to_the_log() -> None:
    found = {
        path: f"{path}:{min(lines)} appends to the log"
        for path, tree in sources().items()
        if path not in DISPATCHER and not path.startswith(ADAPTERS) and (lines := list(appends(tree)))
    }
    for path in DISPATCHER:
        assert list(appends(sources()[path])), f"{path} appends: else this test looks for the wrong thing"
    hold(found, to_do="send a Call to the process's Dispatcher")


@pytest.mark.parametrize(
    "source",
    [
        "async def f(self): await self.context.log.append(draft, 3)",
        "def f(log): tasks.append(create_task(log.append(draft, 3)))",
        "async def f(log): return await log.append_many([])",
        "async def f(log): return await log.append_all([])",
        "async def f(journal): await journal.append(draft, 3)",
    ],
)
def test_an_append_elsewhere_is_found(source: str) -> None:
    assert set(appends(ast.parse(source))) == {1}


def test_lists_may_be_appended_to() -> None:
    assert not list(appends(ast.parse("def f(rows): rows.append(1); self.appends.append(2)")))


def test_only_the_dispatcher_makes_queues_of_aggregates() -> None:
    makers = {
        path
        for path, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("AggregateQueue")
    }
    assert makers == {DISPATCHER[0]}
