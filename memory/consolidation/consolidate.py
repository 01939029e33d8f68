"""One run of consolidation over raw memories: orders for summaries, facts and patterns.

1. Ids follow from what is named: an episode from its first item, a fact from where it was stated, a pattern from its
   kind. A second run over the same memories, or another run at the same time, gives orders that change nothing.
2. A fact that was stated before is counted there and believed more; a contradiction closes the older one's validity
   and keeps both, whichever of them was heard of first.
3. Only raw memories are evidence.
"""

from collections.abc import Iterable, Iterator, Sequence

from clawactors.memory.consolidation.belief import beliefs
from clawactors.memory.consolidation.episode import Episode, episodes
from clawactors.memory.consolidation.importance import KEPT, retention, tone
from clawactors.memory.consolidation.keyword import keywords
from clawactors.memory.consolidation.known import Known
from clawactors.memory.consolidation.likeness import likeness
from clawactors.memory.consolidation.order import Order
from clawactors.memory.consolidation.pattern import FAILURE, Pattern, failures, topics
from clawactors.memory.consolidation.summary import SUMMARY_LIMIT, summary
from clawactors.memory.index.item import Item
from clawactors.memory.text.lexicon import Lexicon
from clawactors.systems.memories import Content, memory_id
from clawactors.systems.memories.commands import ArchiveMemory, MergeMemory, RecordMemory, ReviseMemory

__all__ = ["consolidated", "faded"]


def consolidated(
    fresh: Sequence[Item], known: Known, lexicon: Lexicon, now_ns: int, *, everything: bool = False
) -> list[Order]:
    """The orders that bring knowledge up to date with memories that are new; `everything` sums up open episodes too."""
    searched = sorted((item for item in fresh if item.memory.searched), key=lambda item: item.number)
    raw = [item for item in searched if item.content.kind == "raw" and item.content.origin != "consolidation"]
    summaries = [item for item in searched if item.content.kind == "summary"]
    patterns = [*failures(raw, known.tagged), *topics(summaries, known.tagged)]
    return [
        *_duplicates(raw, known, lexicon),
        *_summaries(raw, known, lexicon, now_ns, everything),
        *beliefs(raw, known),
        *(order for pattern in patterns for order in _kept_up(pattern, known)),
    ]


def faded(items: Iterable[Item], now_ns: int) -> list[Order]:
    """Orders to archive the raw memories that matter too little by now; what was made of them stays."""
    return [
        Order(item.id, ArchiveMemory("faded"))
        for item in items
        if item.memory.searched
        and item.content.kind == "raw"
        and retention(item.content.importance, item.memory.count, now_ns - item.memory.last_met_ns) < KEPT
    ]


# Duplicates


def _duplicates(raw: Sequence[Item], known: Known, lexicon: Lexicon) -> Iterator[Order]:
    """Notes that say what an older one says are counted there; what was said in a session keeps its place."""
    merged: set[str] = set()
    for item in raw:
        if item.content.session:
            continue
        for other in sorted(known.similar(item), key=lambda one: one.number):
            is_older = other.number < item.number and other.id not in merged and other.memory.status == "live"
            if is_older and likeness(other.content, item.content, lexicon.terms):
                merged.add(item.id)
                content = item.content
                yield Order(
                    other.id,
                    MergeMemory(
                        occurrence=item.id,
                        sources=item.sources,
                        parents=(item.id,),
                        happened_ns=content.happened_ns,
                    ),
                )
                yield Order(item.id, ArchiveMemory(f"merged into {other.id}"))
                break


# Episodes and summaries


def _summaries(raw: Sequence[Item], known: Known, lexicon: Lexicon, now_ns: int, everything: bool) -> Iterator[Order]:
    firsts: dict[tuple[str, str], int] = {}
    for content in (item.content for item in raw if item.content.session):
        key = (content.owner, content.session)
        firsts[key] = min(firsts.get(key, content.position), content.position)
    before: dict[tuple[str, str], str] = {}
    together = [
        item for (owner, session), position in firsts.items() for item in known.session(owner, session, position)
    ]
    for episode in episodes(together, lexicon.terms, now_ns):
        first = episode.items[0].content
        id = memory_id(first.owner, f"episode/{episode.items[0].id}")
        previous = before.get((first.owner, first.session), "")
        before[(first.owner, first.session)] = id
        if not _is_worth_it(episode) or (episode.open and not everything):
            continue
        yield from _kept_up(Pattern(id, _summed_up(episode, previous, lexicon)), known)


def _is_worth_it(episode: Episode) -> bool:
    return len(episode.items) > 1 or len(episode.items[0].content.text) > SUMMARY_LIMIT


def _summed_up(episode: Episode, previous: str, lexicon: Lexicon) -> Content:
    contents = [item.content for item in episode.items]
    texts = [content.text for content in contents]
    weights = [content.importance for content in contents]
    failed = any(FAILURE in content.tags for content in contents)
    return Content(
        text=summary([(content.speaker, content.text) for content in contents], lexicon.terms),
        kind="summary",
        owner=contents[0].owner,
        session=contents[0].session,
        position=contents[0].position,
        tags=tuple(keywords(texts, lexicon.analyzer)),
        happened_ns=contents[0].happened_ns,
        sources=tuple(sorted({seq for item in episode.items for seq in item.sources})),
        parents=tuple(item.id for item in episode.items),
        previous=previous,
        importance=round(max(0.6 * max(weights) + 0.4 * sum(weights) / len(weights), 0.7 if failed else 0.0), 3),
        tone=round(sum(tone(text) for text in texts) / len(texts), 3),
        origin="consolidation",
    )


def _kept_up(pattern: Pattern, known: Known) -> Iterator[Order]:
    """Records what is new, revises what has changed, says nothing where all is as it was."""
    memory = known.memory(pattern.id)
    content = pattern.content
    if memory is None or memory.status == "absent":
        yield Order(pattern.id, RecordMemory(content))
    elif memory.searched and memory.content:
        there = memory.content
        if (there.text, set(there.parents)) != (content.text, set(content.parents)):
            yield Order(
                pattern.id,
                ReviseMemory(
                    text=content.text,
                    tags=content.tags,
                    sources=content.sources,
                    parents=content.parents,
                    importance=max(content.importance, there.importance),
                    tone=content.tone,
                ),
            )
