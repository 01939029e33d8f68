"""The page on the Python API names what `Client` really has: methods that tools can see."""

import inspect
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import pytest

from clawactors import Client, Ref
from tests.app.clientparts import PARTS
from tests.architecture.source import ROOT

NAME = re.compile(r"`([a-z_]+(?:\.[a-z_]+)?)(?:\([^`]*\))?`")


def names(page: str) -> Iterator[str]:
    """The names in the first column of the tables of methods."""
    for table in re.findall(r"^\| method \|.*\n\| ---.*\n((?:\|.*\n)+)", page, re.MULTILINE):
        for line in table.splitlines():
            yield from NAME.findall(re.split(r"(?<!\\) \| ", line.removeprefix("| "))[0])


PAGE = (ROOT / "docs" / "python-api.md").read_text("utf-8")
NAMES = tuple(names(PAGE))


INNER = {"aclose", "close", "connect", "of", "record"}
"""How a client comes and goes, which the text says; and what `remember` does in the end."""


@pytest.mark.parametrize("kind", [Client, Ref, *PARTS.values()])
def test_every_public_method_is_on_the_page(kind: type) -> None:
    text = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
    named = {word for code in re.findall(r"`([^`\n]+)`", text) for word in re.findall(r"\w+", code)}
    missing = {name for name in dir(kind) if not name.startswith("_")} - named - INNER
    assert not missing, missing


def method_of(name: str) -> Callable[..., Any]:
    """What stands in the class by that name."""
    owner, _, method = name.rpartition(".")
    found = inspect.getattr_static(PARTS.get(owner, Client), method)
    if isinstance(found, property):
        assert found.fget is not None
        return found.fget
    if isinstance(found, cached_property):
        return found.func
    assert inspect.isfunction(found), f"{name} is no method"
    return found


def lacking(method: Callable[..., Any]) -> list[str]:
    """What a reader of `help(Client)` misses there."""
    signature = inspect.signature(method)
    misses = [
        f"type of {each.name}"
        for each in list(signature.parameters.values())[1:]
        if each.annotation is inspect.Parameter.empty
    ]
    if signature.return_annotation is inspect.Signature.empty:
        misses.append("type of what it returns")
    words = (inspect.getdoc(method) or "").splitlines()
    if not words or (len(words) > 1 and words[1]) or not re.search(r"[.`]$", words[0]):
        misses.append("docstring that begins with one line")
    return misses


def test_the_page_names_all_that_a_client_offers() -> None:
    assert len(NAMES) > 30
    assert {"tasks", "why", "cancel", "schedules.list", "set_node", "change_many"} <= {*NAMES}


@pytest.mark.parametrize("name", sorted({*NAMES, "ref", "snapshot", "ended", "remember", "recall", "say", "blob"}))
def test_what_the_page_names_is_a_typed_and_documented_method(name: str) -> None:
    assert lacking(method_of(name)) == []


def test_what_a_reader_misses_is_found() -> None:
    def bare(self, id, *, fresh: bool = True):  # type: ignore[no-untyped-def]
        pass

    assert lacking(bare) == ["type of id", "type of what it returns", "docstring that begins with one line"]
