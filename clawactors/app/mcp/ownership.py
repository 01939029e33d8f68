"""Whether a task is an agent's own: the user that the agent acts for has submitted it, or one that it comes from."""

from typing import Final

from clawactors.runtime.client import ClusterClient

__all__ = ["is_own"]

_DEEPEST: Final = 100


async def is_own(client: ClusterClient, id: str) -> bool:
    """True also where it can't be told. Raises: `NotFound`, `Unavailable`."""
    for _ in range(_DEEPEST):
        row = await client.task(id)
        if client.user in ("", row.user):
            return True
        entries = await client.history(id)
        if not entries or entries[0].by == f"client/{client.principal}":
            return True
        if row.parent is None:
            return False
        id = row.parent
    return True
