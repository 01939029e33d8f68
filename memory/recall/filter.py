"""Which memories a search may find."""

from collections.abc import Callable
from functools import cache

import msgspec
import numpy as np
import numpy.typing as npt

from clawactors.memory.index import Index
from clawactors.memory.index.columns import NONE, Columns, Readable
from clawactors.memory.index.postings import lookup
from clawactors.memory.index.terms import tag_term
from clawactors.memory.item import KINDS, Item
from clawactors.projections.engine.store import Reading
from clawactors.systems.memories import Kind

__all__ = ["MemoryFilter", "matching", "passing_of", "readable"]


class MemoryFilter(msgspec.Struct, frozen=True, kw_only=True):
    """An empty field matches everything; a memory must have all `tags` and one of `kinds`. Times in ns since 1970.

    `reader` narrows it to what is theirs, what nobody owns, and what the owners have who are `sharing` with them; '' is
    a reader who owns nothing, None sees everything.
    """

    owner: str = ""
    reader: str | None = None
    sharing: tuple[str, ...] = ()
    agent: str = ""
    kinds: tuple[Kind, ...] = ()
    tags: tuple[str, ...] = ()
    speaker: str = ""
    session: str = ""
    since_ns: int = 0
    until_ns: int = 0
    closed: bool = True
    """Include facts that are no longer valid."""


def readable(columns: Columns, filter: MemoryFilter) -> Readable:
    """What the asker may read at all, by whose it is: what else a filter keeps out still tells what is meant."""
    owners = columns.owner[: columns.count]
    allowed: Readable = None
    if filter.owner:
        allowed = _is(owners, columns.owners.find(filter.owner))
    if filter.reader is not None:
        shared = (owners == NONE) & ~columns.restricted[: columns.count]
        theirs = _is(owners, columns.owners.find(filter.reader)) | shared
        for owner in filter.sharing:
            theirs |= _is(owners, columns.owners.find(owner))
        allowed = theirs if allowed is None else allowed & theirs
    return allowed


def _is(column: npt.NDArray[np.int32], number: int) -> npt.NDArray[np.bool_]:
    # An unknown name and an empty field are both NONE: they must not match each other.
    found: npt.NDArray[np.bool_] = (column == number) & (number >= 0)
    return found


def matching(index: Index, reading: Reading, filter: MemoryFilter) -> npt.NDArray[np.bool_]:
    """A mask by item number. Call it under the index's lock."""
    columns = index.columns
    count = columns.count
    mask = columns.alive[:count].copy()
    if (allowed := readable(columns, filter)) is not None:
        mask &= allowed
    for value, names, column in (
        (filter.speaker, columns.speakers, columns.speaker),
        (filter.session, columns.sessions, columns.session),
        (filter.agent, columns.agents, columns.agent),
    ):
        if value:
            mask &= _is(column[:count], names.find(value))
    if filter.kinds:
        mask &= np.isin(columns.kind[:count], [KINDS.index(kind) for kind in filter.kinds])
    if filter.since_ns:
        mask &= columns.at_ns[:count] >= filter.since_ns
    if filter.until_ns:
        mask &= columns.at_ns[:count] <= filter.until_ns
    if not filter.closed:
        mask &= ~columns.closed[:count]
    for tag in filter.tags:
        tagged, _ = lookup(reading, tag_term(tag))
        has = np.zeros(count, np.bool_)
        has[tagged[tagged < count]] = True
        mask &= has
    return mask


def passing_of(index: Index, reading: Reading, filter: MemoryFilter) -> Callable[[Item], bool]:
    """The same test for single memories. Call neither under the index's lock."""

    @cache
    def mask() -> npt.NDArray[np.bool_]:
        with index.lock:
            return matching(index, reading, filter)

    return lambda item: item.number < len(mask()) and bool(mask()[item.number])
