"""One word for one thing: what the glossary replaces is in no public name and in no page."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, exported, hold, sources

GLOSSARY = (ROOT / "docs" / "glossary.md").read_text("utf-8")
REPLACED = GLOSSARY.partition("\n## Replaced words\n")[2].partition("\n## ")[0]
PHRASES = (  # of the first edition's pages; the field says it shorter
    "lived through",
    "goes? round",
    "no more\\b(?! than| records)",
    "once more",
    "whoever",
    "is no (?:time|number|way)\\b(?! zone)",
    "in vain",
    "find out",
    "the way round",
    "of one's own",
    "learns? of\\b",
)
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")))


def replaced_words(table: str) -> set[str]:
    """The words on the left of the table: single words only, phrases are for people."""
    words = set[str]()
    for row in table.splitlines():
        if row.startswith("| ") and not row.startswith(("| not ", "| ---")):
            left = re.sub(r"\([^)]*\)", "", row.split("|")[1])
            words |= {word for word in re.split(r"[,/]", left) for word in [word.strip()] if word.isidentifier()}
    return words


def public_names(tree: ast.Module) -> Iterator[str]:
    """What a module shows: its exported names, and methods, properties and fields of exported classes."""
    shown = set(exported(tree) or ())
    yield from shown
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name in shown:
            for each in node.body:
                match each:
                    case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                        if not name.startswith("_"):
                            yield name
                    case ast.AnnAssign(target=ast.Name(id=name)):
                        if not name.startswith("_"):
                            yield name


def wrong_names(path: str, names: Iterable[str], words: Iterable[str]) -> Mapping[str, str]:
    """Names that are a replaced word, or begin with one that is a verb."""
    by_word = {word: word for word in words}
    found = {}
    for name in names:
        word = by_word.get(name) or by_word.get(name.partition("_")[0] if not name[0].isupper() else name)
        if word:
            found[f"{path}: {name}"] = f"{path}: {name} has the word {word!r}, which docs/glossary.md replaces"
    return found


def test_no_public_name_has_a_word_that_the_glossary_replaces() -> None:
    words = replaced_words(REPLACED)
    assert len(words) > 40
    found: dict[str, str] = {}
    for path, tree in sources().items():
        found |= wrong_names(path, public_names(tree), words)
        found |= wrong_names(path, [Path(path).stem.removeprefix("_") or "_"], words)
    hold(found, to_do="use the word on the right of the table")


def test_a_name_that_the_glossary_replaces_is_found() -> None:
    words = replaced_words("| not | but | meaning |\n| --- | --- | --- |\n| Desk, hear / Wish (client) | A | b |\n")
    assert words == {"Desk", "hear", "Wish"}
    tree = ast.parse("class Desk:\n    def hear_all(self): ...\n    hearing: int\nclass Wish: ...\n__all__ = ['Desk']")
    assert set(wrong_names("a.py", public_names(tree), words)) == {"a.py: Desk", "a.py: hear_all"}


def stale_phrases(text: str) -> Iterator[str]:
    for phrase in PHRASES:
        for match in re.finditer(rf"\b{phrase}", text, re.IGNORECASE):
            yield f"line {text.count(chr(10), 0, match.start()) + 1}: {match[0]!r}"


@pytest.mark.parametrize("page", [page for page in PAGES if page != "docs/glossary.md"])
def test_no_page_has_a_phrase_that_only_we_used(page: str) -> None:
    found = {page: f"{page}: {', '.join(lines)}"} if (lines := list(stale_phrases((ROOT / page).read_text()))) else {}
    hold(found, to_do="short sentences, active voice, the field's words")


def test_no_source_has_a_phrase_that_only_we_used() -> None:
    found = {
        path: f"{path}: {', '.join(lines)}"
        for path in sources()
        if (lines := list(stale_phrases((ROOT / path).read_text("utf-8"))))
    }
    hold(found, to_do="short sentences, active voice, the field's words")


def test_a_phrase_that_only_we_used_is_found() -> None:
    assert list(stale_phrases("A task is held\nNo more. It is no more than one.")) == ["line 2: 'No more'"]
