"""The client of the cluster: connected when it is first needed, and again where the cluster has moved.

1. An editor starts `claw mcp` before anybody has started a cluster, and keeps it while clusters come and go.
2. While the same server is only away, calls of one client wait for it as long as they always do.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from clawactors.app.client import Client
from clawactors.app.discovery import Found
from clawactors.eventlog import Unavailable
from clawactors.runtime.client import ClusterClient

__all__ = ["ClientSource", "ClusterLink"]

_TIMEOUT_S: Final = 10.0
"""How long a call waits for a server or a control process that has gone."""
_AGAIN_S: Final = 0.2


class ClientSource(Protocol):
    """Who has a client."""

    async def client(self) -> ClusterClient:
        """One that can be asked now. Raises: `Unavailable`, `Misconfigured`."""
        ...


class ClusterLink:
    """`find` says where the cluster is now. One client is shared by all calls."""

    def __init__(self, find: Callable[[], Found], user: str, timeout_s: float = _TIMEOUT_S) -> None:
        self._find, self._user, self._timeout_s = find, user, timeout_s
        self._client: Client | None = None
        self._opening = asyncio.Lock()

    async def client(self) -> ClusterClient:
        """The client, connected to where the cluster is now.

        Raises: `Unavailable` (no cluster runs, no server answers), `Misconfigured`.
        """
        if self._client is not None and self._client.connection.online:
            return self._client
        async with self._opening:
            if self._client is None:
                return await self._connected(self._find())
            if not self._client.connection.online:
                found = await self._found_again()
                if found is not None and found.address != self._client.found.address:
                    await self.aclose()
                    return await self._connected(found)
            return self._client

    async def _found_again(self) -> Found | None:
        """Where the cluster is, once there is one; None where the connection is back before."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._timeout_s
        while self._client is not None and not self._client.connection.online:
            try:
                return self._find()
            except Unavailable:
                if loop.time() > until:
                    raise
            await asyncio.sleep(_AGAIN_S)
        return None

    async def _connected(self, found: Found) -> Client:
        self._client = await Client.of(found, user=self._user, timeout_s=self._timeout_s)
        return self._client

    async def aclose(self) -> None:
        """Closes the client, if there is one. Order: idempotent."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
