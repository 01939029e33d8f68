"""Recurring patterns: failures of one kind, and topics of several conversations."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import msgspec

from clawactors.memory.ingest.history_extractor import FAILURE
from clawactors.memory.item import Item
from clawactors.systems.memories import Content, memory_id

__all__ = ["RECURRENCES", "Pattern", "Tagged", "failures", "topics"]

RECURRENCES: Final = 3
"""The number of occurrences that make a pattern."""

type Tagged = Callable[[str, tuple[str, ...]], Sequence[Item]]
"""All memories of an owner that have all of these tags."""


class Pattern(msgspec.Struct, frozen=True):
    """The id and the content of a memory that consolidation derives from several others."""

    id: str
    content: Content


def failures(fresh: Iterable[Item], tagged: Tagged) -> Iterator[Pattern]:
    """Repeated failures of one skill, step, error class and node, or of one skill and error class on several nodes."""
    kinds: dict[tuple[str, ...], None] = {}
    for item in fresh:
        parts = {name: value for name, _, value in (tag.partition(":") for tag in item.content.tags)}
        skill, error = parts.get("skill", ""), parts.get("error", "")
        if FAILURE in item.content.tags and skill and error:
            kinds[(item.content.owner, skill, error, parts.get("step", ""), parts.get("node", ""))] = None
            kinds[(item.content.owner, skill, error, "", "")] = None
    for owner, skill, error, step, node in sorted(kinds):
        named = {"skill": skill, "error": error, "step": step, "node": node}
        tags = (FAILURE, *(f"{name}:{value}" for name, value in named.items() if value))
        met = [item for item in tagged(owner, tags) if item.content.kind == "raw"]
        times = sum(item.memory.count for item in met)
        several = {tag for item in met for tag in item.content.tags if tag.startswith("node:")}
        if times >= RECURRENCES and (node or len(several) > 1):
            where = f"{f' at step {step}' if step else ''}{f' on node {node}' if node else ''}"
            text = f"{skill} fails with {error}{where}: {times} times"
            yield _pattern(owner, f"failure/{skill}/{error}/{step}/{node}", text, met, tags, times)


def topics(fresh: Iterable[Item], tagged: Tagged) -> Iterator[Pattern]:
    """Keywords of episodes that recur in several conversations of one owner."""
    words = dict.fromkeys((item.content.owner, word) for item in fresh for word in item.content.tags)
    for owner, word in sorted(words):
        met = [item for item in tagged(owner, (word,)) if item.content.kind == "summary"]
        if len({item.content.session for item in met}) >= RECURRENCES:
            text = f"{word} comes up again and again: in {len(met)} episodes"
            yield _pattern(owner, f"topic/{word}", text, met, ("topic", word), len(met))


def _pattern(owner: str, key: str, text: str, met: Sequence[Item], tags: tuple[str, ...], times: int) -> Pattern:
    content = Content(
        text=text,
        kind="knowledge",
        owner=owner,
        tags=tags,
        happened_ns=max(item.content.happened_ns for item in met),
        sources=tuple(sorted({seq for item in met for seq in item.sources})),
        parents=tuple(item.id for item in met),
        importance=round(min(0.5 + 0.05 * times, 1.0), 3),
        origin="consolidation",
    )
    return Pattern(memory_id(owner, f"pattern/{key}"), content)
