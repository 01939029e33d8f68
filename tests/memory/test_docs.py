"""The examples of `docs/memory.md` run."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "memory.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_runs(example: str) -> None:
    exec(compile(example, PAGE.name, "exec"), {})  # noqa: S102 - our own page


def test_the_page_says_as_many_concepts_as_there_are() -> None:
    from clawactors.memory.text.thesaurus import CONCEPTS

    assert f"a thesaurus of {len(CONCEPTS)} everyday concepts" in " ".join(PAGE.read_text(encoding="utf-8").split())
