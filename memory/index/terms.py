"""The text by which a memory is found, and the terms for its tags and facts."""

from typing import Final

from clawactors.memory.consolidation.claims import claims_in
from clawactors.memory.item import Item
from clawactors.memory.text.normal import clean, fold

__all__ = ["extra_terms", "object_term", "searched_text", "slot_term", "subject_term", "tag_term"]

# The first characters of terms that no word starts with.
_TAG, _SUBJECT, _OBJECT, _SLOT = "\x02", "\x03", "\x04", "\x05"
_NAME_LIMIT: Final = 96


def searched_text(item: Item) -> str:
    """The speaker, the text and the tags of a memory."""
    content = item.content
    return " ".join(filter(None, (content.speaker, content.text, *content.tags)))


def tag_term(tag: str) -> str:
    """The term of all memories with this tag."""
    return _term(_TAG, tag)


def subject_term(name: str) -> str:
    """The term of all facts with this subject."""
    return _term(_SUBJECT, name)


def object_term(name: str) -> str:
    """The term of all facts with this object."""
    return _term(_OBJECT, name)


def slot_term(slot: str) -> str:
    """The term of all notes that claim a value for this slot."""
    return _term(_SLOT, slot)


def _term(mark: str, name: str) -> str:
    return mark + fold(clean(name))[:_NAME_LIMIT]


def extra_terms(item: Item) -> list[str]:
    """The terms of its tags, of its fact and of what it claims, beside those of its text."""
    content = item.content
    terms = [tag_term(tag) for tag in content.tags]
    if content.fact:
        terms += (subject_term(content.fact.subject), object_term(content.fact.object))
    return terms + [slot_term(slot) for slot in dict.fromkeys(claim.slot for claim in claims_in(content))]
