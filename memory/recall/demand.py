"""One thing that an answer must cover."""

from typing import Final, Literal

import msgspec

from clawactors.memory.text.lexicon import Lexicon, Sense

__all__ = ["ASKED", "LIGHT", "MODIFIES", "RELATED", "SHARES", "VERB", "WEIGHTS", "Demand", "DemandKind", "covering"]

type DemandKind = Literal["word", "name", "number", "code", "date"]

LIGHT: Final = 0.15
"""The weight of words that only ask or connect."""

VERB: Final = 0.45
"""Verbs and adjectives are said in other words more often than things: they weigh so much of a noun."""

ASKED: Final = 0.65
"""What is asked for («which font …?») is often not named: the answer is an example of it."""

MODIFIES: Final = 1.25
"""A noun before another one tells it from its like: the payroll account, the demo account."""

WEIGHTS: Final[dict[DemandKind, float]] = {"name": 1.3, "number": 1.3, "code": 1.3, "date": 1.1}

RELATED: Final = 0.35
SHARES: Final = {Sense.MEANS: 0.9, Sense.EXAMPLE: 0.0, Sense.RELATED: RELATED}
"""How far a text with a concept covers a word that means it, or is related to it; an example covers no other one."""


class Demand(msgspec.Struct, frozen=True):
    """A word, a name, a number or a date of a question, with its weight.

    A text with a term of `any` covers the demand by that share, one with all `parts` nearly, one with some of them by
    `part` of their share.
    """

    text: str
    kind: DemandKind
    weight: float
    any: dict[str, float]
    parts: tuple[str, ...] = ()
    part: float = 0.5


def covering(key: str, lexicon: Lexicon, kind: DemandKind = "word") -> dict[str, float]:
    """The concepts that cover a word; a name is covered only by what means the same."""
    terms: dict[str, float] = {}
    for term, sense in lexicon.concepts.senses(key):
        share = SHARES[sense]
        if share and (kind == "word" or sense is Sense.MEANS):
            terms[term] = max(terms.get(term, 0.0), share)
    return terms
