"""Reads English clauses: subject, auxiliaries and negation, then one of the patterns of `verbs`.

A clause must match from its beginning. So what somebody says, hopes, or did «after we moved» states nothing.
"""

import re
from collections.abc import Iterator
from typing import Final

from clawactors.memory.consolidation.facts.framing import QUOTED, is_plan
from clawactors.memory.consolidation.facts.stated import People, Stated, VerbPhrase, aliases_in, is_person
from clawactors.memory.consolidation.facts.subject import NAME, REL, read_subject, relations_in
from clawactors.memory.consolidation.facts.verbs import said_of
from clawactors.memory.consolidation.facts.words import ATTRIBUTES, ORIGINS, PETS, PRODUCTS, PROFESSIONS, RELATIONS
from clawactors.memory.text.normal import fold

__all__ = ["read_english"]

_SHORT_FORMS: Final = (
    (re.compile(r"\b([Ii])'m\b"), r"\1 am"), (re.compile(r"(\w)'re\b"), r"\1 are"), (re.compile(r"(\w)'ve\b"), r"\1 have"),
    (re.compile(r"(\w)'ll\b"), r"\1 will"), (re.compile(r"(\w)'d\b"), r"\1 would"), (re.compile(r"\b[Cc]an't\b|\b[Cc]annot\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"), (re.compile(r"(\w)n't\b"), r"\1 not"),
    (re.compile(r"\b([Hh]e|[Ss]he|[Ii]t|[Tt]hat)'s\b"), r"\1 is"),
)  # fmt: skip
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)\w*"
_TIME = (
    rf"(?:yesterday|today|now|nowadays|these days|currently|at the moment|recently|lately|finally|this (?:week|month|year|morning|spring|summer|autumn|fall|winter)"
    rf"|(?:since|in|as of|from|on|last|this|back in|until) (?:last |this |early |late |the (?:beginning|start|end) of )*(?:week|month|year|night|spring|summer|autumn|fall|winter|\w+day|{_MONTH}|\d{{4}})(?: \d{{1,4}})?"
    rf"|(?:about |around |some |almost |over )?(?:\d+|an?|one|two|three|four|five|six|seven|eight|nine|ten|several|a few|a couple of) (?:day|week|month|year)s? ago)"
)
_LEAD = re.compile(
    rf"^\W*(?:{_TIME}|by the way|btw|fyi|for the record|just so you know|just to let you know|for your information|in case it helps|(?:please )?(?:remember|note|keep in mind|bear in mind|be aware|save)(?: that| this)?"
    r"|(?:it )?turns out(?: that)?|you know(?: what)?|i mea(?:n|nt)(?: to say)?|we found out|i found out|i learned|it seems clear|to be clear|honestly|personally|actually|unfortunately|luckily|fortunately|sadly|meanwhile|in fact|anyway|besides|still|plus|also|and|but|so|well|oh|ah"
    r"|yes|yeah|yep|no|nope|ok|okay|hi|hey|hello|sorry|thanks|thank you|after (?:all|\w+ years?(?: of \w+| there| at [\w ]+)?)|although|though|even though|because|while|as you know|apparently not|big news|good news|great news|(?:hi|hey|hello|dear) \w+"
    r"|at last|as it happens|in the end|first(?: of all)?|second|for what it's worth|little known fact|fun fact|like i said|same here|then|again)(?: that)?(?:[,:;.!]+| -+| —| –)?\s+(?=\S)",
    re.IGNORECASE,
)
_START = (
    rf"(?:I|i|[Ww]e|[Hh]e|[Ss]he|[Tt]hey|[Mm]y|[Oo]ur|[Hh]is|[Hh]er|[Tt]heir|am|is|are|was|have|has|do|does|did|don't|doesn't|live[sd]?|work(?:s|ed)?|likes?|loves?|hates?|enjoys?|prefers?|moved|relocated|quit|left|joined|started"
    r"|speaks?|drinks?|eats?|uses?|plays?|drives?|takes?|got|became|stopped|switched|now|still|also|recently|just|no longer|never|used to|will|would|plan|want|adopted|sold|gave up|turned|resigned"
    rf"|(?:{NAME})(?:'s (?:{REL})| is| has| lives| works| likes| loves| hates| moved| quit| left| speaks| drinks| eats| uses| plays| drives| takes| became| does| no longer| joined| got| and I))\b"
)
_SPLIT = re.compile(
    rf"\s*(?:;|,|\s-+\s|\s?—\s?|\s–\s)\s*(?:and|but|so|yet|while|whereas|because|although|though)?,?\s*(?={_START})|\s+(?:and|but|yet|because|although|though|whereas)\s+(?={_START})"
)
_ADVERB = (
    "just|recently|now|still|currently|really|also|always|already|actually|finally|both|usually|mostly|only|definitely|absolutely|truly|officially|happily|very much|simply|generally|mainly|since|then|once|even|kind of"
    "|certainly|regularly|often|nowadays|newly|again|all|proudly|permanently|personally|secretly|particularly|especially|rather|much|too|soon after|in fact|unfortunately|sadly|as of now|these days"
)
_AUXILIARY = re.compile(
    rf"(?:(?P<be>am|is|are|'s)|(?P<was>was|were|had(?= (?:been|lived|worked|moved|had|liked)\b))|(?P<have>have|has|had)(?! (?:an?|the|two|three|four|five|no|one|my|some|many|got|\d)\b)|(?P<do>do|does)|(?P<did>did)"
    rf"|(?P<modal>can|could|would|will|should|must|may|might|shall|ought|need)|(?P<no>not|no longer|never|no m[o]re|hardly|barely)|(?P<adverb>{_ADVERB}))\b,?\s*",
    re.IGNORECASE,
)
_ATTRIBUTE = "|".join(sorted((re.escape(word) for word in ATTRIBUTES), key=len, reverse=True))
_OWN = re.compile(
    rf"(?:(?P<whose>[Mm]y|[Oo]ur|[Hh]is|[Hh]er|{NAME}'s?) )(?:(?:new|current|own|actual|real|present|favou?rite(?= ?$)) )*"
    rf"(?:(?:(?P<fav>favou?rite) (?P<what>[\w -]{{2,24}}?))|(?P<attribute>(?i:{_ATTRIBUTE}))|(?P<rel>{REL})(?:'s name)?)"
    rf"(?: is|'s| has changed to| changed to| are| was changed to| has become)(?: now| still| currently| actually| no longer(?P<no>)| not(?P<not>))*(?: (?:called|named))? (?P<o>.+)$"
)
_IS_RELATIVE = re.compile(
    rf"(?P<name>{NAME})(?: is|'s|(?P<past> was))(?: now| still| also)*(?P<no> not| no longer)? (?P<whose>my|our|{NAME}'s?) (?:(?:new|older|younger|elder|little|big|best|twin|current) )*(?P<rel>{REL})\b(?P<more>.*)$"
)
_CALL_ME = re.compile(
    rf"(?i:(?:please |just |(?:you|they|everyone|everybody|people|friends|most people|my \w+|all|the team|folks)(?: all)?(?: can| may| just| usually| also)* ?)*calls?) me (?P<o>{NAME})\b"
)
_APPOSED = re.compile(r",? [(]?(?:aka|a\.k\.a\.|also known as|also called|better known as) [^,)]{1,40}[,)]? ")
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
_WHO_CLAUSE = re.compile(rf"(?P<name>{NAME}), who (?P<said>[^,]{{3,80}}),")
_REPLACED = re.compile(
    rf"^(?P<o>{NAME}) (?:has |have )?(?:replaced|replaces|took over from|succeeded) (?P<old>.+?) as (?:my|our) (?:new )?(?P<rel>{REL})$"
)
_DIED = re.compile(
    rf"^[Mm]y (?:\w+ )?(?P<rel>{REL}) (?P<o>{NAME}) (?:has |just )*(?:died|passed away|ran away|was put down|was put to sleep)"
)
_TOGETHER = re.compile(
    r"(?:(?:have|has|are|got|getting|been|both) )*(?:(?P<end>divorced|separated|split up|broke up|broken up|split)|(?:married|engaged)$)",
    re.IGNORECASE,
)
_NOT_ALSO = re.compile(r",? (?:and )?not (?:in |at |to |as )?.*$|,.*$|[.!;:…]+$")
_NOT_A_NAME = re.compile(
    r"^(?:an?|the|in|at|on|from|very|so|not|coming|going|with|about|too|my|your|also|really)\b", re.IGNORECASE
)


def read_english(sentence: str, people: People) -> Iterator[Stated]:
    """The statements of an English sentence that is said in earnest."""
    for pattern, full in _SHORT_FORMS:
        sentence = pattern.sub(full, sentence)
    sentence = sentence.strip().rstrip(".!…").strip()
    yield from aliases_in(sentence)
    sentence = _APPOSED.sub(" ", sentence)
    for match in _WHO_CLAUSE.finditer(sentence):
        phrase = _verb_phrase(match["said"])
        if is_person(match["name"]) and phrase and not is_plan(match["said"]):
            yield from said_of(match["name"], phrase)
    sentence = _WHO_CLAUSE.sub(lambda match: match["name"], sentence)
    carried: list[str] = []
    held = ""
    for clause in _SPLIT.split(sentence):
        clause = _without_leads(clause)
        if QUOTED in clause:
            clause = clause.split(QUOTED)[0].strip()
        if not clause or is_plan(clause):
            carried = []
            continue
        if held:
            clause, held = f"{held} and {clause}", ""
        if alias := _CALL_ME.match(clause):
            if people.speaker and is_person(alias["o"]):
                yield Stated(people.speaker, "is also called", alias["o"])
            continue
        if named := list(_of_nouns(clause, people)):
            yield from named
            people.meet([one.object for one in named if one.predicate in RELATIONS.values()])
            carried = []
            continue
        yield from (relations := relations_in(clause, people))
        subject = read_subject(clause, people)
        people.meet(one.object for one in relations)
        if subject and not subject[1]:
            held = clause
            continue
        names, rest = subject or (carried, clause)
        phrase = _verb_phrase(rest) if names and rest else None
        if phrase and len(names) == 2 and (pair := _TOGETHER.match(phrase.text)):
            yield Stated(names[1], "spouse", names[0], bool(pair["end"]) ^ phrase.negated, event=True)
            continue
        found = [one for name in names for one in said_of(name, phrase)] if phrase else []
        yield from found
        if subject:
            people.meet(names)
        carried = names if found or (phrase and (phrase.be or phrase.have)) else []


def _without_leads(clause: str) -> str:
    while match := _LEAD.match(clause):
        if match.end() >= len(clause):
            break
        clause = clause[match.end() :]
    return clause.strip()


def _verb_phrase(rest: str) -> VerbPhrase | None:
    """The verb phrase without auxiliaries, None for one that states nothing about now."""
    negated = be = was = have = can = False
    while match := _AUXILIARY.match(rest):
        if match["modal"]:
            if match["modal"].lower() != "can":
                return None
            can = True
        negated ^= bool(match["no"])
        be, was, have = be or bool(match["be"]), was or bool(match["was"]), have or bool(match["have"])
        if match["did"]:
            was = True
        rest = rest[match.end() :]
    return VerbPhrase(rest, negated, be, was, have, can) if rest else None


# «My shoe size is 42», «her English name is Leo», «my boss is called May», «Ana is my sister»


def _of_nouns(clause: str, people: People) -> Iterator[Stated]:
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
