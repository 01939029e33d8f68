"""Moments of the log as people write them, for a client."""

from typing import Any

from clawactors.kernel.time import Place, place_of
from clawactors.runtime.client import ClusterClient

__all__ = ["past_place", "place_ns"]


def past_place(text: str) -> int | str:
    """What `4711`, `2026-05-01T09:00:00Z` or `-2h` is called by `ClusterClient.at`. Raises: `ValueError`."""
    unit, at = place_of(text)
    return at if unit == "seq" else text


async def place_ns(client: ClusterClient, place: Place | None) -> dict[str, Any]:
    """What a place is called by `ClusterClient.task`; a time ago is counted by the log's clock.

    Raises: `Unavailable`.
    """
    match place:
        case None:
            return {}
        case "seq", at:
            return {"at_seq": at}
        case "ago", ago:
            return {"at": await client.now_ns() - ago}
        case _, at:
            return {"at": at}
