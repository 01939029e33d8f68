"""All statements of a text, each once."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from typing import Final

from clawactors.memory.consolidation.facts.chinese import read_chinese
from clawactors.memory.consolidation.facts.english import CHANGED, read_english
from clawactors.memory.consolidation.facts.framing import earnest
from clawactors.memory.consolidation.facts.stated import People, Stated, is_han
from clawactors.memory.consolidation.facts.words import ATTRIBUTES, CONDITIONS, DIETS, PROFESSIONS, RELATIONS
from clawactors.memory.text.normal import fold

__all__ = ["read_statements"]

_LONGEST: Final = 400
"""Characters of a sentence; longer ones are logs, code or data."""
_MOST: Final = 20_000
"""Characters of a text that are read."""
_CACHED: Final = 2048

_WORD = re.compile(r"[^\W_]+")
_WHO: Final = frozenset("i we he she they my our his her their me us".split())
_THIRD: Final = (
    "lives resides moved relocated emigrated settled works joined became quit left resigned retired fired laid sacked hates likes loves enjoys adores prefers dislikes"
    " allergic turned born comes hails called named nicknamed speaks fluent has owns adopted married engaged divorced separated drinks eats plays learns studies drives"
    " smokes collects takes uses based employed working living switched stopped gave migrated changed converted is lies reports manages supervises goes does got no"
)
_FIRST: Final = frozenset(_THIRD.replace(" is ", " ").replace(" no", "").split()) | frozenset(
    "live lived reside residing work like love enjoy adore prefer hate dislike stand bear fan fond into keen from come call calls speak have own sold drink eat use play learn learning"
    " study take taking intolerant suffer diagnosed began begun i'm drive smoke collect grow teach coach ride started given gone become employer head years year age allergy go".split()
)
_NAMED = re.compile(rf"[^\W\d_a-zà-öø-ÿ][\w'-]*(?:,? [\w'-]+){{0,2}}? (?:{'|'.join(_THIRD.split())})\b")
_NUMBERED = re.compile(r"(?:\b(?:is|am|are)|'m|'s) \d")
_NOUNS: Final = frozenset(
    word
    for name in chain(
        RELATIONS,
        ATTRIBUTES,
        CONDITIONS,
        DIETS,
        PROFESSIONS,
        ("intolerant", "unemployed", "job", "jobs", "favourite", "favorite", "aka"),
    )
    for word in name.lower().replace("-", " ").split()[-1:]
    if word.isascii()
)


def read_statements(text: str, speaker: str) -> Iterator[tuple[Stated, str]]:
    """The statements of a text, each with its sentence; `speaker` is who says «I»."""
    return iter(_read(text[:_MOST], speaker))


@lru_cache(_CACHED)
def _read(text: str, speaker: str) -> tuple[tuple[Stated, str], ...]:
    if not _may_state(text):
        return ()
    people = People(speaker)
    found: dict[tuple[str, str, str, bool], tuple[Stated, str]] = {}
    for sentence in earnest(text, _may_state):
        if len(sentence) > _LONGEST:
            continue
        read = read_chinese if is_han(sentence) and not _is_english(sentence) else read_english
        for one in read(sentence, people):
            if one.predicate == "is called" and fold(one.object) == fold(one.subject):
                continue  # «I'm Hannah», as Hannah says
            found.setdefault((fold(one.subject), one.predicate, fold(one.object), one.negated), (one, sentence))
    return tuple(found.values())


def _may_state(text: str) -> bool:
    """False for a text without the words that a statement needs: most texts are decided here."""
    if is_han(text):
        return True
    words = frozenset(_WORD.findall(text.lower()))
    if "of" in words and not words.isdisjoint(("kind", "type", "sort", "breed", "species")):
        return True
    if words.isdisjoint(_WHO):
        if "'s " in text and not words.isdisjoint(_NOUNS):
            return True
        return _NAMED.search(text) is not None or CHANGED.match(text) is not None
    return not words.isdisjoint(_FIRST) or not words.isdisjoint(_NOUNS) or _NUMBERED.search(text) is not None


def _is_english(sentence: str) -> bool:
    """Whether an English sentence only holds a Chinese name."""
    letters = sum(character.isascii() and character.isalpha() for character in sentence)
    return letters > 3 * sum("\u3400" <= character <= "\u9fff" for character in sentence)
