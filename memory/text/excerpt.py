"""The part of a text that answers a query."""

from collections.abc import Callable, Mapping

from clawactors.memory.text.sentence import sentences

__all__ = ["EXCERPT_LIMIT", "excerpt"]

EXCERPT_LIMIT = 240


def excerpt(
    text: str, weights: Mapping[str, float], terms: Callable[[str], list[str]], limit: int = EXCERPT_LIMIT
) -> str:
    """At most `limit` characters: the consecutive sentences with the greatest total weight of distinct query terms.

    `weights` are those of the query's terms; `terms` gives the terms of a text. An ellipsis marks omitted text.
    """
    if len(text) <= limit:
        return text
    parts = sentences(text)
    found = [{term for term in terms(part) if term in weights} for part in parts]
    best, best_weight, best_span = 0.0, -1.0, (0, 1)
    for first in range(len(parts)):
        seen: set[str] = set()
        length = 0
        for last in range(first, len(parts)):
            length += len(parts[last]) + 1
            if last > first and length > limit:
                break
            seen |= found[last]
            weight = sum(weights[term] for term in seen)
            # The earlier and shorter run wins a tie.
            if weight > best_weight:
                best, best_weight, best_span = weight, weight, (first, last + 1)
    first, end = best_span
    chosen = _around(" ".join(parts[first:end]), weights, terms, limit - 4) if best else parts[0]
    if len(chosen) > limit - 4:
        chosen = chosen[: limit - 4].rstrip()
    before = "… " if first > 0 or not text.startswith(chosen[:20]) else ""
    after = " …" if not text.rstrip().endswith(chosen[-20:]) else ""
    return f"{before}{chosen}{after}"


def _around(part: str, weights: Mapping[str, float], terms: Callable[[str], list[str]], limit: int) -> str:
    """The part of an overlong sentence with the heaviest terms."""
    if len(part) <= limit:
        return part
    step = max(limit // 2, 1)
    windows = [part[at : at + limit] for at in range(0, len(part), step)]
    return max(windows, key=lambda window: sum(weights.get(term, 0.0) for term in set(terms(window)))).strip()
