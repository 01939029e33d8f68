"""Moments of the log as people write them, for a client."""

from typing import Any

from clawactors.kernel.time import Place
from clawactors.runtime.client import ClusterClient

__all__ = ["place_ns"]


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
