"""Splits sessions into episodes: at a gap in time, at the maximum size, or where the topic shifts.

1. Whether an episode ends before an item depends on earlier items and the next few items only. So an episode that has
   ended never changes.
2. Items of different owners or sessions are never in one episode.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Final

import msgspec

from clawactors.memory.item import Item

__all__ = ["GAP_NS", "SIZE", "Episode", "episodes"]

GAP_NS: Final = 30 * 60 * 1_000_000_000
SIZE: Final = 40

_LEAST: Final = 6
"""The minimum number of items before a topic can shift."""
_AHEAD: Final = 4
"""The number of items that establish the new topic."""
_COHESION: Final = 0.04

type Terms = Callable[[str], Iterable[str]]


class Episode(msgspec.Struct, frozen=True):
    """Consecutive items of a session; an `open` episode may still grow."""

    items: tuple[Item, ...]
    open: bool


def episodes(items: Iterable[Item], terms: Terms, now_ns: int) -> list[Episode]:
    """The episodes of all sessions, in order within a session. `terms` gives the terms of a text."""
    found: list[Episode] = []
    ordered = sorted(items, key=lambda item: (_session(item), item.content.position, item.number))
    for _, together in groupby(ordered, key=_session):
        found += _cut(list(together), terms, now_ns)
    return found


def _session(item: Item) -> tuple[str, str]:
    return item.content.owner, item.content.session


def _cut(items: Sequence[Item], terms: Terms, now_ns: int) -> list[Episode]:
    counted = [Counter(terms(item.content.text)) for item in items]
    starts = [0]
    for at in range(1, len(items)):
        if _ends_before(at, starts[-1], items, counted):
            starts.append(at)
    ends = [*starts[1:], len(items)]
    last_ns = items[-1].content.happened_ns
    return [
        Episode(tuple(items[start:end]), open=end == len(items) and now_ns - last_ns < GAP_NS)
        for start, end in zip(starts, ends, strict=True)
    ]


def _ends_before(at: int, start: int, items: Sequence[Item], counted: Sequence[Counter[str]]) -> bool:
    if items[at].content.happened_ns - items[at - 1].content.happened_ns >= GAP_NS or at - start >= SIZE:
        return True
    if at - start < _LEAST or len(items) - at < _AHEAD:
        return False
    before = sum(counted[max(start, at - _LEAST) : at], Counter[str]())
    return _cosine(before, sum(counted[at : at + _AHEAD], Counter[str]())) < _COHESION


def _cosine(left: Counter[str], right: Counter[str]) -> float:
    shared = sum(count * right[term] for term, count in left.items())
    length = math.sqrt(sum(n * n for n in left.values()) * sum(n * n for n in right.values()))
    return shared / length if length else 0.0
