"""`docs/python-api.md` maps every option of a task: its name in Python, on the command line and in a batch file."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from clawactors import Client, spec_of
from clawactors.app.cli.arguments.keys import key
from clawactors.app.cli.arguments.notify import notify
from clawactors.app.cli.arguments.tasks import submit
from clawactors.app.cli.parsing import Parser, options_of
from clawactors.app.cli.request import RequestLine

PAGE = (Path(__file__).parents[2] / "docs" / "python-api.md").read_text("utf-8")
TABLE = PAGE.partition("| in Python | `claw submit` |")[2].partition("\n\n")[0]
COLUMNS = [
    [set(re.findall(r"`([\w-]+)`", cell)) for cell in column]
    for column in zip(*(line.split("|")[1:-1] for line in TABLE.splitlines()[2:]), strict=True)
]
PLACES = {"skill", "params"}
"""Given by their place."""


def test_every_option_of_submit_is_there() -> None:
    own = {name for name, each in inspect.signature(Client.submit).parameters.items() if each.kind is each.KEYWORD_ONLY}
    assert set.union(*COLUMNS[0]) == own | set(inspect.signature(spec_of).parameters) - PLACES


def test_every_option_of_the_command_line_is_there() -> None:
    every, parser = Parser("claw", ""), Parser("claw submit", "")
    submit(parser)
    assert set.union(*COLUMNS[1]) == long_options(parser) - long_options(every) - {"--wait", "--batch"}


def long_options(parser: Parser) -> set[str]:
    return set(re.findall(r"--[a-z][\w-]*", parser.format_usage()))


def test_every_name_of_a_batch_file_is_there() -> None:
    assert set.union(*COLUMNS[2]) == set(RequestLine.__struct_fields__) - PLACES


@pytest.mark.parametrize(
    ("declare", "given", "name"),
    [
        (submit, ["s", "--requires", "a,b", "--requires", "c"], "requires"),
        (submit, ["s", "--after", "a,b", "--after", "c"], "after"),
        (key, ["add", "k", "--scope", "a,b", "--scope", "c"], "scope"),
        (notify, ["add", "n", "--when", "a,b", "--when", "c"], "when"),
    ],
)
def test_a_list_that_is_given_twice_holds_both(declare: Callable[[Parser], None], given: list[str], name: str) -> None:
    parser = Parser("claw", "")
    declare(parser)
    assert getattr(options_of(parser, given), name) == ["a", "b", "c"]
