"""Facts as beliefs: a repeated fact gains confidence, a contradicted fact ends, and none is deleted."""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from clawactors.memory.consolidation.fact import facts_in, inferred, statement
from clawactors.memory.consolidation.known import KnownMemories
from clawactors.memory.consolidation.likeness import contradicts, same_fact
from clawactors.memory.item import Item, ItemCommand
from clawactors.memory.text.importance import importance
from clawactors.memory.text.normal import fold
from clawactors.systems.memories import Content, Fact, Memory, memory_id
from clawactors.systems.memories.commands import BelieveMemory, MergeMemory, RecordMemory, SupersedeMemory

__all__ = ["beliefs"]


class _FactTable:
    """The known facts, and those that this run adds or changes."""

    def __init__(self, known: KnownMemories) -> None:
        self._known = known
        self._stated: dict[tuple[str, str], dict[str, Memory]] = {}

    def about(self, owner: str, subject: str) -> dict[str, Memory]:
        """All facts of the owner about the subject, including those that are no longer valid."""
        return dict(self._known.facts(owner, subject)) | self._stated.get((owner, fold(subject)), {})

    def is_recorded(self, id: str) -> bool:
        """True for a fact that was recorded before, also if it was archived or forgotten since."""
        return self._known.memory(id) is not None

    def set(self, id: str, memory: Memory) -> None:
        """Sets the current state of a fact."""
        content = memory.content
        if content and content.fact:
            self._stated.setdefault((content.owner, fold(content.fact.subject)), {})[id] = memory


def beliefs(raw: Sequence[Item], known: KnownMemories) -> Iterator[ItemCommand]:
    """The commands for the facts that these memories state."""
    facts = _FactTable(known)
    for item in raw:
        for nth, fact in enumerate(facts_in(item.content)):
            id = memory_id(item.content.owner, f"fact/{item.id}/{nth}")
            yield from _add_fact(facts, item, id, fact)
            if implied := inferred(fact):
                yield from _add_fact(facts, item, memory_id(item.content.owner, f"inferred/{item.id}/{nth}"), implied)


def _add_fact(facts: _FactTable, item: Item, id: str, fact: Fact) -> Iterator[ItemCommand]:
    about = facts.about(item.content.owner, fact.subject)
    if id in about or facts.is_recorded(id) or any(id in memory.occurrences for memory in about.values()):
        return
    valid = {other: memory for other, memory in about.items() if memory.status == "live"}
    for other, memory in valid.items():
        if memory.content and memory.content.fact and same_fact(memory.content.fact, fact):
            yield from _confirm(facts, item, id, fact, other, memory)
            return
    content = _content(item, fact)
    yield ItemCommand(id, RecordMemory(content))
    facts.set(id, Memory("live", content, count=1))
    for other, memory in valid.items():
        existing = memory.content.fact if memory.content else None
        if existing is None or not contradicts(existing, fact):
            continue
        # The fact with the later time is valid, in whatever order the two were reported.
        if existing.valid_from_ns > fact.valid_from_ns:
            yield ItemCommand(id, SupersedeMemory(other, existing.valid_from_ns, "contradicted"))
            facts.set(id, Memory("superseded", content, count=1))
            return
        yield ItemCommand(other, SupersedeMemory(id, fact.valid_from_ns, "contradicted"))
        facts.set(other, replace(memory, status="superseded"))


def _confirm(facts: _FactTable, item: Item, id: str, fact: Fact, other: str, memory: Memory) -> Iterator[ItemCommand]:
    """Counts a repeated fact on the memory that stated it first, and raises its confidence."""
    said = item.content
    if memory.content is None or memory.content.fact is None:
        return
    confidence = round(1 - (1 - memory.content.fact.confidence) * (1 - fact.confidence), 4)
    yield ItemCommand(
        other, MergeMemory(occurrence=id, sources=item.sources, parents=(item.id,), happened_ns=said.happened_ns)
    )
    yield ItemCommand(other, BelieveMemory(confidence, "stated again"))
    believed = replace(memory.content, fact=replace(memory.content.fact, confidence=confidence))
    facts.set(other, replace(memory, content=believed, occurrences=memory.occurrences | {id}))


def _content(item: Item, fact: Fact) -> Content:
    said = item.content
    return Content(
        text=statement(fact),
        kind="knowledge",
        owner=said.owner,
        tags=("fact", fact.predicate),
        happened_ns=said.happened_ns,
        sources=item.sources,
        parents=(item.id,),
        fact=fact,
        importance=round(max(importance(said.text), 0.6), 3),
        origin="consolidation",
    )
