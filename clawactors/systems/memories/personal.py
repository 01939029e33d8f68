"""What of a memory is personal: its words, and what was concluded from them. Pure."""

from msgspec.structs import replace

from clawactors.systems.memories import events as e

__all__ = ["bare"]


def bare(event: e.MemoryEvent) -> e.MemoryEvent:
    """The event without what is personal; the same object where nothing is."""
    match event:
        case e.MemoryRecorded() | e.MemoryUpdated():
            return replace(event, text="", speaker="", tags=(), fact=None)
        case e.MemoryRevised():
            return replace(event, text="", tags=())
        case e.MemorySuperseded() | e.MemoryBelieved() | e.MemoryArchived() if event.reason:
            return replace(event, reason="")
        case _:
            return event
