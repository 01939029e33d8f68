"""Facts as beliefs: stated again they are believed more, contradicted they end, and none is lost."""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from clawactors.memory.consolidation.fact import facts_in, inferred, statement
from clawactors.memory.consolidation.importance import importance
from clawactors.memory.consolidation.known import Known
from clawactors.memory.consolidation.likeness import contradicts, same_fact
from clawactors.memory.consolidation.order import Order
from clawactors.memory.index.item import Item
from clawactors.memory.text.normal import fold
from clawactors.systems.memories import Content, Fact, Memory, memory_id
from clawactors.systems.memories.commands import BelieveMemory, MergeMemory, RecordMemory, SupersedeMemory

__all__ = ["beliefs"]


class _Facts:
    """What is known, and what this run has stated on top of it."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._stated: dict[tuple[str, str], dict[str, Memory]] = {}

    def about(self, owner: str, subject: str) -> dict[str, Memory]:
        """All facts of the owner about the subject, those that hold no more included."""
        return dict(self._known.facts(owner, subject)) | self._stated.get((owner, fold(subject)), {})

    def is_settled(self, id: str) -> bool:
        """True for what was recorded before, also where it is archived or forgotten by now."""
        return self._known.memory(id) is not None

    def state(self, id: str, memory: Memory) -> None:
        """Notes how the fact stands now."""
        content = memory.content
        if content and content.fact:
            self._stated.setdefault((content.owner, fold(content.fact.subject)), {})[id] = memory


def beliefs(raw: Sequence[Item], known: Known) -> Iterator[Order]:
    """The orders for what these memories state."""
    facts = _Facts(known)
    for item in raw:
        for nth, fact in enumerate(facts_in(item.content)):
            id = memory_id(item.content.owner, f"fact/{item.id}/{nth}")
            yield from _stated(facts, item, id, fact)
            if follows := inferred(fact):
                yield from _stated(facts, item, memory_id(item.content.owner, f"inferred/{item.id}/{nth}"), follows)


def _stated(facts: _Facts, item: Item, id: str, fact: Fact) -> Iterator[Order]:
    about = facts.about(item.content.owner, fact.subject)
    if id in about or facts.is_settled(id) or any(id in memory.occurrences for memory in about.values()):
        return
    holding = {other: memory for other, memory in about.items() if memory.status == "live"}
    for other, memory in holding.items():
        if memory.content and memory.content.fact and same_fact(memory.content.fact, fact):
            yield from _again(facts, item, id, fact, other, memory)
            return
    content = _content(item, fact)
    yield Order(id, RecordMemory(content))
    facts.state(id, Memory("live", content, count=1))
    for other, memory in holding.items():
        there = memory.content.fact if memory.content else None
        if there is None or not contradicts(there, fact):
            continue
        # Whatever was true later holds; what was heard last may tell of an earlier time.
        if there.valid_from_ns > fact.valid_from_ns:
            yield Order(id, SupersedeMemory(other, there.valid_from_ns, "contradicted"))
            facts.state(id, Memory("superseded", content, count=1))
            return
        yield Order(other, SupersedeMemory(id, fact.valid_from_ns, "contradicted"))
        facts.state(other, replace(memory, status="superseded"))


def _again(facts: _Facts, item: Item, id: str, fact: Fact, other: str, memory: Memory) -> Iterator[Order]:
    """The fact was stated before: counted there, and believed more."""
    said = item.content
    if memory.content is None or memory.content.fact is None:
        return
    confidence = round(1 - (1 - memory.content.fact.confidence) * (1 - fact.confidence), 4)
    yield Order(
        other, MergeMemory(occurrence=id, sources=item.sources, parents=(item.id,), happened_ns=said.happened_ns)
    )
    yield Order(other, BelieveMemory(confidence, "stated again"))
    believed = replace(memory.content, fact=replace(memory.content.fact, confidence=confidence))
    facts.state(other, replace(memory, content=believed, occurrences=memory.occurrences | {id}))


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
