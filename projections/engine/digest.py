"""The digest of a store: a hash of all rows in the order of their keys.

It covers what follows from the log: neither the position of the store nor heartbeats. Two stores at one position of one
log have the same digest.
"""

import hashlib
import struct
from typing import Any, Final

import msgspec

from clawactors.eventlog import Unavailable
from clawactors.kernel.errors import Refused
from clawactors.projections.engine.questions import QueryContext, QuestionHandler, ViewQuestion
from clawactors.projections.engine.state import state_of
from clawactors.projections.engine.store import Reading, Store
from clawactors.projections.engine.view import Projection

__all__ = ["StoreDigest", "StoreDigestQuestion", "digest", "digest_question", "store_digest"]

_CHUNK: Final = 4096


class StoreDigest(msgspec.Struct, frozen=True):
    """The log that a store was made from, its position, and the digest of its rows."""

    identity: str
    position: int
    digest: str


class StoreDigestQuestion(ViewQuestion, frozen=True, kw_only=True):
    """The digest of the rows, of all views or of those named; it reads every row."""

    views: tuple[str, ...] = ()


def digest_question(projection: Projection) -> QuestionHandler:
    """The question `digest` about a projection."""

    def answer(question: StoreDigestQuestion, context: QueryContext) -> dict[str, Any]:
        found = digest(context.reading, projection, question.views)
        return {"identity": context.state.identity, "digest": found}

    return QuestionHandler("digest", StoreDigestQuestion, answer)


def store_digest(store: Store, projection: Projection, views: tuple[str, ...] = ()) -> StoreDigest:
    """The position and the digest of a store.

    Raises: `Unavailable` where it is still new.
    """
    with store.snapshot() as reading:
        state = state_of(reading)
        if state is None:
            raise Unavailable("there is no view yet")
        return StoreDigest(state.identity, state.position, digest(reading, projection, views))


def digest(reading: Reading, projection: Projection, views: tuple[str, ...] = ()) -> str:
    """The hash of all rows, or of those of the named views. Raises: `Refused` for a view that is not there."""
    tables = {view.name: view.tables for view in projection.views()}
    if unknown := set(views) - set(tables):
        raise Refused(f"there is no view {min(unknown)!r}; there are {', '.join(tables)}")
    whole = hashlib.blake2b(digest_size=16)
    frame = struct.Struct("<II").pack
    for table in sorted(table for name in views or tables for table in tables[name]):
        whole.update(frame(len(table), reading.count(table)) + table.encode())
        parts: list[bytes] = []
        for key, value in reading.cursor(table):
            parts += (frame(len(key), len(value)), key, value)
            if len(parts) >= _CHUNK:
                whole.update(b"".join(parts))
                parts.clear()
        whole.update(b"".join(parts))
    return whole.hexdigest()
