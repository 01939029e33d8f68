"""Type checkers know the arguments and the results of steps and skills."""

from pathlib import Path

from mypy import api

SNIPPET = Path(__file__).with_name("snippet.py")


def test_mypy_finds_each_mistake_of_the_snippet_and_no_other() -> None:
    said, errors, code = api.run(["--strict", "--no-error-summary", str(SNIPPET)])
    assert (said, errors, code) == ("", "", 0)
    assert SNIPPET.read_text("utf-8").count("# type: ignore[") >= 8
