"""Which memories a search may find at all."""

import msgspec
import numpy as np
import numpy.typing as npt

from clawactors.memory.index import Index
from clawactors.memory.index.item import KINDS, tag_term
from clawactors.memory.index.postings import lookup
from clawactors.projections.engine.store import Reading
from clawactors.systems.memories import Kind

__all__ = ["Filter", "admitted"]


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Empty fields admit everything; a memory needs all of `tags`, one of `kinds`. Times in ns since 1970."""

    owner: str = ""
    kinds: tuple[Kind, ...] = ()
    tags: tuple[str, ...] = ()
    speaker: str = ""
    session: str = ""
    since_ns: int = 0
    until_ns: int = 0
    closed: bool = True
    """Whether facts that hold no more are admitted."""


def admitted(index: Index, reading: Reading, wanted: Filter) -> npt.NDArray[np.bool_]:
    """A mask by item number. Call under the index's lock."""
    columns = index.columns
    count = columns.count
    mask = columns.alive[:count].copy()
    for value, names, column in (
        (wanted.owner, columns.owners, columns.owner),
        (wanted.speaker, columns.speakers, columns.speaker),
        (wanted.session, columns.sessions, columns.session),
    ):
        if value:
            number = names.find(value)
            # An unknown name has no number, and no name has none: neither may match the other.
            mask &= (column[:count] == number) & (number >= 0)
    if wanted.kinds:
        mask &= np.isin(columns.kind[:count], [KINDS.index(kind) for kind in wanted.kinds])
    if wanted.since_ns:
        mask &= columns.at_ns[:count] >= wanted.since_ns
    if wanted.until_ns:
        mask &= columns.at_ns[:count] <= wanted.until_ns
    if not wanted.closed:
        mask &= ~columns.closed[:count]
    for tag in wanted.tags:
        tagged, _ = lookup(reading, tag_term(tag))
        has = np.zeros(count, np.bool_)
        has[tagged[tagged < count]] = True
        mask &= has
    return mask
