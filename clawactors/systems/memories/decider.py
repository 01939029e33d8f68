"""The state machine of a memory. Numbered rules; `tests/clawactors/memories/` names them.

1. A change is an event. What is illegal is refused with the reason, and nothing is written.
2. A repeat is quiet, a contradiction is refused.
3. What is recorded has text, and figures within their scales.
4. A memory is no evidence for itself.
5. A superseded fact is kept, its validity closed once.
6. Forgotten holds nothing of the content, also when it is all that is left in the log. What was said up to then does
   not make it again; the same said later is new.
7. An update replaces the words and keeps the id and whose it is; what consolidation has derived is not updated by hand.
8. A principal that asks changes only what is its own. It adds to what nobody owns, and changes nothing of that. What is
   another's is to it as if it were not there.
"""

import math
from typing import assert_never

from msgspec.structs import asdict, replace

from clawactors.kernel.decider import Decider
from clawactors.kernel.errors import Exists, NotFound, Refused
from clawactors.kernel.principals import may_speak_for, one_spelling
from clawactors.systems.memories import commands as c
from clawactors.systems.memories import events as e
from clawactors.systems.memories.evolution import evolve, with_revision
from clawactors.systems.memories.memory import Memory
from clawactors.systems.memories.text import shows

__all__ = ["MEMORY", "TEXT_LIMIT_BYTES", "decide"]

TEXT_LIMIT_BYTES = 65_536
_NAME_LIMIT = 256
_TAGS_LIMIT = 64


def decide(command: c.MemoryCommand, memory: Memory) -> tuple[e.MemoryEvent, ...]:
    """The events that the command leads to in this state, none for a repeat. Raises `Refused`."""
    if isinstance(command, c.ForgetMemory):
        if command.asker is not None:
            _check_asker(command.asker, memory)
        again = memory.status == "forgotten" and command.upto <= memory.forgotten_upto
        return () if again else (e.MemoryForgotten(command.reason, command.upto),)
    if isinstance(command, c.RecordMemory):
        return _record(command, memory)
    if memory.status == "forgotten":
        raise Refused("the memory was forgotten")
    content = memory.content
    if content is None:
        raise Refused("there is no such memory")
    match command:
        case c.UpdateMemory():
            tags = content.tags if command.tags is None else command.tags
            words = {"text": command.text, "tags": tags, "derived_from": command.derived_from}
            return _update(replace(content, **words, happened_ns=0, sources=(), parents=(), oldest=0), memory)
        case c.MergeMemory():
            return _merge(command, memory)
        case c.ReviseMemory():
            _check(replace(content, text=command.text, importance=command.importance, tone=command.tone))
            revised = e.MemoryRevised(**{**asdict(command), "tags": _tags(command.tags)})
            return () if with_revision(content, revised) == content else (revised,)
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
        case c.UseMemory():
            if command.times < 1:
                raise Refused(f"a memory is used 1 time or more, not {command.times}")
            return (e.MemoryUsed(command.times),)
        case c.ArchiveMemory():
            return () if memory.status == "archived" else (e.MemoryArchived(command.reason),)
        case c.RestoreMemory():
            return (e.MemoryRestored(),) if memory.status == "archived" else ()
        case _:
            assert_never(command)


def _record(command: c.RecordMemory, memory: Memory) -> tuple[e.MemoryEvent, ...]:
    content = command.content
    _check(content)
    if (owner := one_spelling(content.owner)) != content.owner:
        content = replace(content, owner=owner)
    upto = memory.forgotten_upto
    if memory.status == "forgotten" and content.sources and (not upto or max(content.sources) <= upto):
        return ()  # the same evidence again
    if memory.content is None:
        return (e.MemoryRecorded(**{**asdict(content), "tags": _tags(content.tags)}),)
    known = memory.content
    if command.replaces:
        if known.owner != content.owner:
            raise Exists("exists with a different owner; choose another id")
        if command.asker is not None:
            _check_asker(command.asker, memory)
        return _update(content, memory)
    # What was learned since (merges, beliefs) is no contradiction: the words and whose they are decide.
    if (known.kind, known.owner, known.speaker) != (content.kind, content.owner, content.speaker):
        raise Exists("exists with a different kind, owner or speaker; choose another id")
    if known.text != content.text and content.kind == "raw":
        raise Exists("exists with different text; revise it or choose another id")
    return ()


def _check_asker(asker: str, memory: Memory) -> None:
    """Rule 8."""
    content = memory.content
    if content is None or not (content.owner == "" or may_speak_for(asker, content.owner)):
        raise NotFound("there is no such memory")
    if not content.owner:
        raise Refused(f"{asker[:60]!r} may not change what nobody owns")


def _update(content: e.Content, memory: Memory) -> tuple[e.MemoryEvent, ...]:
    """Rule 7."""
    known = memory.content
    if known is None or known.origin == "consolidation":
        made_of = ", ".join(known.parents[:3]) if known else ""
        raise Refused(f"it was derived from other memories; update those{made_of and ': '}{made_of}")
    _check(content)
    updated = e.MemoryUpdated(**{**asdict(content), "tags": _tags(content.tags)})
    same = (known.text, known.tags, known.speaker) == (updated.text, updated.tags, updated.speaker)
    return () if same and memory.status == "live" else (updated,)


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
    if content.owner == "*":
        raise Refused("the owner * stands for all of them; name one, or none")
    if not shows(content.text):
        raise Refused("a memory has text")
    try:
        size_bytes = len(content.text.encode())
    except UnicodeEncodeError:
        raise Refused("the text is no valid Unicode; clean it first") from None
    if size_bytes > TEXT_LIMIT_BYTES:
        raise Refused(f"the text has {size_bytes} bytes, the limit is {TEXT_LIMIT_BYTES}; split it")
    if len(content.tags) > _TAGS_LIMIT:
        raise Refused(f"{len(content.tags)} tags, the limit is {_TAGS_LIMIT}")
    for name, value in (
        ("owner", content.owner), ("speaker", content.speaker), ("session", content.session), ("agent", content.agent),
    ):  # fmt: skip
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


MEMORY: Decider[c.MemoryCommand, Memory, e.MemoryEvent] = Decider("memory", Memory(), decide, evolve)
