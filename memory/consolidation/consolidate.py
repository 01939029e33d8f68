"""One run of consolidation over raw memories: orders for summaries, facts and patterns.

1. Ids follow from what is named: an episode from its first item, a fact from where it was stated, a pattern from its
   kind. A second run over the same memories, or another run at the same time, gives orders that change nothing.
2. A fact that was stated before is counted there and believed more; a contradiction closes the older one's validity
   and keeps both, whichever of them was heard of first.
3. Only raw memories are evidence.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from msgspec.structs import replace

from clawactors.memories import Content, Fact, Memory, memory_id
from clawactors.memories.commands import Archive, Believe, Merge, Record, Revise, Supersede
from memory.consolidation.episode import Episode, episodes
from memory.consolidation.fact import facts_in, inferred, statement
from memory.consolidation.importance import KEPT, importance, retention, tone
from memory.consolidation.keyword import keywords
from memory.consolidation.likeness import contradicts, likeness, same_fact
from memory.consolidation.order import Order
from memory.consolidation.pattern import FAILURE, Pattern, failures, topics
from memory.consolidation.summary import SUMMARY_LIMIT, summary
from memory.index.item import Item
from memory.text.lexicon import Lexicon

__all__ = ["Known", "consolidated", "faded"]


class Known(Protocol):
    """What is remembered already."""

    def memory(self, id: str) -> Memory | None:
        """The memory with this id."""
        ...

    def facts(self, owner: str, subject: str) -> Iterable[tuple[str, Memory]]:
        """Ids and memories of the owner's facts about this subject."""
        ...

    def session(self, owner: str, session: str, position: int) -> Sequence[Item]:
        """The raw memories of a session, from the beginning of the episode that has this position."""
        ...

    def tagged(self, owner: str, tags: tuple[str, ...]) -> Sequence[Item]:
        """The owner's memories that have all of these tags."""
        ...

    def similar(self, item: Item) -> Sequence[Item]:
        """A few memories of the same owner and kind that come nearest to this one, itself not among them."""
        ...


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
        *_facts(raw, known),
        *(order for pattern in patterns for order in _kept_up(pattern, known)),
    ]


def faded(items: Iterable[Item], now_ns: int) -> list[Order]:
    """Orders to archive the raw memories that matter too little by now; what was made of them stays."""
    return [
        Order(item.id, Archive("faded"))
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
                    Merge(
                        occurrence=item.id,
                        sources=content.sources,
                        parents=(item.id,),
                        happened_ns=content.happened_ns,
                    ),
                )
                yield Order(item.id, Archive(f"merged into {other.id}"))
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
        sources=tuple(sorted({seq for content in contents for seq in content.sources})),
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
        yield Order(pattern.id, Record(content))
    elif memory.searched and memory.content:
        there = memory.content
        if (there.text, set(there.parents)) != (content.text, set(content.parents)):
            yield Order(
                pattern.id,
                Revise(
                    text=content.text,
                    tags=content.tags,
                    sources=content.sources,
                    parents=content.parents,
                    importance=max(content.importance, there.importance),
                    tone=content.tone,
                ),
            )


# Facts


class _Facts:
    """What is known, and what this run has stated on top of it."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._stated: dict[str, Memory] = {}

    def about(self, content: Content, fact: Fact) -> list[tuple[str, Memory]]:
        known = dict(self._known.facts(content.owner, fact.subject)) | self._stated
        return [
            (id, memory)
            for id, memory in known.items()
            if memory.status == "live" and memory.content and memory.content.owner == content.owner
        ]

    def is_known(self, id: str) -> bool:
        memory = self._known.memory(id)
        return id in self._stated or (memory is not None and memory.status != "absent")

    def state(self, id: str, content: Content) -> None:
        self._stated[id] = Memory("live", content, count=1)

    def change(self, id: str, memory: Memory) -> None:
        self._stated[id] = memory


def _facts(raw: Sequence[Item], known: Known) -> Iterator[Order]:
    facts = _Facts(known)
    for item in raw:
        for nth, fact in enumerate(facts_in(item.content)):
            id = memory_id(item.content.owner, f"fact/{item.id}/{nth}")
            yield from _stated(facts, item, id, fact)
            if follows := inferred(fact):
                yield from _stated(facts, item, memory_id(item.content.owner, f"inferred/{item.id}/{nth}"), follows)


def _stated(facts: _Facts, item: Item, id: str, fact: Fact) -> Iterator[Order]:
    if facts.is_known(id):
        return
    said = item.content
    about = facts.about(said, fact)
    for other_id, other in about:
        if other.content and other.content.fact and same_fact(other.content.fact, fact):
            if id not in other.occurrences:
                confidence = round(1 - (1 - other.content.fact.confidence) * (1 - fact.confidence), 4)
                yield Order(
                    other_id,
                    Merge(occurrence=id, sources=said.sources, parents=(item.id,), happened_ns=said.happened_ns),
                )
                yield Order(other_id, Believe(confidence, "stated again"))
                believed = replace(other.content, fact=replace(other.content.fact, confidence=confidence))
                facts.change(other_id, replace(other, content=believed, occurrences=other.occurrences | {id}))
            return
    content = Content(
        text=statement(fact),
        kind="knowledge",
        owner=said.owner,
        tags=("fact", fact.predicate),
        happened_ns=said.happened_ns,
        sources=said.sources,
        parents=(item.id,),
        fact=fact,
        importance=round(max(importance(said.text), 0.6), 3),
        origin="consolidation",
    )
    yield Order(id, Record(content))
    facts.state(id, content)
    for other_id, other in about:
        if not (other.content and other.content.fact and contradicts(other.content.fact, fact)):
            continue
        there = other.content.fact
        # Whatever was true later holds; what was heard last may tell of an earlier time.
        if there.valid_from_ns <= fact.valid_from_ns:
            older, newer, until_ns = other_id, id, fact.valid_from_ns
        else:
            older, newer, until_ns = id, other_id, there.valid_from_ns
        yield Order(older, Supersede(newer, until_ns, "contradicted"))
        facts.change(older, replace(other if older == other_id else Memory("live", content), status="superseded"))
        if older == id:
            return
