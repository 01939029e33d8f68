"""Which of two memories that answer alike is current: a later claim of the same slot stands above the earlier one."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec.structs import replace

from clawactors.memory.consolidation.claims import Claim, claims_in, replaces
from clawactors.memory.index.rows import find, with_terms
from clawactors.memory.index.terms import slot_term
from clawactors.memory.item import Item
from clawactors.memory.recall.hit import Hit
from clawactors.projections.engine.store import Reading

__all__ = ["in_order", "successor"]

_CHAIN = 8
_OF_A_KIND = "uses one of a kind"
_RESTS_ON = {"works as": "works at", "uses": _OF_A_KIND}
"""Who leaves an employer no longer does the job there; who switches the database no longer uses the one before."""
_MAIN_SHARE = 0.5
"""A note is outdated if what it claims is, and that is at least this share of its text."""


def successor(reading: Reading, item: Item) -> Item | None:
    """The newest memory that makes this one outdated, None for one that is current."""
    if item.memory.superseded_by:
        return _live(reading, item.memory.superseded_by)
    claims = claims_in(item.content)
    if not claims or sum(claim.share for claim in _sentences(claims)) < _MAIN_SHARE:
        return None
    later = {claim: one for claim in claims if (one := _later(reading, item, claim))}
    ended = {claim.fact.predicate for claim in later if claim.fact}
    ended |= {_OF_A_KIND for claim in later if claim.follows}
    for claim in claims:
        predicate = claim.fact.predicate if claim.fact else ""
        if claim not in later and not claim.follows and _RESTS_ON.get(predicate) not in ended:
            return None
    return max(later.values(), key=_time, default=None)


def _sentences(claims: Iterable[Claim]) -> Iterable[Claim]:
    """One claim for each sentence."""
    return {claim.share: claim for claim in claims}.values()


def _later(reading: Reading, item: Item, claim: Claim) -> Item | None:
    found = [
        other
        for other in with_terms(reading, slot_term(claim.slot))
        if other.content.owner == item.content.owner
        and other.memory.searched
        and _time(other) > _time(item)
        and any(replaces(one, claim) for one in claims_in(other.content))
    ]
    return max(found, key=_time, default=None)


def _time(item: Item) -> tuple[int, int]:
    return item.content.happened_ns, item.number


def _live(reading: Reading, id: str) -> Item | None:
    """The end of a chain of memories that superseded each other."""
    item = None
    for _ in range(_CHAIN):
        following = find(reading, id)
        if following is None or not following.memory.searched:
            break
        item = following
        if not item.memory.superseded_by:
            break
        id = item.memory.superseded_by
    return item


def in_order(
    hits: Sequence[tuple[Item, Hit]], replaced: Mapping[str, Item], hit_for: Callable[[Item, Hit], Hit | None]
) -> list[Hit]:
    """The hits with each outdated one marked and below what replaced it.

    `hit_for` makes the hit of a successor that the search did not find; None keeps it out.
    """
    placed: dict[str, Hit] = {hit.id: hit for _, hit in hits}
    ordered: list[Hit] = []
    done: set[str] = set()
    for item, hit in hits:
        later = replaced.get(item.id)
        if later is not None:
            first = placed.get(later.id) or hit_for(later, hit)
            if first is not None and later.id not in done:
                ordered.append(replace(first, score=max(first.score, hit.score), weak=hit.weak))
                done.add(later.id)
            hit = replace(hit, superseded_by=later.id)
        if hit.id not in done:
            ordered.append(hit)
            done.add(hit.id)
    return ordered
