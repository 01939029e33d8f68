"""Messages between a node and its children: four bytes of length, then JSON."""

from typing import Any, Final

import msgspec

__all__ = ["LENGTH", "Job", "framed"]

LENGTH: Final = 4


def framed(message: Any) -> bytes:
    """The message as it goes over the wire."""
    body = msgspec.json.encode(message)
    return len(body).to_bytes(LENGTH) + body


class Job(msgspec.Struct, frozen=True):
    """What the node hands over: where the skill is found, and the task."""

    module: str
    file: str
    name: str
    id: str
    attempt: int
    params: dict[str, Any]
    memory_mb: int | None
    secrets: dict[str, str] = {}
