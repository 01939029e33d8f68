"""Facts and summaries that a model proposes, and the checks that they pass before they become memories. Pure.

1. A fact must be in the text: its quote stands there, in a sentence said in earnest, and names its object.
2. Its subject is who speaks, or is named in that sentence.
3. Whether it is denied follows from the sentence, not from the model.
4. A summary has no number and no name that its memories lack, and is not longer than one of ours.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Protocol

import msgspec

from clawactors.memory.consolidation.facts.framing import earnest, is_plan
from clawactors.memory.consolidation.predicate import is_single
from clawactors.memory.consolidation.summary import SUMMARY_LIMIT
from clawactors.memory.text.normal import clean, fold
from clawactors.systems.memories import Content, Fact

__all__ = ["FactProposer", "ProposedFact", "Summarizer", "checked_summary", "proven"]

_NAME_MAX: Final = 96
_MOST: Final = 16
_CONFIDENCE: Final = 0.6
"""As sure as a casual statement: one that is stated again becomes surer."""
_PREDICATE = re.compile(r"[a-z][a-z'-]*(?: [a-z][a-z'-]*){0,3}|[\u3400-\u9fff]{1,8}")
_NO = re.compile(
    r"\b(?:not|no|never|nobody|none|nothing|neither|nor|without|cannot|hardly|stopped|quit|left|former|formerly|ex)\b"
    r"|\bused to\b|n't\b"
    r"|[不没未无非莫勿]|别[^人的墅]|戒|辞|再也|以前|曾经|前任",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+")
_NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")
_SIGNS: Final = " .,;:!?\"'\u3002\uff0c\uff1b\uff1a\uff01\uff1f"
_SELF: Final = frozenset(("i", "me", "we", "speaker", "user", "the user", "the speaker", "我", "我们", "用户"))


class ProposedFact(msgspec.Struct, frozen=True):
    """What a model reads in a text. `quote` are the words that say so."""

    subject: str
    predicate: str
    object: str
    quote: str
    negated: bool = False


class FactProposer(Protocol):
    """Reads facts in a text."""

    def propose(self, content: Content) -> Sequence[ProposedFact]:
        """What it reads; nothing of it is believed unseen. Raises: `ModelError`."""
        ...


class Summarizer(Protocol):
    """Summarizes what was said."""

    def summarize(self, said: Sequence[tuple[str, str]], limit: int) -> str:
        """At most `limit` characters for pairs of speaker and text. Raises: `ModelError`."""
        ...


def proven(content: Content, proposals: Iterable[ProposedFact]) -> Iterator[Fact]:
    """The facts among the proposals that the text states; «I» is its speaker, else its owner."""
    speaker = content.speaker or content.owner
    sentences = [sentence for sentence in earnest(content.text) if not is_plan(sentence)]
    seen: set[tuple[str, str, str]] = set()
    for one in list(proposals)[:_MOST]:
        quote, thing, predicate = _plain(one.quote), clean(one.object).strip(), one.predicate.strip().lower()
        subject = clean(one.subject).strip()
        holder = next((sentence for sentence in sentences if quote and quote in _plain(sentence)), None)
        if holder is None or not _PREDICATE.fullmatch(predicate):
            continue
        if not 0 < len(thing) <= _NAME_MAX or _plain(thing) not in quote:
            continue
        if fold(subject) in _SELF or (speaker and fold(subject) == fold(speaker)):
            subject = speaker
        elif not _plain(subject) or not _holds(_plain(holder), _plain(subject)):
            continue
        key = (fold(subject), predicate, fold(thing))
        if not 0 < len(subject) <= _NAME_MAX or key in seen or (_NO.search(holder) is not None) != one.negated:
            continue
        seen.add(key)
        yield Fact(
            subject=subject,
            predicate=predicate,
            object=thing,
            negated=one.negated,
            exclusive=not one.negated and is_single(predicate),
            confidence=_CONFIDENCE,
            valid_from_ns=content.happened_ns,
        )


def checked_summary(text: str, said: Sequence[tuple[str, str]], limit: int = SUMMARY_LIMIT) -> str | None:
    """The summary as one line, None if it tells what nobody has said."""
    text = " ".join(clean(text).split())
    source = " ".join(f"{speaker} {words}" for speaker, words in said)
    if not text or len(text) > limit:
        return None
    known = frozenset(_WORD.findall(source.lower()))
    if not set(_NUMBER.findall(text)) <= set(_NUMBER.findall(source)):
        return None
    # A word with a capital is a name, but where a sentence begins.
    begins = {match.end() for match in re.finditer(r"(?:^|[.!?:;] )\W*", text)}
    named = [match for match in _WORD.finditer(text) if match[0][0].isupper() and match.start() not in begins]
    if any(match[0].lower() not in known and match[0].lower().removesuffix("s") not in known for match in named):
        return None
    return text


def _plain(text: str) -> str:
    return " ".join(fold(clean(text).replace("\u2019", "'")).split()).strip(_SIGNS)


def _holds(sentence: str, name: str) -> bool:
    """Whether the sentence has the name, as whole words where words are spaced."""
    if not name.isascii():
        return name in sentence
    return re.search(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", sentence) is not None
