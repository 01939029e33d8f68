"""Facts as beliefs: a repeated fact gains confidence, a contradicted one ends with what follows; none is deleted."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from clawactors.memory.consolidation.fact import facts_in
from clawactors.memory.consolidation.facttable import FactTable
from clawactors.memory.consolidation.inference import Conclusion, conclusions
from clawactors.memory.consolidation.known import KnownMemories
from clawactors.memory.consolidation.likeness import contradicts, same_fact
from clawactors.memory.consolidation.predicate import statement
from clawactors.memory.item import Item, ItemCommand
from clawactors.memory.text.importance import importance
from clawactors.memory.text.normal import fold
from clawactors.systems.memories import Content, Fact, Memory, memory_id
from clawactors.systems.memories.commands import BelieveMemory, MergeMemory, RecordMemory, SupersedeMemory

__all__ = ["beliefs"]

_NONE: Final[Mapping[str, Sequence[Fact]]] = {}


def beliefs(
    raw: Sequence[Item], known: KnownMemories, proposed: Mapping[str, Sequence[Fact]] = _NONE
) -> Iterator[ItemCommand]:
    """The commands for the facts that these memories state, and for what follows from them or no longer follows.

    `proposed` are further facts by id of the memory, which a model has read there and which are proven.
    """
    run = _BeliefRun(FactTable(known))
    for item in raw:
        said = f"{item.id}@{item.memory.revision}" if item.memory.revision else item.id
        for nth, fact in enumerate(facts_in(item.content, known.dates(item.content.owner))):
            yield from run.add(item, memory_id(item.content.owner, f"fact/{said}/{nth}"), fact)
        for fact in proposed.get(item.id, ()):
            # Named by what it says: a model may answer in another order when it is asked again.
            named = f"proposed/{said}/{fold(fact.subject)}/{fact.predicate}/{fold(fact.object)}/{fact.negated}"
            yield from run.add(item, memory_id(item.content.owner, named), fact)
    yield from run.infer()


class _BeliefRun:
    """One run over new memories. `changed` are the facts that it added, in order."""

    def __init__(self, facts: FactTable) -> None:
        self._facts = facts
        self._changed: dict[str, Memory] = {}

    def add(self, item: Item, id: str, fact: Fact) -> Iterator[ItemCommand]:
        """Records a fact, or counts it where it is known, and ends what it contradicts."""
        facts, owner = self._facts, item.content.owner
        fact = replace(fact, subject=facts.resolved(owner, fact.subject))
        about = facts.about(owner, fact.subject)
        is_recorded = facts.is_recorded(id, item.sources)
        if id in about or is_recorded or any(id in memory.occurrences for memory in about.values()):
            return
        valid = {other: memory for other, memory in about.items() if memory.status == "live"}
        for other, memory in valid.items():
            if (existing := _named(memory, fact.subject)) and same_fact(existing, fact) and not existing.inferred:
                yield from self._confirm(item, id, fact, other, memory)
                return
        content = _content(item, fact)
        yield ItemCommand(id, RecordMemory(content))
        memory = Memory("live", content, count=1)
        self._set(id, memory)
        for other, memory in valid.items():
            existing = _named(memory, fact.subject)
            if existing is None or (memory.content and item.id in memory.content.parents):
                continue
            # The fact with the later time is valid, in whatever order the two were reported.
            if existing.valid_from_ns > fact.valid_from_ns:
                if contradicts(fact, existing):
                    yield from self._end(id, Memory("live", content, count=1), other, existing.valid_from_ns)
                    return
            elif contradicts(existing, fact):
                yield from self._end(other, memory, id, fact.valid_from_ns)

    def _confirm(self, item: Item, id: str, fact: Fact, other: str, memory: Memory) -> Iterator[ItemCommand]:
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
        self._facts.set(other, replace(memory, content=believed, occurrences=memory.occurrences | {id}))

    def _end(
        self, id: str, memory: Memory, by: str, until_ns: int, reason: str = "contradicted"
    ) -> Iterator[ItemCommand]:
        """Ends a fact, and every conclusion that rests on it."""
        yield ItemCommand(id, SupersedeMemory(by, until_ns, reason))
        self._set(id, replace(memory, status="superseded"))
        if memory.content is None or memory.content.fact is None:
            return
        owner, fact = memory.content.owner, memory.content.fact
        near = self._facts.of_name(owner, fact.subject) | self._facts.of_name(owner, fact.object)
        for other, follows in near.items():
            content = follows.content
            if (
                follows.status == "live"
                and content
                and content.fact
                and content.fact.inferred
                and id in content.parents
            ):
                yield from self._end(other, follows, by, until_ns, "its premise ended")

    def infer(self) -> Iterator[ItemCommand]:
        """Records what follows from the facts that this run added, and from those conclusions in turn."""
        waiting = [id for id, memory in self._changed.items() if memory.status == "live"]
        while waiting:
            id = waiting.pop(0)
            memory = self._changed[id]
            if memory.status != "live" or memory.content is None:
                continue
            for conclusion in conclusions(id, memory, self._facts.of_name):
                if new := self._conclude(memory.content, conclusion):
                    yield ItemCommand(new[0], RecordMemory(new[1]))
                    waiting.append(new[0])

    def _conclude(self, said: Content, conclusion: Conclusion) -> tuple[str, Content] | None:
        """The id and content of a conclusion, None where it is known or contradicted already."""
        fact = conclusion.fact
        id = memory_id(said.owner, f"inferred/{conclusion.rule}/{'/'.join(conclusion.premises)}")
        if self._facts.is_recorded(id, conclusion.sources) or id in self._changed:
            return None
        for memory in self._facts.about(said.owner, fact.subject).values():
            existing = _named(memory, fact.subject)
            if existing and memory.status == "live" and (same_fact(existing, fact) or contradicts(existing, fact)):
                return None
        content = replace(
            said,
            text=statement(fact),
            tags=("fact", fact.predicate, "inferred"),
            parents=conclusion.premises,
            sources=conclusion.sources,
            fact=fact,
        )
        self._set(id, Memory("live", content, count=1))
        return id, content

    def _set(self, id: str, memory: Memory) -> None:
        self._changed[id] = memory
        self._facts.set(id, memory)


def _named(memory: Memory, subject: str) -> Fact | None:
    """The fact as one about this subject: it may be stated of another name of the same person."""
    fact = memory.content.fact if memory.content else None
    return replace(fact, subject=subject) if fact else None


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
