"""Contexts for language models: a search, its evidence each thing once, packed into a budget; cached."""

import asyncio
from typing import Final

import msgspec
from msgspec.structs import replace

from clawactors.kernel.time import iso
from clawactors.memory.index.rows import find
from clawactors.memory.process import questions as q
from clawactors.memory.process.access import Access
from clawactors.memory.process.contextcache import ContextCache
from clawactors.memory.process.reading import habits, hits_of
from clawactors.memory.process.replies import Reply
from clawactors.memory.process.store import MemoryStore
from clawactors.memory.recall.gathering import ContextCandidate, gathered, item_of
from clawactors.memory.recall.hit import hit_of
from clawactors.memory.text.date import day_of
from clawactors.projections.engine.pages import InvalidQuery
from clawactors.runtime.packing import pack

__all__ = ["Contexts"]

_BEHIND: Final = 0.15

_encode = msgspec.json.Encoder().encode


class Contexts:
    """Answers `context` questions."""

    def __init__(self) -> None:
        self.cache = ContextCache()

    async def answer(
        self, store: MemoryStore, question: q.ContextQuestion, access: Access, now_ns: int, goal: str = ""
    ) -> Reply:
        """The packed context; `goal` is what the asking task is about. Raises: `InvalidQuery`, `Refused`."""
        if not 0 < question.tokens <= q.TOKENS_MAX:
            raise InvalidQuery(f"tokens is {question.tokens}, it must be 1 to {q.TOKENS_MAX}")
        sharing: tuple[str, ...] = ()
        if question.shared:
            sharing = await asyncio.to_thread(access.sharing_owners, store)
        elif question.owner:
            await asyncio.to_thread(access.read, store, question.owner)
        zone, locale = await asyncio.to_thread(habits, store, question, access)
        # Words like «yesterday» mean another day tomorrow, and another one where the owner has moved to.
        said = replace(question, fresh=True, task="", by="", user=access.user, locale=locale)
        named = _encode((day_of(now_ns, zone), str(zone), goal, said, sharing))
        if (known := self.cache.get(named, now_ns)) is not None:
            reply: Reply = msgspec.json.decode(known.unpacked())
            return reply | {"cached": True, "packed_bytes": len(known.body), "expires_at": iso(known.expires_ns)}
        changes = self.cache.changes
        with store.precedence.answering():
            reply = await asyncio.to_thread(_context, store, question, access, now_ns, goal)
        kept = self.cache.put(named, _encode(reply), _owners(question, access, reply, sharing), now_ns, changes)
        return reply | {"cached": False, "packed_bytes": len(kept.body), "expires_at": iso(kept.expires_ns)}


def _owners(
    question: q.ContextQuestion, access: Access, reply: Reply, sharing: tuple[str, ...]
) -> frozenset[str] | None:
    """Whose memories the answer depends on; None where everybody's were searched."""
    owner = question.owner or access.user
    if owner is None:
        return None
    return frozenset((owner, "", *sharing, *(item["owner"] for item in reply["items"])))


def _context(store: MemoryStore, question: q.ContextQuestion, access: Access, now_ns: int, goal: str) -> Reply:
    candidates = _candidates(store, question, access, now_ns, goal)
    whole = pack([item_of(one) for one in candidates], q.TOKENS_MAX)
    packed = pack(gathered(candidates, store.lexicon.analyzer.terms), question.tokens)
    return {
        "text": packed.text,
        "tokens": packed.tokens,
        "tokens_before": whole.tokens,
        "chars": len(packed.text),
        "chars_before": len(whole.text),
        "budget": question.tokens,
        "found": len(candidates),
        "omitted": packed.omitted,
        "needed": packed.needed,
        "items": packed.items,
    }


def _candidates(
    store: MemoryStore, question: q.ContextQuestion, access: Access, now_ns: int, goal: str
) -> list[ContextCandidate]:
    """The hits, best first, and what took the place of those that hold no longer.

    A weak hit is left out: memory does not hold what was asked, and a prompt is no place for what comes closest. So is
    one that is far behind the best, unless everything is asked for.
    """
    known = [hit for hit in hits_of(store, question, access, now_ns, goal) if not hit.weak]
    least = max((hit.score for hit in known), default=0.0) - _BEHIND if question.threshold else 0.0
    hits = {hit.id: hit for hit in known if hit.score >= least}
    found: dict[str, ContextCandidate] = {}
    with store.views.store.snapshot() as reading:
        for id, hit in hits.items():
            item = find(reading, id)
            if item is None or not item.memory.searched:
                continue
            found[id] = ContextCandidate(hit, item)
            by = item.memory.superseded_by
            if by and by not in hits and by not in found:
                current = find(reading, by)
                if current is not None and current.memory.searched and current.content.owner == item.content.owner:
                    text = current.content.text
                    found[by] = ContextCandidate(hit_of(current, hit.score, hit.weak, text, {}), current)
    return list(found.values())
