"""Messages between a node and its children: four bytes of length, then JSON."""

from typing import Any, Final

import msgspec

from clawactors.eventlog.errors import Unavailable
from clawactors.kernel.errors import NotFound, Refused
from clawactors.systems.tasks.lost import LostWork

__all__ = ["BRIDGED_ERRORS", "CANCELLED", "LENGTH", "IsolatedJob", "framed"]

LENGTH: Final = 4


def framed(message: Any) -> bytes:
    """The message with its length in front."""
    body = msgspec.json.encode(message)
    return len(body).to_bytes(LENGTH) + body


class IsolatedJob(msgspec.Struct, frozen=True):
    """What the node hands over: where the skill is found, and the task; `undo` is the function to call in its place.

    `lost` is what `recover` of the skill is asked about first.
    """

    module: str
    file: str
    name: str
    id: str
    attempt: int
    params: dict[str, Any]
    memory_mb: int | None
    undo: str = ""
    lost: LostWork | None = None


CANCELLED: Final = "CancelledError"
"""The answer to a call of code that is to clean up."""

BRIDGED_ERRORS: Final[dict[str, type[Exception]]] = {
    each.__name__: each for each in (NotFound, Refused, TimeoutError, Unavailable, TypeError, ValueError)
}
"""What a call may raise in the child as it does in a thread, by name; the first that fits counts."""
