"""Extracts facts that people state about themselves and others, by patterns, in English and Chinese.

Only plain statements match; all else stays text. Questions and hypothetical statements are skipped.
"""

import re
from collections.abc import Iterator
from typing import Final

from clawactors.memory.consolidation.rule import RULES, Rule
from clawactors.memory.text.normal import fold
from clawactors.memory.text.sentence import is_question, sentences
from clawactors.memory.text.stopword import STOP_WORDS
from clawactors.systems.memories import Content, Fact

__all__ = ["SINGLE", "facts_in", "inferred", "statement"]

SINGLE: Final = frozenset(
    ("lives in", "is called", "works as", "works at", "has birthday", "is aged", "spouse", "boss")
)
"""Predicates with one object at a time, like all «favourite …». A later object ends the validity of the earlier one."""

_UNREAL = re.compile(
    r"\b(?:if|would|wish|might|maybe|perhaps|imagine|used to)\b|如果|要是|假如|可能|也许|要不", re.IGNORECASE
)
_POINTING_WORDS = "it that this them you him her to there here 你 他 她 这 那 这里 那里"
_POINTING = frozenset(_POINTING_WORDS.split())
_RELATIVE = {"wife": "spouse", "husband": "spouse", "partner": "spouse", "boss": "boss", "manager": "boss"}
_RELATIVE |= {"妻子": "spouse", "丈夫": "spouse", "老婆": "spouse", "老公": "spouse", "老板": "boss", "领导": "boss"}

_WORDING: Final = {
    "lives in": "{s}住在{o}", "is called": "{s}名叫{o}", "works at": "{s}在{o}工作", "works as": "{s}的职业是{o}",
    "likes": "{s}喜欢{o}", "is allergic to": "{s}对{o}过敏", "has birthday": "{s}的生日是{o}",
    "is aged": "{s}今年{o}岁", "spouse": "{s}的伴侣是{o}", "boss": "{s}的领导是{o}",
}  # fmt: skip


def facts_in(content: Content) -> Iterator[Fact]:
    """The facts that a memory states; «I» is its speaker, else its owner."""
    speaker = content.speaker or content.owner
    seen: set[tuple[str, str, str]] = set()
    for sentence in sentences(content.text.replace("\u2019", "'")):
        if is_question(sentence) or _UNREAL.search(sentence):
            continue
        for rule in RULES:
            for match in rule.pattern.finditer(sentence):
                fact = _fact(rule, match, speaker, content.happened_ns)
                key = (fold(fact.subject), fact.predicate, fold(fact.object)) if fact else None
                if fact and key and key not in seen:
                    seen.add(key)
                    yield fact


def _fact(rule: Rule, match: re.Match[str], speaker: str, at_ns: int) -> Fact | None:
    groups = match.groupdict()
    subject = groups.get("s") or speaker
    thing = groups["o"].strip().strip("\"'“”「」").strip()
    part = (groups.get("p") or "").strip()
    predicate = rule.predicate if not part else _RELATIVE.get(part) or f"{rule.predicate} {fold(part)}"
    if not subject or not thing or fold(thing) in _POINTING or fold(subject.split()[0]) in STOP_WORDS:
        return None
    # Statements of taste are casual; statements about a job or a home are reliable.
    confidence = 0.6 if predicate == "likes" else 0.8
    return Fact(
        subject=subject,
        predicate=predicate,
        object=thing,
        negated=rule.negated,
        confidence=confidence,
        valid_from_ns=at_ns,
    )


def inferred(fact: Fact) -> Fact | None:
    """The fact that another fact implies, None if it implies none."""
    if fact.predicate != "spouse" or fact.negated:
        return None
    return Fact(
        subject=fact.object,
        predicate="spouse",
        object=fact.subject,
        inferred=True,
        confidence=round(fact.confidence * 0.9, 3),
        valid_from_ns=fact.valid_from_ns,
    )


def statement(fact: Fact) -> str:
    """The fact as a sentence, in the language of its object."""
    chinese = not fact.object.isascii() and any("\u3400" <= character <= "\u9fff" for character in fact.object)
    if chinese:
        wording = _WORDING.get(fact.predicate, "{s}的" + fact.predicate.replace("favourite ", "最爱的") + "是{o}")
        text = wording.format(s=fact.subject, o=fact.object)
        return f"并非{text}" if fact.negated else text
    subject, thing = fact.subject, fact.object
    if fact.predicate in ("spouse", "boss") or fact.predicate.startswith("favourite"):
        return f"{subject}'s {fact.predicate} is {'not ' if fact.negated else ''}{thing}"
    if not fact.negated:
        return f"{subject} {fact.predicate} {thing}"
    verb, _, rest = fact.predicate.partition(" ")
    auxiliary = "is not" if verb == "is" else f"does not {verb.removesuffix('s')}"
    return " ".join(filter(None, (subject, auxiliary, rest, thing)))
