"""Who an English clause is about: «I», «Ana», «my wife Ana», «Tom's boss», «she»."""

import re
from typing import Final

from clawactors.memory.consolidation.facts.stated import People, Stated, is_person
from clawactors.memory.consolidation.facts.words import RELATIONS

__all__ = ["NAME", "REL", "Subject", "read_subject", "relations_in"]

REL: Final = "|".join(sorted(RELATIONS, key=len, reverse=True))
_PART = r"[^\W\d_a-zà-öø-ÿ\u3400-\u9fff][\w-]{0,40}(?:'[^\W\d_a-z]\w{0,40})?"
NAME: Final = rf"(?:(?:(?:Dr|Mr|Mrs|Ms|Prof|Sr)\. )?{_PART}(?: (?:(?:van|von|de|da|del|di|bin|al|la|le|der) )*{_PART}){{0,2}}|[\u3400-\u9fff]{{2,4}})"
"""A name in any script with capital letters, or a short Chinese one. Check it with `is_person`."""

_KIND: Final = (
    r"(?:(?:new|current|older|younger|elder|little|big|dear|lovely|best|first|own|oldest|youngest|late|twin) )*"
)
_SUBJECT = re.compile(
    rf"(?P<me>I|i|[Ww]e)\b(?! )?|(?P<whose>[Mm]y|[Oo]ur|[Hh]is|[Hh]er|[Tt]heir|(?:{NAME})'s?) {_KIND}(?P<rel>{REL})\b(?:,? (?P<relname>{NAME}),?)?"
    rf"|(?P<pronoun>[Hh]e|[Ss]he|[Tt]hey)\b|(?P<name>{NAME})(?:, (?:my|our) {_KIND}(?P<role>{REL}),)?"
)
_WITH_NAME = re.compile(
    rf"\b(?P<whose>[Mm]y|[Oo]ur|(?:{NAME})'s) {_KIND}(?P<rel>{REL}),? (?P<name>{NAME})\b(?!'s? {_KIND}(?:{REL}))"
)
_NAME_FIRST = re.compile(rf"\b(?P<name>{NAME}), (?P<whose>my|our) {_KIND}(?P<rel>{REL})\b")

type Subject = tuple[list[str], str]
"""The names that a clause is about, and what it says of them."""


def read_subject(clause: str, people: People) -> Subject | None:
    """The subject of the clause and the rest of it, None where nobody is named."""
    names: list[str] = []
    rest = clause
    while True:
        match = _SUBJECT.match(rest)
        if match is None:
            return None
        name = _named(match, people)
        if not name:
            return None
        names.append(name)
        rest = rest[match.end() :]
        if both := re.match(r"(?:,? and |, )(?=I |my |her |his |our |[^\W\d_a-z])", rest):
            following = _SUBJECT.match(rest[both.end() :])
            if following and _named(following, people):
                rest = rest[both.end() :]
                continue
        break
    if not (rest.startswith((" ", "'s ", "' ")) or not rest):
        return None
    return names, re.sub(r"^(?:'s|')(?= )", " 's", rest).strip()


def _named(match: re.Match[str], people: People) -> str:
    if match["me"]:
        return people.speaker
    if match["pronoun"]:
        return people.other
    if match["rel"]:
        if match["relname"] and is_person(match["relname"]):
            return match["relname"]
        owner = _owner(match["whose"], people)
        return f"{owner}'s {match['rel'].lower()}" if owner else ""
    return match["name"] if is_person(match["name"]) else ""


def _owner(whose: str, people: People) -> str:
    word = whose.lower()
    if word in ("my", "our"):
        return people.speaker
    if word in ("his", "her", "their"):
        return people.other
    name = re.sub(r"'s?$", "", whose)
    return name if is_person(name) else ""


def relations_in(sentence: str, people: People) -> list[Stated]:
    """What «my wife Ana» and «Tom, my brother» say of people, wherever in the sentence."""
    found = []
    for pattern in (_WITH_NAME, _NAME_FIRST):
        for match in pattern.finditer(sentence):
            owner, name = _owner(match["whose"], people), match["name"]
            if owner and is_person(name) and name != owner:
                found.append(Stated(owner, RELATIONS[match["rel"].lower()], name))
    return found
