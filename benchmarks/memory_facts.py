"""How well facts are read: `python -m benchmarks.memory_facts`.

483 sentences of everyday life and work in English and Chinese, half of which state nothing: questions, conditions,
quotations, texts to translate, fiction, plans, idioms. The held-out half was never used while the patterns were
written. Prints precision and recall of the facts (subject, predicate, object and negation must all be right), and how
many of the sentences that state nothing gave no fact. `--errors` lists the errors of the tuning half.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from clawactors.memory.consolidation.fact import facts_in
from clawactors.memory.text.normal import fold
from clawactors.systems.memories import Content

__all__ = ["Figures", "Labelled", "figures", "load", "main"]

FOLDER = Path(__file__).parent / "memory_facts"
SPEAKERS = {"en_tuning": "Mira", "en_heldout": "Nils", "zh_tuning": "小林", "zh_heldout": "小何"}

type Half = Literal["tuning", "heldout"]
type Triple = tuple[str, str, str, bool]


class Labelled(msgspec.Struct, frozen=True):
    """A sentence, who says it, and the facts that it states."""

    text: str
    speaker: str
    stated: frozenset[Triple]


class Figures(msgspec.Struct, frozen=True):
    """Shares of the facts that were read, and of the sentences that state nothing."""

    precision: float
    recall: float
    quiet: float
    sentences: int


def load(half: Half, language: str = "") -> Iterator[Labelled]:
    """The labelled sentences of a half."""
    for name, speaker in SPEAKERS.items():
        if name.endswith(half) and name.startswith(language):
            for line in (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines():
                if line and not line.startswith("#"):
                    text, _, stated = line.partition("=>")
                    yield Labelled(text.strip(), speaker, frozenset(_triples(stated)))


def _triples(stated: str) -> Iterator[Triple]:
    for part in filter(None, (part.strip() for part in stated.split(";"))):
        subject, predicate, thing = (each.strip() for each in part.lstrip("!").split("|"))
        yield fold(subject), predicate, fold(thing), part.startswith("!")


def found(one: Labelled) -> frozenset[Triple]:
    """The facts that are read from a sentence."""
    facts = facts_in(Content(text=one.text, speaker=one.speaker))
    return frozenset((fold(fact.subject), fact.predicate, fold(fact.object), fact.negated) for fact in facts)


def figures(labelled: list[Labelled]) -> Figures:
    """Precision and recall over these sentences."""
    right = read = stated = silent = quiet = 0
    for one in labelled:
        facts = found(one)
        right, read, stated = right + len(facts & one.stated), read + len(facts), stated + len(one.stated)
        silent, quiet = silent + (not one.stated), quiet + (not one.stated and not facts)
    return Figures(right / max(read, 1), right / max(stated, 1), quiet / max(silent, 1), len(labelled))


def main() -> None:
    for half in ("tuning", "heldout"):
        for language in ("en", "zh"):
            measured = figures(list(load(half, language)))
            print(
                f"{language} {half:8} {measured.sentences:4} sentences: precision {measured.precision:.3f}, "
                f"recall {measured.recall:.3f}, nothing read from nothing {measured.quiet:.3f}"
            )
    if "--errors" in sys.argv:
        for one in load("tuning"):
            if (facts := found(one)) != one.stated:
                print(f"{one.text}\n    missing {sorted(one.stated - facts)}\n    wrong   {sorted(facts - one.stated)}")


if __name__ == "__main__":
    main()
