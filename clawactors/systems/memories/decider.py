"""The state machine of a memory. Numbered rules; `tests/clawactors/memories/` names them.

1. A change is an event. What is illegal is refused with the reason, and nothing is written.
2. A repeat is quiet, a contradiction is refused.
3. What is recorded has text, and figures within their scales.
4. A memory is no evidence for itself.
5. A superseded fact is kept, its validity closed once.
6. Forgotten is final and holds nothing of the content, also when it is all that is left in the log.
"""

import math
from typing import assert_never

from msgspec.structs import asdict, replace

from clawactors.kernel.decider import Decider
from clawactors.kernel.errors import Exists, Refused
from clawactors.systems.memories import commands as c
from clawactors.systems.memories import events as e
from clawactors.systems.memories.memory import FINAL, Memory

__all__ = ["MEMORY", "TEXT_LIMIT_BYTES", "decide", "evolve"]

TEXT_LIMIT_BYTES = 65_536
_NAME_LIMIT = 256
_TAGS_LIMIT = 64


def decide(command: c.MemoryCommand, memory: Memory) -> tuple[e.MemoryEvent, ...]:
    """The events that the command leads to in this state, none for a repeat. Raises `Refused`."""
    if isinstance(command, c.ForgetMemory):
        return () if memory.status == "forgotten" else (e.MemoryForgotten(command.reason),)
    if memory.status == "forgotten":
        raise Refused("the memory was forgotten; that is final")
    if isinstance(command, c.RecordMemory):
        return _record(command.content, memory)
    content = memory.content
    if content is None:
        raise Refused("there is no such memory")
    match command:
        case c.MergeMemory():
            return _merge(command, memory)
        case c.ReviseMemory():
            _check(replace(content, text=command.text, importance=command.importance, tone=command.tone))
            revised = e.MemoryRevised(**{**asdict(command), "tags": _tags(command.tags)})
            return () if _revised(content, revised) == content else (revised,)
        case c.SupersedeMemory():
            return _supersede(command, memory)
        case c.BelieveMemory():
            if content.fact is None:
                raise Refused("the memory states no fact, so there is nothing to believe")
            _within("confidence", command.confidence, 0.0, 1.0)
            same = content.fact.confidence == command.confidence
            return () if same else (e.MemoryBelieved(command.confidence, command.reason),)
        case c.WeighMemory():
            _within("importance", command.importance, 0.0, 1.0)
            return () if content.importance == command.importance else (e.MemoryWeighed(command.importance),)
        case c.ArchiveMemory():
            return () if memory.status == "archived" else (e.MemoryArchived(command.reason),)
        case c.RestoreMemory():
            return (e.MemoryRestored(),) if memory.status == "archived" else ()
        case _:
            assert_never(command)


def _record(content: e.Content, memory: Memory) -> tuple[e.MemoryEvent, ...]:
    _check(content)
    recorded = e.MemoryRecorded(**{**asdict(content), "tags": _tags(content.tags)})
    if memory.content is None:
        return (recorded,)
    # What was learned since (merges, beliefs) is no contradiction: the words and whose they are decide.
    known = memory.content
    if (known.kind, known.owner, known.speaker) != (content.kind, content.owner, content.speaker):
        raise Exists("exists with a different kind, owner or speaker; choose another id")
    if known.text != content.text and content.kind == "raw":
        raise Exists("exists with different text; revise it or choose another id")
    return ()


def _merge(command: c.MergeMemory, memory: Memory) -> tuple[e.MemoryEvent, ...]:
    if not command.occurrence:
        raise Refused("a merge names its occurrence")
    if command.occurrence in memory.occurrences:
        return ()
    if memory.status == "archived":
        raise Refused("the memory is archived; restore it first")
    return (e.MemoryMerged(**asdict(command)),)


def _supersede(command: c.SupersedeMemory, memory: Memory) -> tuple[e.MemoryEvent, ...]:
    if memory.status == "superseded":
        if memory.superseded_by == command.by:
            return ()
        raise Refused(f"the memory is superseded already, by {memory.superseded_by}")
    if memory.content is None or memory.content.fact is None:
        raise Refused("the memory states no fact, so nothing can contradict it")
    if not command.by:
        raise Refused("a memory is superseded by another one; name it")
    if memory.status == "archived":
        raise Refused("the memory is archived; restore it first")
    return (e.MemorySuperseded(command.by, command.until_ns, command.reason),)


def _tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))


def _check(content: e.Content) -> None:
    """Rule 3."""
    if not content.text.strip():
        raise Refused("a memory has text")
    try:
        size_bytes = len(content.text.encode())
    except UnicodeEncodeError:
        raise Refused("the text is no valid Unicode; clean it first") from None
    if size_bytes > TEXT_LIMIT_BYTES:
        raise Refused(f"the text has {size_bytes} bytes, the limit is {TEXT_LIMIT_BYTES}; split it")
    if len(content.tags) > _TAGS_LIMIT:
        raise Refused(f"{len(content.tags)} tags, the limit is {_TAGS_LIMIT}")
    for name, value in (("owner", content.owner), ("speaker", content.speaker), ("session", content.session)):
        if len(value) > _NAME_LIMIT:
            raise Refused(f"the {name} has {len(value)} characters, the limit is {_NAME_LIMIT}")
    _within("importance", content.importance, 0.0, 1.0)
    _within("tone", content.tone, -1.0, 1.0)
    if (fact := content.fact) is not None:
        _within("confidence", fact.confidence, 0.0, 1.0)
        if not (fact.subject.strip() and fact.predicate.strip() and fact.object.strip()):
            raise Refused("a fact has a subject, a predicate and an object")
        if fact.valid_until_ns and fact.valid_until_ns < fact.valid_from_ns:
            raise Refused("the fact would end before it begins")


def _within(name: str, value: float, low: float, high: float) -> None:
    if not math.isfinite(value) or not low <= value <= high:
        raise Refused(f"the {name} is {value}, not within {low:g}..{high:g}")


def evolve(memory: Memory, event: e.MemoryEvent, at_ns: int) -> Memory:
    """The state after the event; the same object where the event is illegal in this state."""
    content, status = memory.content, memory.status
    match event:
        case e.MemoryForgotten() if status != "forgotten":
            return Memory(status="forgotten", recorded_ns=memory.recorded_ns, updated_ns=at_ns)
        case e.MemoryRecorded() if status == "absent":
            kept = _content(event, at_ns)
            return Memory("live", kept, count=1, last_met_ns=kept.happened_ns, recorded_ns=at_ns, updated_ns=at_ns)
        case _ if content is None:
            return memory
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
            return replace(memory, content=_revised(content, event), updated_ns=at_ns)
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
        case e.MemoryArchived() if memory.searched:
            return replace(memory, status="archived", restores_to=status, updated_ns=at_ns)
        case e.MemoryRestored() if status == "archived":
            return replace(memory, status=memory.restores_to, updated_ns=at_ns)
        case _:
            return memory


def _content(event: e.MemoryRecorded, at_ns: int) -> e.Content:
    fields = {name: getattr(event, name) for name in e.Content.__struct_fields__}
    return e.Content(**{**fields, "happened_ns": event.happened_ns or at_ns})


def _revised(content: e.Content, event: e.MemoryRevised) -> e.Content:
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


def _is_final(memory: Memory) -> bool:
    return memory.status in FINAL


MEMORY: Decider[c.MemoryCommand, Memory, e.MemoryEvent] = Decider("memory", Memory(), decide, evolve, _is_final)
