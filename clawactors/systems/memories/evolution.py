"""The state of a memory after an event.

Total: an event that is illegal in the state gives back the very same object, and nothing ever raises.
"""

from msgspec.structs import replace

from clawactors.systems.memories import events as e
from clawactors.systems.memories.memory import Memory

__all__ = ["evolve", "with_revision"]


def evolve(memory: Memory, event: e.MemoryEvent, at_ns: int) -> Memory:
    """The state after the event; the same object where the event is illegal in this state."""
    content, status = memory.content, memory.status
    match event:
        case e.MemoryForgotten() if status != "forgotten" or event.upto > memory.forgotten_upto:
            upto = max(event.upto, memory.forgotten_upto)
            return Memory("forgotten", recorded_ns=memory.recorded_ns, updated_ns=at_ns, forgotten_upto=upto)
        case e.MemoryRecorded() if status in ("absent", "forgotten"):
            return _recorded(event, at_ns, memory.forgotten_upto)
        case _ if content is None:
            return memory
        case e.MemoryUpdated():
            new = _recorded(event, at_ns, memory.forgotten_upto)
            return replace(
                new,
                recorded_ns=memory.recorded_ns,
                uses=memory.uses,
                last_used_ns=memory.last_used_ns,
                revision=memory.revision + 1,
            )
        case e.MemoryMerged() if memory.searched and event.occurrence not in memory.occurrences:
            return replace(
                memory,
                content=replace(
                    content,
                    sources=_joined(content.sources, event.sources),
                    parents=_joined(content.parents, event.parents),
                ),
                count=memory.count + 1,
                occurrences=memory.occurrences | {event.occurrence},
                last_met_ns=max(memory.last_met_ns, event.happened_ns or at_ns),
                updated_ns=at_ns,
            )
        case e.MemoryRevised():
            return replace(memory, content=with_revision(content, event), updated_ns=at_ns)
        case e.MemorySuperseded() if status == "live" and content.fact is not None:
            # The later fact may have been said about an earlier time; a fact never ends before it begins.
            until_ns = max(event.until_ns, content.fact.valid_from_ns)
            return replace(
                memory,
                status="superseded",
                superseded_by=event.by,
                content=replace(content, fact=replace(content.fact, valid_until_ns=until_ns)),
                updated_ns=at_ns,
            )
        case e.MemoryBelieved() if content.fact is not None:
            fact = replace(content.fact, confidence=event.confidence)
            return replace(memory, content=replace(content, fact=fact), updated_ns=at_ns)
        case e.MemoryWeighed():
            return replace(memory, content=replace(content, importance=event.importance), updated_ns=at_ns)
        case e.MemoryUsed():
            return replace(memory, uses=memory.uses + event.times, last_used_ns=at_ns, updated_ns=at_ns)
        case e.MemoryArchived() if memory.searched:
            return replace(memory, status="archived", restores_to=status, updated_ns=at_ns)
        case e.MemoryRestored() if status == "archived":
            # Somebody wants it: it fades from now on.
            return replace(memory, status=memory.restores_to, last_used_ns=at_ns, updated_ns=at_ns)
        case _:
            return memory


def _recorded(event: e.MemoryRecorded | e.MemoryUpdated, at_ns: int, forgotten_upto: int) -> Memory:
    fields = {name: getattr(event, name) for name in e.Content.__struct_fields__}
    content = e.Content(**{**fields, "happened_ns": event.happened_ns or at_ns})
    return Memory(
        "live",
        content,
        count=1,
        last_met_ns=content.happened_ns,
        recorded_ns=at_ns,
        updated_ns=at_ns,
        forgotten_upto=forgotten_upto,
    )


def with_revision(content: e.Content, event: e.MemoryRevised) -> e.Content:
    """The content after a revision."""
    return replace(
        content,
        text=event.text,
        tags=event.tags,
        sources=event.sources,
        parents=event.parents,
        importance=event.importance,
        tone=event.tone,
    )


def _joined[T](known: tuple[T, ...], more: tuple[T, ...]) -> tuple[T, ...]:
    seen = frozenset(known)
    return known + tuple(dict.fromkeys(one for one in more if one not in seen))
