"""Condenses knowledge that somebody wrote down at length: the gist stays knowledge, the whole text a raw memory.

The raw memory is the parent of the gist, and derived from it: who forgets one forgets the other. Nothing is lost, and
a repeated or a concurrent run changes nothing. Where other words replace the knowledge, the whole text follows.
"""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from clawactors.memory.consolidation.keyword import keywords
from clawactors.memory.consolidation.known import KnownMemories
from clawactors.memory.consolidation.summary import SUMMARY_LIMIT, summary
from clawactors.memory.item import Item, ItemCommand
from clawactors.memory.text.lexicon import Lexicon
from clawactors.memory.text.sentence import sentences
from clawactors.systems.memories import Content, memory_id
from clawactors.systems.memories.commands import (
    ArchiveMemory,
    RecordMemory,
    RestoreMemory,
    ReviseMemory,
    UpdateMemory,
)

__all__ = ["condensed", "is_note"]


def is_note(content: Content) -> bool:
    """True for knowledge that was written down by a person or a task, not concluded."""
    return content.kind == "knowledge" and content.origin != "consolidation"


def condensed(notes: Iterable[Item], known: KnownMemories, lexicon: Lexicon) -> Iterator[ItemCommand]:
    """The commands that condense notes of knowledge which are longer than a summary."""
    for item in notes:
        content = item.content
        id = memory_id(content.owner, f"whole/{item.id}")
        whole = known.memory(id)
        if content.fact is not None or id in content.parents:
            continue
        if len(content.text) <= SUMMARY_LIMIT:
            if whole is not None and whole.searched:  # of the words that these have replaced
                yield ItemCommand(id, ArchiveMemory("replaced"))
            continue
        if whole is None or whole.content is None:
            kept = replace(content, kind="raw", sources=item.sources, parents=(), derived_from=(item.id,))
            yield ItemCommand(id, RecordMemory(kept))
        else:
            if whole.status == "archived":
                yield ItemCommand(id, RestoreMemory())
            if whole.content.text != content.text:
                yield ItemCommand(id, UpdateMemory(content.text, content.tags, (item.id,)))
        yield ItemCommand(
            item.id,
            ReviseMemory(
                text=summary([("", content.text)], lexicon.terms),
                tags=tuple(dict.fromkeys((*content.tags, *keywords(sentences(content.text), lexicon.analyzer)))),
                sources=item.sources,
                parents=(*content.parents, id),
                importance=content.importance,
                tone=content.tone,
            ),
        )
