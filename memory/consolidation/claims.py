"""What a note claims: a slot (whose, and which attribute) and its value, so that a later note can replace an earlier.

«The SSH port of the build server is 22» and «the build server's SSH port is now 49222» fill one slot. Facts about
people are claims too. A later claim replaces an earlier one of the same slot if the values are of one kind and differ.
"""

import re
from functools import lru_cache
from typing import Final

import msgspec

from clawactors.memory.consolidation.facts.framing import earnest, is_plan
from clawactors.memory.consolidation.facts.stated import Stated, is_han, is_person
from clawactors.memory.consolidation.facts.subject import NAME
from clawactors.memory.consolidation.facts.words import PRODUCT_KINDS
from clawactors.memory.consolidation.likeness import contradicts
from clawactors.memory.text.normal import fold
from clawactors.systems.memories import Content, Fact

__all__ = ["Claim", "claims_in", "replaces"]

_LONGEST: Final = 600
"""Characters of a note that is read for claims: a longer one says more than one thing."""
_MOST: Final = 4
_CACHED: Final = 4096
_FEW_WORDS: Final = 2
_PAIR_LONGEST: Final = 120

_NOUNS = r"[^,;:.!?=]{2,60}?"
_IS = r"(?:is|are|was|=|:|equals|runs on|listens on|lives at|stands at|points to|costs|takes|lasts|weighs|expires on|ends on|starts at|starts on|begins at|happens? (?:on|at)|takes? place (?:on|at|in)|runs? (?:at|every)|meets? (?:on|at)|goes out (?:on|at))"
_NOW = r"(?:now|currently|from now on|as of (?:today|now)|since [\w ]{3,20}?|actually|no longer \S+ but|at the moment|still|on|at|in|set to)"
_ENGLISH = re.compile(
    rf"^(?:the |our |my |this |that )?(?P<key>{_NOUNS})(?: (?:now|currently|also|still|usually|always))?(?: (?:has|have|had))?(?: now)?(?: been)?(?: was)? (?:(?P<change>(?:changed|moved|renamed|switched|raised|lowered|increased|decreased|reduced|updated|rescheduled|postponed|set|bumped|upgraded|transferred|handed over|corrected)"
    rf"(?: over)?(?: from [^,;]{{1,40}}?)? to)|(?P<is>{_IS})(?P<now> {_NOW})*) (?P<value>.+)$",
    re.IGNORECASE,
)
_TURNED = re.compile(
    rf"^(?P<value>{NAME}) is (?:now |currently )*(?:the|our) (?:new |current )*(?P<key>[a-z][\w' -]{{2,50}}?)(?: now| from now on)?[.!]?$"
)
"""«Tom is now the project lead» claims what «the project lead is Ana» claims."""
_INSTEAD = re.compile(
    r"\b(?:now|from now on|instead|no longer|any ?more|changed|moved|renamed|new|as of|since)\b|改|现在|换|不再|新",
    re.IGNORECASE,
)
_CHINESE = re.compile(
    r"^(?P<key>[^，,；;:：。是为]{2,24}?)(?:现在|目前|已经|已|从今天起|最新)?(?:(?P<change>改成了?|改为了?|变成了?|换成了?|改到了?|调整为|调整到|升级到|升到|降到|推迟到|提前到|更新为|移到了?)|(?P<is>是|为|：|:|在|等于))(?:现在|目前)?(?P<value>[^，。；]{1,40})(?:了)?"
)
_PAIR = re.compile(
    r"^(?:the |our |my )?(?P<key>[^,;:.!?=]{2,40}?)(?::\s|\s*[=\uff1a])\s*(?P<value>[^\s].*)$", re.IGNORECASE
)
_FOR_ONE = re.compile(r"\b(?:for|in|on|at) (?:the|our|my|this|one|some|all|\w+ing)\b|的(?!了)", re.IGNORECASE)
"""Who switches for one thing keeps the rest."""
_FILLER: Final = frozenset(
    "a an the of for on in at our my your their its his her to new current old and this that with by from is are".split()
)
_VALUE_END = re.compile(
    r"(?:,| - | \(|;| as (?:on|in|it|of|always|before|every)\b| because\b| since\b| instead\b| after\b| so\b| and\b| but\b| not\b| rather than\b| until\b| now\b| which\b| for (?:now|the)\b|[.!]+$).*$",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^(?:update|correction|note|fyi|reminder|news|heads up|from now on|as of \w+|now|actually|by the way|starting \w+|since \w+|更新|更正|注意|通知)[,:：，]?\s+|^(?:更新|更正|注意|通知|从今天起|现在)[:：，,]?",
    re.IGNORECASE,
)
_KINDS: Final = (
    ("url", re.compile(r"^(?:https?://|\w+@|[\w-]+(?:\.[\w-]+)+(?:/|:|$))", re.IGNORECASE)),
    (
        "time",
        re.compile(r"^(?:at |on )?(?:\d{1,2}:\d\d|\d{1,2} ?(?:am|pm|点|時|时)|noon|midnight|[上下]午)", re.IGNORECASE),
    ),
    (
        "day",
        re.compile(
            r"^(?:on |in |every )?(?:the )?(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?s?\b|^(?:on |in )?(?:\d{1,2}(?:st|nd|rd|th)?(?: of)? )?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|^\d{4}-\d\d|^(?:周|星期|礼拜)|\d月",
            re.IGNORECASE,
        ),
    ),
    ("number", re.compile(r"^(?:v|version |about |around |exactly |port |\$|€|£|¥)?\d", re.IGNORECASE)),
)


class Claim(msgspec.Struct, frozen=True):
    """`slot` is equal for claims that can replace each other; `changed`: the text says that it is new."""

    slot: str
    value: str
    kind: str = ""
    changed: bool = False
    fact: Fact | None = None
    share: float = 1.0
    """The share of the text that its sentence takes."""
    follows: bool = False
    """It follows from what another claim of the sentence says."""


def claims_in(content: Content) -> tuple[Claim, ...]:
    """The claims of a note or message."""
    if content.kind != "raw" or len(content.text) > _LONGEST:
        return ()
    return _claims(content.text, content.speaker or content.owner)


@lru_cache(_CACHED)
def _claims(text: str, speaker: str) -> tuple[Claim, ...]:
    from clawactors.memory.consolidation.facts.reading import read_statements  # patterns that take a while to compile

    found: list[Claim] = []
    told: set[str] = set()
    length = max(len(text), 1)
    if (
        (pair := _PAIR.match(text))
        and len(text) <= _PAIR_LONGEST
        and _kind(pair["value"]) != "words"
        and (key := _key(pair["key"]))
    ):
        return (Claim(key, fold(_VALUE_END.sub("", pair["value"])), _kind(pair["value"])),)
    kinds: list[Claim] = []
    for one, sentence in read_statements(text, speaker or "\x00"):
        told.add(sentence)
        found.append(_of_fact(one, len(sentence) / length))
        if one.event and one.predicate == "uses":
            kinds += _of_kind(one, sentence, len(sentence) / length)
    claims: dict[str, Claim] = {}

    def claiming(sentence: str) -> bool:
        claim = _of_sentence(_LEAD.sub("", sentence), len(sentence) / length) if sentence not in told else None
        if claim:
            claims[sentence] = claim
        return claim is not None

    found += [claims[sentence] for sentence in earnest(text, claiming) if sentence in claims and not is_plan(sentence)]
    return (*found, *kinds) if len(found) <= _MOST else ()


def _of_kind(one: Stated, sentence: str, share: float) -> list[Claim]:
    """«We switched to GCP» claims what «our cloud provider is GCP» claims: one switches for everything there is."""
    if _FOR_ONE.search(sentence):
        return []
    value = fold(one.object)
    kinds = [name for names, known in PRODUCT_KINDS.items() if value in known for name in names.split("; ")]
    return [Claim(key, value, "name", True, share=share, follows=True) for name in kinds if (key := _key(name))]


def _of_fact(one: Stated, share: float) -> Claim:
    fact = Fact(
        subject=one.subject, predicate=one.predicate, object=one.object, negated=one.negated, exclusive=one.exclusive
    )
    return Claim(f"{fold(one.subject)}\x1f{one.predicate}", fold(one.object), "fact", fact=fact, share=share)


def _of_sentence(sentence: str, share: float) -> Claim | None:
    if (turned := _TURNED.match(sentence)) and is_person(turned["value"]) and (key := _key(turned["key"])):
        return Claim(key, fold(turned["value"]), "name", _INSTEAD.search(sentence) is not None, share=share)
    match = (_CHINESE if is_han(sentence) else _ENGLISH).match(sentence)
    if match is None:
        return None
    key = _key(match["key"])
    value = _VALUE_END.sub("", match["value"]).strip().rstrip("。.!了 ")
    value = re.sub(r"^(?:now|currently|on|at|in|to|set to|the|a|an) ", "", value, flags=re.IGNORECASE).strip("`\"' ")
    if not key or not value or len(value) > 80:
        return None
    kind, changed = _kind(value), bool(match["change"] or _INSTEAD.search(sentence))
    if kind == "words" and len(value.split()) > _FEW_WORDS and not changed:
        return None
    return Claim(key, fold(value), kind, changed, share=share)


def _key(text: str) -> str:
    """The nouns of a key in one order: «SSH port of the build server» and «build server's SSH port» are one."""
    folded = fold(text).replace("'s", "")
    if not folded.isascii():
        return re.sub(r"[的\s]|现在|目前|我们|已经", "", folded) if len(folded) > 1 else ""
    words = sorted({word.removesuffix("s") for word in re.findall(r"[\w.+#-]+", folded) if word not in _FILLER})
    return " ".join(words) if 0 < len(words) <= 6 else ""


def _kind(value: str) -> str:
    for name, pattern in _KINDS:
        if pattern.search(value):
            return name
    words = value.split()
    if len(words) <= 3 and (value[:1].isupper() or any(mark in value for mark in "-_/.0123456789")):
        return "name"
    return "words"


def replaces(later: Claim, earlier: Claim) -> bool:
    """Whether the later claim makes the earlier one outdated."""
    if later.slot != earlier.slot:
        return False
    if later.fact and earlier.fact:
        return contradicts(earlier.fact, later.fact)
    if later.fact or earlier.fact or later.value == earlier.value:
        return False
    if later.kind == earlier.kind != "words":
        return True
    return later.changed and (" " in later.slot or not later.slot.isascii())
