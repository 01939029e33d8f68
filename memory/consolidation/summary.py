"""Extractive summaries: the most informative sentences of an episode, unchanged and in order.

A sentence scores for centrality (similarity to the others), position, figures and names; a question scores less.
Sentences similar to a chosen one are skipped.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from clawactors.memory.text.sentence import is_question, sentences

__all__ = ["SUMMARY_LIMIT", "summary"]

SUMMARY_LIMIT: Final = 200

_MOST_SENTENCES: Final = 400
_SHORTEST: Final = 4
_LIKENESS: Final = 0.5
_INFORMATIVE = re.compile(r"\d|[a-z].*\b[A-Z][a-z]|[\u4e00-\u9fff]+[年月日元号]|[Ee]rror|失败|错误")

type Floats = npt.NDArray[np.float64]
type Terms = Callable[[str], Iterable[str]]


class _Sentence(msgspec.Struct):
    speaker: str
    text: str


def summary(said: Sequence[tuple[str, str]], terms: Terms, limit: int = SUMMARY_LIMIT) -> str:
    """A summary of at most `limit` characters of pairs of speaker and text; '' if there is no text."""
    found = [_Sentence(speaker, part) for speaker, text in said for part in sentences(text)]
    found = [one for one in found if len(one.text) >= _SHORTEST] or found
    if not found:
        return ""
    whole = _joined(found)
    if len(whole) <= limit:
        return whole
    found = found[: _MOST_SENTENCES // 2] + found[-_MOST_SENTENCES // 2 :] if len(found) > _MOST_SENTENCES else found
    vectors = _vectors([list(terms(one.text)) for one in found])
    likeness = vectors @ vectors.T
    scores = _scores(found, likeness)
    chosen: list[int] = []
    while True:
        fitting = [
            at
            for at in range(len(found))
            if at not in chosen and len(_joined([found[one] for one in sorted((*chosen, at))])) <= limit
        ]
        if not fitting:
            break
        chosen.append(max(fitting, key=lambda at: (scores[at] - _LIKENESS * _closest(likeness[at], chosen), -at)))
    if not chosen:
        best = found[int(np.argmax(scores))]
        return _shortened(_joined([best]), limit)
    return _joined([found[at] for at in sorted(chosen)])


def _scores(found: Sequence[_Sentence], likeness: Floats) -> Floats:
    count = len(found)
    centrality = (likeness.sum(axis=1) - likeness.diagonal()) / max(count - 1, 1)
    centrality /= max(float(centrality.max()), 1e-9)
    place = np.linspace(1, 0, count) * 0.2
    place[-1] += 0.1
    informative = np.array([bool(_INFORMATIVE.search(one.text)) for one in found]) * 0.3
    asking = np.array([is_question(one.text) for one in found]) * 0.6
    short = np.array([len(one.text) < 20 and one.text.isascii() for one in found]) * 0.3
    scores: Floats = centrality + place + informative - asking - short
    return scores


def _closest(row: Floats, chosen: list[int]) -> float:
    return float(row[chosen].max()) if chosen else 0.0


def _vectors(texts: Sequence[list[str]]) -> Floats:
    """One unit row per sentence; terms of few sentences weigh more."""
    frequency = Counter(term for text in texts for term in set(text))
    place = {term: at for at, term in enumerate(frequency)}
    rows = np.zeros((len(texts), max(len(place), 1)))
    for row, text in zip(rows, texts, strict=True):
        for term in text:
            row[place[term]] += np.log1p(len(texts) / frequency[term])
    unit: Floats = rows / np.maximum(np.linalg.norm(rows, axis=1), 1e-9)[:, None]
    return unit


def _joined(chosen: Sequence[_Sentence]) -> str:
    """The sentences as one text; the speaker is named at each change."""
    parts: list[str] = []
    speaker = ""
    for one in chosen:
        named = one.speaker and one.speaker != speaker
        parts.append(f"{one.speaker}: {one.text}" if named else one.text)
        speaker = one.speaker
    return " ".join(parts)


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
