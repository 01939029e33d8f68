"""Markdown and plain text as notes: one memory per paragraph, list entry, table row or piece of code.

A heading tags what stands under it, and dates it if it holds a date. Rows of a table keep the names of their columns,
code keeps its lines and their indentation. Lines are read one after the other, so that large files need little memory.
"""

import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from clawactors.memory.ingest.chunking import chunks, code_chunks, shaped
from clawactors.memory.ingest.jsonlines import DATES, Dropped
from clawactors.memory.text.date import DateReader
from clawactors.memory.text.importance import importance, tone
from clawactors.memory.text.normal import clean
from clawactors.systems.memories import Content

__all__ = ["from_markdown", "from_text", "prose"]

_HEADING = re.compile(r"\s{0,3}(#{1,6})(?:\s+(.*?))?(?:\s+#*)?$")
_UNDERLINE = re.compile(r"\s{0,3}(=+|-+)\s*$")
_BREAK = re.compile(r"\s{0,3}(?:[-*_]\s*){3,}$")
_ENTRY = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+(?:\[[ xX]\]\s+)?(.*)")
_FENCE = re.compile(r"(\s*)(`{3,}(?!.*`)|~{3,})")
_INDENTED = re.compile(r"(?: {4}|\t)")
_DELIMITER = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_BAR = re.compile(r"(?<!\\)\|")
_TWO_WAYS = re.compile(r"\b\d{1,2}/\d{1,2}/\d{2,4}\b")
_TAG_LIMIT: Final = 64
_FRONT_LINES: Final = 100
_TOGETHER: Final = 65_536
"""Characters of a paragraph or of code that are read together; a file may be one paragraph."""
_FRONT_DATE = re.compile(r"(?:date|created|updated)\s*:\s*[\"']?(.+?)[\"']?\s*$", re.IGNORECASE)
_FRONT_TAGS = re.compile(r"(?:tags?|keywords|categories)\s*:(.*)$", re.IGNORECASE)
_FRONT_ENTRY = re.compile(r"\s*-\s+(.+)$")


class _Block(NamedTuple):
    """`level` 1 to 6 is a heading; of code the lines stay lines; `row` is one of a table."""

    lines: list[str]
    level: int = 0
    code: bool = False
    row: bool = False


def from_markdown(
    lines: Iterable[str],
    *,
    owner: str = "",
    session: str = "",
    tags: tuple[str, ...] = (),
    dates: DateReader = DATES,
) -> Iterator[Content | Dropped]:
    """The memories of a Markdown file; `position` counts them. A date that may be two days is dropped, not guessed."""
    headings: list[tuple[int, str, int]] = []
    dated_ns, stated, lines = _front_matter(iter(lines), dates)
    position = itertools.count()
    for block in _Blocks().of(lines):
        if block.level:
            name = clean(" ".join(block.lines))
            above = [one for one in headings if one[0] < block.level]
            at_ns = above[-1][2] if above else 0
            try:
                at_ns = dates.time(name)
            except ValueError as error:
                if _TWO_WAYS.search(name):
                    yield Dropped(f"heading {name[:40]!r}", str(error))
            headings = [*above, (block.level, name[:_TAG_LIMIT], at_ns)]
            continue
        pieces = code_chunks(block.lines) if block.code else chunks(" ".join(map(str.strip, block.lines)))
        under = tuple(dict.fromkeys((*tags, *stated, *(name for _, name, _ in headings if name))))
        at_ns = (headings[-1][2] if headings else 0) or dated_ns
        for piece in pieces:
            yield _content(piece, owner=owner, session=session, position=next(position), tags=under, happened_ns=at_ns)


def prose(text: str) -> list[str]:
    """The paragraphs and list entries of a text, without headings, tables and code; all of it if it is only that."""
    blocks = [block for block in _Blocks().of(text.split("\n")) if not (block.level or block.code or block.row)]
    return [" ".join(map(str.strip, block.lines)) for block in blocks] or [text]


def from_text(
    lines: Iterable[str], *, owner: str = "", session: str = "", tags: tuple[str, ...] = ()
) -> Iterator[Content]:
    """The memories of a plain text: one per paragraph, whose lines stay lines; `position` counts them."""
    position = itertools.count()
    for filled, group in itertools.groupby(map(shaped, lines), key=bool):
        for piece in _pieces_of(group) if filled else ():
            yield _content(piece, owner=owner, session=session, position=next(position), tags=tags)


def _pieces_of(lines: Iterable[str]) -> Iterator[str]:
    part: list[str] = []
    size = 0
    for line in lines:
        part.append(line)
        size += len(line)
        if size >= _TOGETHER:
            yield from chunks("\n".join(part))
            part, size = [], 0
    yield from chunks("\n".join(part))


def _content(text: str, **fields: Any) -> Content:
    return Content(text=text, importance=importance(text), tone=tone(text), origin="import", **fields)


def _front_matter(lines: Iterator[str], dates: DateReader) -> tuple[int, list[str], Iterator[str]]:
    """The date and tags that a file states about itself between two lines `---` at its start; the lines behind them."""
    head = list(itertools.islice(lines, 1))
    if not head or head[0].strip() != "---":
        return 0, [], itertools.chain(head, lines)
    for line in itertools.islice(lines, _FRONT_LINES):
        head.append(line)
        if line.strip() in ("---", "..."):
            found = [match for one in head if (match := _FRONT_DATE.match(one))]
            is_block = all(":" in one or not one.strip() or one[0] in " -#" for one in head)
            if not is_block:
                lines = itertools.chain(head, lines)
            return (dates.time_in(found[0][1]) if found else 0), _front_tags(head) if is_block else [], lines
    return 0, [], itertools.chain(head, lines)


def _front_tags(head: Iterable[str]) -> list[str]:
    """The tags of a front matter: `tags: [a, b]`, `tags: a, b`, or one `- a` per line below `tags:`."""
    found: list[str] = []
    listed = False
    for line in head:
        entry = _FRONT_ENTRY.match(line) if listed else None
        if entry:
            found.append(entry[1])
        elif match := _FRONT_TAGS.match(line):
            found += match[1].strip().strip("[]").split(",")
            listed = not match[1].strip()
        else:
            listed = False
    return [tag[:_TAG_LIMIT] for name in found if (tag := clean(name).strip().strip("\"'#"))]


class _Blocks:
    """Splits lines into blocks."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._fence: tuple[str, int] | None = None
        self._code = self._in_list = False
        self._heads: list[str] | None = None
        self._rows = self._size = 0

    def of(self, lines: Iterable[str]) -> Iterator[_Block]:
        """The blocks, in order."""
        for line in map(shaped, lines):
            if self._fence is not None:
                yield from self._in_fence(line)
            elif self._heads is not None and "|" in line:
                self._rows += 1
                yield _Block([_row(self._heads, _cells(line))], row=True)
            else:
                yield from self._end_of_table()
                yield from self._outside(line)
            self._size = self._size + len(line) if self._lines else 0
            if self._size >= _TOGETHER:
                yield from self._part()
        yield from self._end_of_table()
        yield from self._gathered()

    def _gathered(self) -> Iterator[_Block]:
        yield from self._part()
        self._code = False

    def _part(self) -> Iterator[_Block]:
        if any(self._lines):
            yield _Block(self._lines, code=self._code)
        self._lines = []

    def _end_of_table(self) -> Iterator[_Block]:
        if self._heads is not None and not self._rows:
            yield _Block([" | ".join(filter(None, self._heads))])
        self._heads, self._rows = None, 0

    def _in_fence(self, line: str) -> Iterator[_Block]:
        mark, indent = self._fence or ("", 0)
        body = line.strip()
        if len(body) >= len(mark) and not body.strip(mark[0]):
            yield from self._gathered()
            self._fence = None
        else:
            self._lines.append(line[min(indent, len(line) - len(line.lstrip())) :])

    def _outside(self, line: str) -> Iterator[_Block]:
        indented = _INDENTED.match(line) is not None and not self._in_list
        if self._code:
            if indented or not line:
                self._lines.append(line[4:] if line.startswith(" ") else line[1:])
                return
            yield from self._gathered()
        if fence := _FENCE.match(line):
            yield from self._gathered()
            self._fence, self._code = (fence[2], len(fence[1])), True
        elif indented and not self._lines:
            self._code = True
            self._lines.append(line[4:] if line.startswith(" ") else line[1:])
        elif heading := _HEADING.match(line):
            yield from self._gathered()
            self._in_list = False
            yield _Block([heading[2] or ""], level=len(heading[1]))
        elif self._begins_table(line):
            self._heads = _cells(self._lines.pop())
            yield from self._gathered()
        elif self._lines and not self._in_list and (under := _UNDERLINE.match(line)):
            yield _Block(self._lines, level=1 if under[1][0] == "=" else 2)
            self._lines = []
        elif _BREAK.match(line):
            yield from self._gathered()
        elif entry := _ENTRY.match(line):
            yield from self._gathered()
            self._in_list = True
            self._lines.append(entry[1])
        elif line:
            self._in_list = self._in_list and (bool(self._lines) or line[0] in " \t")
            self._lines.append(line)
        else:
            yield from self._gathered()

    def _begins_table(self, line: str) -> bool:
        """True for the line of dashes under the names of the columns."""
        if not (self._lines and "-" in line and _DELIMITER.match(line) and "|" in self._lines[-1]):
            return False
        return len(_cells(line)) == len(_cells(self._lines[-1]))


def _cells(line: str) -> list[str]:
    body = line.strip().removeprefix("|")
    body = body[:-1] if body.endswith("|") and not body.endswith("\\|") else body
    return [cell.strip().replace("\\|", "|") for cell in _BAR.split(body)]


def _row(heads: list[str], cells: list[str]) -> str:
    """The cells of a row, each with the name of its column."""
    named = itertools.zip_longest(heads[: len(cells)], cells, fillvalue="")
    return "; ".join(f"{head}: {cell}" if head else cell for head, cell in named if cell)
