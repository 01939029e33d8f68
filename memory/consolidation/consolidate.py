"""One run of consolidation over raw memories: commands for summaries, facts and patterns.

1. Ids follow from what they name: an episode's from its first item, a fact's from where it was stated, a pattern's from
   its kind. The commands of a second or a concurrent run over the same memories change nothing.
2. A repeated fact is counted and gains confidence. A contradiction ends the validity of the fact with the earlier time
   and keeps both, in whatever order they were reported.
3. Only raw memories are evidence, and of them none that was made where others had been recalled.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from clawactors.memory.consolidation.belief import beliefs
from clawactors.memory.consolidation.condense import condensed, is_note
from clawactors.memory.consolidation.episode import Episode, episodes
from clawactors.memory.consolidation.keyword import keywords
from clawactors.memory.consolidation.known import KnownMemories
from clawactors.memory.consolidation.likeness import likeness
from clawactors.memory.consolidation.pattern import Pattern, failures, topics
from clawactors.memory.consolidation.summary import SUMMARY_LIMIT, summary
from clawactors.memory.ingest.history_extractor import FAILURE
from clawactors.memory.item import Item, ItemCommand
from clawactors.memory.text.date import day_of
from clawactors.memory.text.importance import tone
from clawactors.memory.text.lexicon import Lexicon
from clawactors.systems.memories import Content, Fact, Memory, memory_id
from clawactors.systems.memories.commands import (
    ArchiveMemory,
    MergeMemory,
    RecordMemory,
    ReviseMemory,
    SupersedeMemory,
)

__all__ = ["ARCHIVED_BELOW", "consolidate", "expire", "outdated", "retention"]

ARCHIVED_BELOW: Final = 0.1
"""A raw memory whose retention falls below this is archived."""

_NONE: Final[Mapping[str, Sequence[Fact]]] = {}
_MONTH_NS: Final = 30 * 86_400 * 1_000_000_000


def consolidate(
    items: Sequence[Item],
    known: KnownMemories,
    lexicon: Lexicon,
    now_ns: int,
    *,
    everything: bool = False,
    proposed: Mapping[str, Sequence[Fact]] = _NONE,
) -> list[ItemCommand]:
    """The commands that consolidate these new memories; `everything` also summarizes episodes that are still open.

    `proposed` as in `beliefs`.
    """
    searched = sorted((item for item in items if item.memory.searched), key=lambda item: item.number)
    raw = [item for item in searched if item.content.kind == "raw" and item.content.origin != "consolidation"]
    notes = [item for item in searched if is_note(item.content)]
    summaries = [item for item in searched if item.content.kind == "summary"]
    patterns = [*failures(raw, known.tagged), *topics(summaries, known.tagged)]
    evidence = [item for item in raw if not item.content.derived_from]
    return [
        *_duplicates([item for item in (*raw, *notes) if not item.content.derived_from], known, lexicon),
        *condensed(notes, known, lexicon),
        *_summaries(raw, known, lexicon, now_ns, everything),
        *beliefs(evidence, known, proposed),
        *(command for pattern in patterns for command in _record_or_revise(pattern, known)),
    ]


def expire(items: Iterable[Item], now_ns: int) -> list[ItemCommand]:
    """The commands that archive raw memories whose retention has become too low; their summaries stay."""
    return [
        ItemCommand(item.id, ArchiveMemory("faded"))
        for item in items
        if item.memory.searched and item.content.kind == "raw" and retention(item.memory, now_ns) < ARCHIVED_BELOW
    ]


def outdated(updated: Sequence[Item], items: Iterable[Item]) -> list[ItemCommand]:
    """The commands that end facts which only an earlier version of an updated memory has stated."""
    since_ns = {item.id: item.content.happened_ns for item in updated}
    return [
        ItemCommand(item.id, SupersedeMemory(parent, since_ns[parent], "its source was updated"))
        for item in items
        if item.memory.status == "live"
        and item.content.fact is not None
        and len(item.content.parents) == 1
        and (parent := item.content.parents[0]) in since_ns
        and item.content.happened_ns < since_ns[parent]
    ]


def retention(memory: Memory, now_ns: int) -> float:
    """What is left of a memory's importance by now, 0..1.

    It halves every month for an unimportant memory that was met once, and slower for one that matters, recurs or was
    an answer; meeting and use begin the time anew.
    """
    importance = memory.content.importance if memory.content else 0.0
    months = max(now_ns - max(memory.last_met_ns, memory.last_used_ns), 0) / _MONTH_NS
    met = max(memory.count, 1) + memory.uses
    return float(importance * 0.5 ** (months / (met * (1 + 3 * importance))))


# Duplicates


def _duplicates(raw: Sequence[Item], known: KnownMemories, lexicon: Lexicon) -> Iterator[ItemCommand]:
    """Merges duplicate notes into the oldest one; messages of a session are never merged."""
    merged: set[str] = set()
    for item in raw:
        if item.content.session:
            continue
        for other in sorted(known.similar(item), key=lambda one: one.number):
            if _are_dated_apart(item.content, other.content):
                continue
            is_older = other.number < item.number and other.id not in merged and other.memory.status == "live"
            is_evidence = not other.content.derived_from and other.content.agent == item.content.agent
            if is_older and is_evidence and likeness(other.content, item.content, lexicon.terms):
                merged.add(item.id)
                content = item.content
                yield ItemCommand(
                    other.id,
                    MergeMemory(
                        occurrence=item.id,
                        sources=item.sources,
                        parents=(item.id,),
                        happened_ns=content.happened_ns,
                    ),
                )
                yield ItemCommand(item.id, ArchiveMemory(f"merged into {other.id}"))
                break


def _are_dated_apart(one: Content, other: Content) -> bool:
    """True for entries of files that are dated: the same words of another day are about another day."""
    return "import" in (one.origin, other.origin) and day_of(one.happened_ns) != day_of(other.happened_ns)


# Episodes and summaries


def _summaries(
    raw: Sequence[Item], known: KnownMemories, lexicon: Lexicon, now_ns: int, everything: bool
) -> Iterator[ItemCommand]:
    starts: dict[tuple[str, str], int] = {}
    for content in (item.content for item in raw if item.content.session):
        key = (content.owner, content.session)
        starts[key] = min(starts.get(key, content.position), content.position)
    before: dict[tuple[str, str], str] = {}
    items = [item for (owner, session), position in starts.items() for item in known.session(owner, session, position)]
    for episode in episodes(items, lexicon.terms, now_ns):
        first = episode.items[0].content
        id = memory_id(first.owner, f"episode/{episode.items[0].id}")
        previous = before.get((first.owner, first.session), "")
        before[(first.owner, first.session)] = id
        if not _needs_summary(episode) or (episode.open and not everything):
            continue
        yield from _record_or_revise(Pattern(id, _summarize(episode, previous, lexicon)), known)


def _needs_summary(episode: Episode) -> bool:
    return len(episode.items) > 1 or len(episode.items[0].content.text) > SUMMARY_LIMIT


def _summarize(episode: Episode, previous: str, lexicon: Lexicon) -> Content:
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


def _record_or_revise(pattern: Pattern, known: KnownMemories) -> Iterator[ItemCommand]:
    """Records a new memory or revises a changed one; nothing if it is unchanged."""
    memory = known.memory(pattern.id)
    content = pattern.content
    if memory is None or memory.status in ("absent", "forgotten"):
        yield ItemCommand(pattern.id, RecordMemory(content))
    elif memory.searched and memory.content:
        existing = memory.content
        if (existing.text, set(existing.parents)) != (content.text, set(content.parents)):
            yield ItemCommand(
                pattern.id,
                ReviseMemory(
                    text=content.text,
                    tags=content.tags,
                    sources=content.sources,
                    parents=content.parents,
                    importance=max(content.importance, existing.importance),
                    tone=content.tone,
                ),
            )
