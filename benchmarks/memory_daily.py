"""Whether memory answers the questions of a day, and says when it can't: `python -m benchmarks.memory_daily`.

The files `memory_questions/daily_*.txt` are notes of an agent developer (decisions, hosts, people, incidents, family,
travel, health) with questions that they answer, and questions about the same things that they don't answer: another
name, number, date or attribute. Prints, for each half and language: answered questions whose memory comes first and
among the first five, and which are called weak; unanswered questions of which memory says that it doesn't know.
"""

import sys
import tempfile
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

import msgspec

from benchmarks.memory_set import Set, daily
from clawactors import memory
from clawactors.memory.recall import Hit

__all__ = ["Outcome", "main", "outcome"]

SHOWN: Final = 5


class Outcome(msgspec.Struct):
    """Counts of questions: `present` of those with an answer, `absent` of those without."""

    present: int = 0
    first: int = 0
    in_five: int = 0
    weak: int = 0
    absent: int = 0
    told: int = 0
    disordered: int = 0
    """Answers whose scores rise down the list."""


def outcome(sets: Iterable[Set], verbose: bool = False) -> Outcome:
    """Asks each memory its own questions."""
    found = Outcome()
    for one in sets:
        with tempfile.TemporaryDirectory() as folder:
            scratch = memory.open_scratch(folder)
            scratch.add_turns(one.turns)
            for question in one.questions:
                hits = scratch.hits(question.text, SHOWN)
                _count(found, question.evidence, hits)
                if verbose:
                    _show(question.text, question.evidence, hits)
            scratch.close()
    return found


def _count(found: Outcome, evidence: frozenset[str], hits: list[Hit]) -> None:
    ids = [hit.id for hit in hits]
    weak = not hits or hits[0].weak
    found.disordered += any(after.score > before.score for before, after in pairwise(hits))
    if evidence:
        found.present += 1
        found.first += ids[:1] != [] and ids[0] in evidence
        found.in_five += bool(evidence & set(ids))
        found.weak += weak
    else:
        found.absent += 1
        found.told += weak


def _show(text: str, evidence: frozenset[str], hits: list[Hit]) -> None:
    right = hits and ((hits[0].id in evidence and not hits[0].weak) if evidence else hits[0].weak)
    if not right:
        print(f"{'answered' if evidence else 'unanswered'}: {text}")
        for hit in hits[:3]:
            print(f"    {'*' if hit.id in evidence else ' '} {hit.score:.2f}{' weak' if hit.weak else ''} {hit.text}")


def main() -> None:
    """Prints the table; `--failures` also prints the failures of the tuning half."""
    verbose = "--failures" in sys.argv
    print(f"{'':24}{'first':>8}{'in five':>8}{'weak':>8}{'absent told':>13}")
    for half in ("tuning", "held-out"):
        for language in ("en", "zh", "mixed"):
            sets = [one for one in daily(half) if one.language == language]
            row = outcome(sets, verbose and half == "tuning")
            shares = f"{row.first / row.present:8.3f}{row.in_five / row.present:8.3f}{row.weak / row.present:8.3f}"
            told = f"{row.told / row.absent:8.3f} of {row.absent}"
            print(f"{half} {language}: {row.present} asked: {shares}{told}")


if __name__ == "__main__":
    main()
