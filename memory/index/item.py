"""A memory as the index keeps it, and what it is found by."""

import re
from typing import Final

import msgspec

from clawactors.memory.text.normal import clean, fold
from clawactors.systems.memories import Content, Kind, Memory

__all__ = ["KINDS", "Item", "asks", "marks_of", "object_term", "subject_term", "tag_term", "text_of"]

KINDS: Final[tuple[Kind, ...]] = ("raw", "summary", "knowledge")
# The first characters of terms that no word has: tags, and what facts are about.
_TAG, _SUBJECT, _OBJECT = "\x02", "\x03", "\x04"
_NAME_LIMIT: Final = 96
_ASKS = re.compile('[?\uff1f\u061f]\\s*["\u201d\u2019\u300d\u300f)\uff09]*\\s*$')


class Item(msgspec.Struct, frozen=True, array_like=True):
    """A memory with its number in the index and the log sequence that made it so."""

    number: int
    id: str
    version: int
    memory: Memory

    @property
    def sources(self) -> tuple[int, ...]:
        """The events that it comes from; a note comes from nothing but its own commit."""
        return self.content.sources or (self.version,)

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
    return _mark(_TAG, tag)


def subject_term(name: str) -> str:
    """The term of all facts about this."""
    return _mark(_SUBJECT, name)


def object_term(name: str) -> str:
    """The term of all facts that lead to this."""
    return _mark(_OBJECT, name)


def _mark(mark: str, name: str) -> str:
    return mark + fold(clean(name))[:_NAME_LIMIT]


def marks_of(item: Item) -> list[str]:
    """The terms beside those of its text."""
    content = item.content
    marks = [tag_term(tag) for tag in content.tags]
    if content.fact:
        marks += (subject_term(content.fact.subject), object_term(content.fact.object))
    return marks


def asks(text: str) -> bool:
    """True for a question: it seldom holds what another question wants to know."""
    return _ASKS.search(text) is not None
