"""Reads English clauses: subject, auxiliaries and negation, then one of the patterns of `verbs`.

A clause must match from its beginning. So what somebody says, hopes, or did «after we moved» states nothing.
"""

import re
from collections.abc import Iterator
from typing import Final

from clawactors.memory.consolidation.facts.framing import QUOTED, is_plan
from clawactors.memory.consolidation.facts.nouns import nouns_of
from clawactors.memory.consolidation.facts.stated import People, Stated, VerbPhrase, aliases_in, is_person
from clawactors.memory.consolidation.facts.subject import NAME, REL, read_subject, relations_in
from clawactors.memory.consolidation.facts.verbs import said_of
from clawactors.memory.consolidation.facts.words import RELATIONS

__all__ = ["CHANGED", "read_english"]

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
_CALL_ME = re.compile(
    rf"(?i:(?:please |just |(?:you|they|everyone|everybody|people|friends|most people|my \w+|all|the team|folks)(?: all)?(?: can| may| just| usually| also)* ?)*calls?) me (?P<o>{NAME})\b"
)
_APPOSED = re.compile(r",? [(]?(?:aka|a\.k\.a\.|also known as|also called|better known as) [^,)]{1,40}[,)]? ")
_WHO_CLAUSE = re.compile(rf"(?P<name>{NAME}), who (?P<said>[^,]{{3,80}}),")
CHANGED: Final = re.compile(
    r"(?:(?:just|finally|recently|officially) )*(?:moved|relocated|quit|resigned|joined|started|left|switched|retired|got (?:a|the|my|laid))\b",
    re.IGNORECASE,
)
"""How a clause about a change begins that names nobody."""
_OF_THINGS = re.compile(
    r"\bto (?:the )?(?:done|to-?do|doing|in progress|review|testing|blocked|closed|production|staging|trash|archive|drafts?|inbox|spam|backlog|phase|step|stage|chapter|page|section|version|milestone|sprint|next)\b",
    re.IGNORECASE,
)
"""Where cards, files and mails are moved to."""
_TOGETHER = re.compile(
    r"(?:(?:have|has|are|got|getting|been|both) )*(?:(?P<end>divorced|separated|split up|broke up|broken up|split)|(?:married|engaged)$)",
    re.IGNORECASE,
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
        if named := list(nouns_of(clause, people)):
            yield from named
            people.meet([one.object for one in named if one.predicate in RELATIONS.values()])
            carried = []
            continue
        yield from (relations := relations_in(clause, people))
        change = CHANGED.match(clause) is not None and _OF_THINGS.search(clause) is None
        subject = None if change else read_subject(clause, people)
        people.meet(one.object for one in relations)
        if subject and not subject[1]:
            held = clause
            continue
        names, rest = subject or (carried, clause)
        # Without a subject, a change is the speaker's own: «Moved to Graz.»
        own = not names and bool(people.speaker) and change
        phrase = _verb_phrase(rest) if (names or own) and rest else None
        if own and phrase:
            changes = said_of(people.speaker, phrase)
            yield from changes if any(one.event for one in changes) else ()
            continue
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
