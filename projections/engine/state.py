"""What a store says about itself: of which log it is, up to where, and which release made its rows."""

from typing import Final

import msgspec

from clawactors.eventlog import Corrupt
from clawactors.projections.engine.store import META, Reading, Writing

__all__ = ["State", "put_state", "state_of"]

_KEY: Final = b"state"


class State(msgspec.Struct, frozen=True):
    """What a store is: rows of `schema` from the log `identity`, up to `position`. `events` folded so far.

    `begun`: where the log ended when the first row was made.
    """

    projection: str
    schema: str
    tags: str
    identity: str
    position: int = 0
    events: int = 0
    begun: int = 0


def state_of(reading: Reading) -> State | None:
    """What the store is, None for a new one. Raises: `Corrupt`."""
    value = reading.get(META, _KEY)
    if value is None:
        return None
    try:
        return msgspec.json.decode(value, type=State)
    except msgspec.MsgspecError as error:
        raise Corrupt(f"the state of the store is damaged: {error}") from error


def put_state(txn: Writing, state: State) -> None:
    """Stores it, in the transaction of the rows that it is about."""
    txn.put(META, _KEY, msgspec.json.encode(state))
