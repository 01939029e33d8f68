"""A memory as the index keeps it, and what it is found by."""

import re
from typing import Final

import msgspec

from clawactors.memories import Content, Kind, Memory
from memory.text.normal import fold

__all__ = ["KINDS", "TAG_MARK", "Item", "asks", "tag_term", "text_of"]

KINDS: Final[tuple[Kind, ...]] = ("raw", "summary", "knowledge")
TAG_MARK: Final = "\x02"
"""First character of a tag among terms."""

_TAG_LIMIT: Final = 96
_ASKS = re.compile('[?\uff1f\u061f]\\s*["\u201d\u2019\u300d\u300f)\uff09]*\\s*$')


class Item(msgspec.Struct, frozen=True, array_like=True):
    """A memory with its number in the index and the log sequence that made it so."""

    number: int
    id: str
    version: int
    memory: Memory

    @property
    def content(self) -> Content:
        """What is remembered. Raises: `ValueError` for what was forgotten."""
        if self.memory.content is None:
            raise ValueError(f"{self.id} has no content")
        return self.memory.content


def text_of(item: Item) -> str:
    """What it is searched by: who said it, what, and its tags."""
    content = item.content
    return " ".join(filter(None, (content.speaker, content.text, *content.tags)))


def tag_term(tag: str) -> str:
    """The term that stands for a tag as a filter."""
    return TAG_MARK + fold(tag)[:_TAG_LIMIT]


def asks(text: str) -> bool:
    """True for a question: it seldom holds what another question wants to know."""
    return _ASKS.search(text) is not None
