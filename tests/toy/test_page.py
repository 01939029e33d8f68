"""The page on adding a system shows the toy's code as it is."""

import re

import pytest

from tests.architecture.source import ROOT

PAGE = (ROOT / "docs" / "adding-a-system.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE, re.DOTALL)


def test_every_python_block_names_its_file() -> None:
    assert len(BLOCKS) == PAGE.count("```python") > 10


@pytest.mark.parametrize(("path", "snippet"), BLOCKS, ids=[f"{path}-{n}" for n, (path, _) in enumerate(BLOCKS)])
def test_a_snippet_is_what_the_file_says(path: str, snippet: str) -> None:
    text = (ROOT / path).read_text("utf-8")
    assert f"\n{snippet}" in text, f"docs/adding-a-system.md is not what {path} says; copy it from there"


def test_every_file_that_the_page_names_exists() -> None:
    paths = set(re.findall(r"`((?:tests|clawactors|projections|memory|eventlog|docs)/[\w./-]+)`", PAGE))
    assert len(paths) > 8
    missing = [path for path in paths if not (ROOT / path).exists()]
    assert not missing, missing
