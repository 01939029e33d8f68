"""The page of guarantees names tests that exist, for every promise, and can be found."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "guarantees.md"
PROMISES = [
    line for line in PAGE.read_text(encoding="utf-8").partition("\n## Promised\n")[2].splitlines() if "| " in line
]


def all_tests() -> dict[str, bool]:
    """Every test, and whether it runs only with `--soak`."""
    found: dict[str, bool] = {}
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                found[node.name] = any(ast.unparse(mark) == "pytest.mark.soak" for mark in node.decorator_list)
    return found


def test_every_test_that_is_named_exists_and_is_marked_as_the_page_says() -> None:
    tests = all_tests()
    named = re.findall(r"`(test_\w+)`( \(soak\))?", "\n".join(PROMISES))
    assert len(named) > 40
    for name, soak in named:
        assert name in tests, f"{PAGE.name} names {name}, which is not in tests/"
        assert tests[name] == bool(soak), name


def test_every_promise_says_where_it_holds_and_names_a_test_that_always_runs() -> None:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in PROMISES[2:]]
    assert len(rows) > 20
    for promise, *more in rows:
        where, shown_by = more
        if promise.startswith("**") and not where:
            continue
        assert where, promise
        assert re.search(r"`test_\w+`(?! \(soak\))", shown_by), promise


@pytest.mark.parametrize("page", ["README.md", "docs/concepts.md", "docs/operations.md"])
def test_the_page_is_linked(page: str) -> None:
    assert "guarantees.md)" in (ROOT / page).read_text(encoding="utf-8")
