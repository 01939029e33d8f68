"""Every link of the pages leads somewhere, and every decision that a page or the code names is there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
CODE = sorted(
    path
    for top in ("bin", "clawactors", "eventlog", "projections", "memory", "examples", "benchmarks", "tests")
    for path in (ROOT / top).rglob("*")
    if path.is_file() and path.suffix in {".py", ".sh", ""}
)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
DECISION = re.compile(r"\bdocs/adr/(\d{4})|\bADR (\d{1,4})\b(?:, (\d{1,4})\b)*(?: and (\d{1,4})\b)?")


def anchors(text: str) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ +(.+?) *$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(page: Path, text: str) -> Iterator[str]:
    for target in LINK.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        to = (page.parent / path).resolve() if path else page
        if to != page and not (to.exists() and to.is_relative_to(ROOT)):
            yield f"{page.name}: {target} leads nowhere"
        elif anchor and anchor not in anchors(text if to == page else to.read_text("utf-8")):
            yield f"{page.name}: {target}: the page has no such heading"


def missing_decisions(where: str, text: str) -> Iterator[str]:
    for match in DECISION.finditer(text):
        for number in re.findall(r"\d+", match[0]):
            if not list((ROOT / "docs" / "adr").glob(f"{int(number):04d}-*.md")):
                yield f"{where}: decision {int(number)} is not in docs/adr/"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    found = [*dead_links(page, text), *missing_decisions(page.name, text)]
    assert not found, "\n".join(found)


def test_every_decision_that_the_code_names_is_there() -> None:
    found = [
        text
        for path in CODE
        if path != Path(__file__)
        for text in missing_decisions(str(path.relative_to(ROOT)), path.read_text("utf-8", "replace"))
    ]
    assert not found, "\n".join(found)


def test_a_link_that_leads_nowhere_is_found() -> None:
    page = ROOT / "docs" / "page.md"
    text = "# One thing\n[a](gone.md) [b](#one-thing) [c](#another) [d](../README.md#nothing) [e](https://x.org/y)\n"
    assert [line.split()[1] for line in dead_links(page, text)] == ["gone.md", "#another:", "../README.md#nothing:"]


def test_a_decision_that_is_missing_is_found() -> None:
    text = "as docs/adr/9998 says, and ADR 20 (batches), 9997; ADR 1, 9996 and 9995"
    assert [line.split()[2] for line in missing_decisions("x", text)] == ["9998", "9996", "9995"]
