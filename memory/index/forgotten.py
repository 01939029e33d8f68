"""What is forgotten, as rows: owners with their forgettings, and the log sequences of forgotten messages and events.

A memory is void where its words were said before they were forgotten, wherever they come from by then: an extraction
that was under way, a consolidation that had read them before, a second process, or the log read from its beginning.
Positions decide, never texts: the same said later is new.
"""

from collections.abc import Callable, Iterable
from typing import Final

from clawactors.projections.engine.named import NamedTables
from clawactors.projections.engine.store import Reading, Writing
from clawactors.systems.memories import Content, Memory
from clawactors.systems.memories import events as e
from clawactors.systems.owners import EVERYONE, Owner, owner_id
from clawactors.systems.owners.owner import NOBODY

__all__ = ["FORGOTTEN", "OWNERS_TABLES", "is_covered", "is_forgotten", "is_void", "owner_in", "put_forgotten"]

FORGOTTEN: Final = "memory.forgotten"
"""Log sequences of the events that forgotten memories were made of."""
OWNERS_TABLES: Final = NamedTables("owner", "owners", Owner)

_SEQ_BYTES: Final = 8

type OwnerOf = Callable[[str], Owner]
type MemoryOf = Callable[[str], Memory]


def is_void(event: e.MemoryEvent, seq: int, at_ns: int, owner_of: OwnerOf, memory_of: MemoryOf) -> bool:
    """Whether the event, of a commit at that sequence and time, repeats what is forgotten or was never to be kept."""
    match event:
        case e.MemoryRecorded() | e.MemoryUpdated():
            if not owner_of(event.owner).settings.memory or is_covered(event, seq, at_ns, owner_of):
                return True
            made_of = (*event.parents, *event.derived_from)
        case e.MemoryRevised() | e.MemoryMerged():
            made_of = event.parents
        case _:
            return False
    return any(memory_of(id).status == "forgotten" for id in made_of)


def is_covered(content: Content, seq: int, at_ns: int, owner_of: OwnerOf) -> bool:
    """Whether a forgetting of its owner, or of everyone, covers the content of a commit at that sequence and time."""
    said_at, happened_ns = content.said_at(seq), content.happened_ns or at_ns
    return any(
        owner_of(name).has_forgotten(said_at, content.session, content.agent, happened_ns)
        for name in (content.owner, EVERYONE)
    )


def owner_in(reading: Reading, name: str) -> Owner:
    """The owner of that name as written."""
    row = OWNERS_TABLES.read(reading, owner_id(name))
    return row.state if row else NOBODY


def put_forgotten(txn: Writing, seqs: Iterable[int]) -> None:
    """Marks events as forgotten."""
    for seq in seqs:
        txn.put(FORGOTTEN, seq.to_bytes(_SEQ_BYTES, "big"), b"")


def is_forgotten(reading: Reading, seq: int) -> bool:
    """Whether a forgotten memory was made of the event at that sequence."""
    return reading.get(FORGOTTEN, seq.to_bytes(_SEQ_BYTES, "big")) is not None
