"""Reads English clauses that name: «My shoe size is 42», «her English name is Leo», «Ana is my sister», «Graz is in Austria»."""

import re
from collections.abc import Iterator
from typing import Final

from clawactors.memory.consolidation.facts.objects import profession
from clawactors.memory.consolidation.facts.stated import People, Stated, is_person
from clawactors.memory.consolidation.facts.subject import NAME, REL
from clawactors.memory.consolidation.facts.words import ATTRIBUTES, ORIGINS, PETS, PRODUCTS, PROFESSIONS, RELATIONS
from clawactors.memory.text.normal import fold

__all__ = ["nouns_of"]

_ATTRIBUTE = "|".join(sorted((re.escape(word) for word in ATTRIBUTES), key=len, reverse=True))
_OWN = re.compile(
    rf"(?:(?P<whose>[Mm]y|[Oo]ur|[Hh]is|[Hh]er|{NAME}'s?) )(?:(?:new|current|own|actual|real|present|favou?rite(?= ?$)) )*"
    rf"(?:(?:(?P<fav>favou?rite) (?P<what>[\w -]{{2,24}}?))|(?P<attribute>(?i:{_ATTRIBUTE}))|(?P<rel>{REL})(?:'s name)?)"
    rf"(?: is|'s| has changed to| changed to| are| was changed to| has become)(?: now| still| currently| actually| no longer(?P<no>)| not(?P<not>))*(?: (?:called|named))? (?P<o>.+)$"
)
_IS_RELATIVE = re.compile(
    rf"(?P<name>{NAME})(?: is|'s|(?P<past> was))(?: now| still| also)*(?P<no> not| no longer)? (?P<whose>my|our|{NAME}'s?) (?:(?:new|older|younger|elder|little|big|best|twin|current) )*(?P<rel>{REL})\b(?P<more>.*)$"
)
_LOCATED = re.compile(
    rf"^(?P<s>{NAME}) (?:is|lies)(?: located| situated| a (?:small |large |big )?(?:city|town|village|district|suburb|region|province|state|island|country))?(?: in| on|(?P<part> (?:a )?part of| belongs to)) (?:the )?(?P<o>{NAME})$"
)
_KIND = re.compile(
    r"^(?:an?|every|the) (?P<s>[a-z-]{3,24}) is an? (?:kind|type|sort|breed|species) of (?:an? )?(?P<o>[a-z -]{3,24})$",
    re.IGNORECASE,
)
_REPORTS = re.compile(
    rf"^(?P<s>{NAME}) (?:(?P<up>reports to|works under|answers to)|manages|supervises) (?P<o>{NAME})$"
)
_REPLACED = re.compile(
    rf"^(?P<o>{NAME}) (?:has |have )?(?:replaced|replaces|took over from|succeeded) (?P<old>.+?) as (?:my|our) (?:new )?(?P<rel>{REL})$"
)
_DIED = re.compile(
    rf"^[Mm]y (?:\w+ )?(?P<rel>{REL}) (?P<o>{NAME}) (?:has |just )*(?:died|passed away|ran away|was put down|was put to sleep)"
)
_NOT_ALSO = re.compile(r",? (?:and )?not (?:in |at |to |as )?.*$|,.*$|[.!;:…]+$")
_NOT_A_NAME = re.compile(
    r"^(?:an?|the|in|at|on|from|very|so|not|coming|going|with|about|too|my|your|also|really)\b", re.IGNORECASE
)


def nouns_of(clause: str, people: People) -> Iterator[Stated]:
    """What a clause of the form «this is that» states."""
    if match := _LOCATED.match(clause):
        inner, outer = match["s"], match["o"]
        if is_person(inner) and is_person(outer) and fold(inner) not in PRODUCTS and fold(outer) not in PRODUCTS:
            yield Stated(inner, "is part of" if match["part"] else "is in", outer)
            return
    if (match := _REPLACED.match(clause)) and is_person(match["o"]):
        yield Stated(people.speaker, RELATIONS[match["rel"].lower()], match["o"])
        return
    if (match := _DIED.match(clause)) and RELATIONS[match["rel"].lower()] in PETS:
        yield Stated(people.speaker, RELATIONS[match["rel"].lower()], match["o"], True, event=True)
        return
    if match := _KIND.match(clause):
        yield Stated(match["s"].lower(), "is a kind of", match["o"].lower())
        return
    if match := _REPORTS.match(clause):
        tom, ines = (match["s"], match["o"]) if match["up"] else (match["o"], match["s"])
        if is_person(tom) and is_person(ines):
            yield Stated(tom, "boss", ines)
        return
    if match := _IS_RELATIVE.match(clause):
        name, negated = match["name"], bool(match["no"] or match["past"])
        whose = match["whose"]
        owner = people.speaker if whose in ("my", "our") else re.sub(r"'s?$", "", whose)
        if is_person(name) and owner and not match["more"].strip().startswith("'s"):
            yield Stated(owner, RELATIONS[match["rel"].lower()], name, negated)
        return
    match = _OWN.match(clause)
    if match is None:
        return
    whose = match["whose"].lower()
    owner = (
        people.speaker
        if whose in ("my", "our")
        else people.other
        if whose in ("his", "her")
        else re.sub(r"'s?$", "", match["whose"])
    )
    value = _value(match["o"])
    if not owner or not value or (owner not in (people.speaker, people.other) and not is_person(owner)):
        return
    negated = match["no"] is not None or match["not"] is not None
    if match["attribute"] and not _names_value(ATTRIBUTES[match["attribute"].lower()], value):
        return
    if match["fav"] and _PASSING.match(match["what"].strip()):
        return
    if match["fav"]:
        yield Stated(owner, f"favourite {fold(match['what']).strip()}", value, negated)
    elif match["attribute"]:
        predicate = ATTRIBUTES[match["attribute"].lower()]
        if predicate != "works at" or value[:1].isupper():
            yield Stated(owner, predicate, re.sub(r"^(?:on|at) (?=\S)|^(?:an?|the) (?=\S)", "", value), negated)
    else:
        name = re.match(NAME, value)
        kind = fold(value.split()[0])
        if (
            name
            and is_person(name[0])
            and kind not in ORIGINS
            and kind not in PROFESSIONS
            and not _NOT_A_NAME.match(value)
        ):
            yield Stated(owner, RELATIONS[match["rel"].lower()], name[0], negated)


_PASSING = re.compile(r"(?:part|thing|bit|one|line|moment|feature|quote|section)s?\b", re.IGNORECASE)
"""What is a favourite in what was just read, not for long."""


def _names_value(predicate: str, value: str) -> bool:
    """Whether the value is of the kind that the attribute has: «My email is broken» names none."""
    match predicate:
        case "works as":
            return bool(profession(f"a {value}") or profession(value))
        case "phone":
            return sum(sign.isdigit() for sign in value) >= _DIGITS_LEAST
        case "email":
            return "@" in value
        case "diet" | "has birthday":
            return True
        case _:
            return any(sign.isupper() or sign.isdigit() or ord(sign) > 0x2E80 for sign in value)


_DIGITS_LEAST: Final = 4
_AFTER_VALUE = re.compile(
    r"\s+(?:now|again|these days|since|because|so|and|but|anymore|any more|from now on|by the way|as of|instead|which|who|for now|after all|too|today|at the moment|currently)\b.*$",
    re.IGNORECASE,
)


def _value(text: str) -> str:
    text = _AFTER_VALUE.sub("", _NOT_ALSO.sub("", text)).strip().strip("\"'“”「」").strip()
    deictic = re.match(
        r"(?:not|that|this|it|very|so|too|always|really|getting|going|being|made|driving|here|there|still|quite|broken|mine|what|how|where|when|to)\b",
        text,
        re.IGNORECASE,
    )
    return "" if deictic or not 0 < len(text) <= 60 else text
