"""The readable text of a web page: no scripts, menus or forms; blocks on lines of their own. Pure."""

import re
from html.parser import HTMLParser
from typing import Final, override

import msgspec

__all__ = ["PageText", "text_of_page"]

_SKIPPED: Final = frozenset(
    ("script", "style", "noscript", "template", "svg", "math", "nav", "header", "footer", "aside", "form", "button",
     "select", "iframe", "object", "canvas", "dialog", "head")
)  # fmt: skip
_BLOCKS: Final = frozenset(
    ("p", "div", "section", "article", "main", "ul", "ol", "table", "tr", "blockquote", "pre", "dl", "dt", "dd", "br",
     "h1", "h2", "h3", "h4", "h5", "h6", "li", "figure", "figcaption", "hr", "address", "details", "summary")
)  # fmt: skip
_VOID: Final = frozenset(("br", "hr", "img", "input", "meta", "link", "area", "base", "col", "embed", "source", "wbr"))
_BODY: Final = ("article", "main")
_ENOUGH_CHARS: Final = 200
_SPACES: Final = re.compile(r"[ \t\r\f\v\u00a0]+")
_LINES: Final = re.compile(r" *\n[ \n]*")


class PageText(msgspec.Struct, frozen=True):
    """The title and the text of a page."""

    title: str
    text: str


def text_of_page(html: str) -> PageText:
    """What a person reads on the page; of a page with an `<article>` or `<main>` that says enough, only that."""
    reader = _PageReader()
    reader.feed(html)
    reader.close()
    title = " ".join("".join(reader.title).split())
    inner = _tidied("".join(reader.inner))
    return PageText(title, inner if len(inner) >= _ENOUGH_CHARS else _tidied("".join(reader.all)))


def _tidied(text: str) -> str:
    return _LINES.sub("\n", _SPACES.sub(" ", text)).strip()


class _PageReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.all, self.inner, self.title = list[str](), list[str](), list[str]()
        self._skipped: list[str] = []  # the open elements from the first that is left out
        self._bodies = 0
        self._in_title = False

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title":
            self._in_title = not self.title
        if tag == "body":
            self._skipped.clear()  # a head that was left open
        if self._skipped:
            if tag in _SKIPPED:
                self._skipped.append(tag)
            return
        given = dict(attrs)
        if tag not in _VOID and tag in _SKIPPED:
            self._skipped.append(tag)
            return
        self._bodies += tag in _BODY
        if tag in _BLOCKS:
            self._write("\n- " if tag == "li" else "\n")
        elif tag in ("td", "th"):
            self._write(" | ")
        elif tag == "img" and given.get("alt"):
            self._write(f" {given['alt']} ")

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        if self._skipped:
            if tag in self._skipped:
                while self._skipped and self._skipped.pop() != tag:
                    pass
            return
        if tag in _BLOCKS:
            self._write("\n")
        if tag in _BODY:
            self._bodies = max(0, self._bodies - 1)

    @override
    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title.append(data)
        elif not self._skipped:
            self._write(data)

    def _write(self, text: str) -> None:
        self.all.append(text)
        if self._bodies:
            self.inner.append(text)
