"""The clients of one web process: one per user, because the cluster sees who asks by the connection."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Final, Self

from clawactors.app.client import Client
from clawactors.app.discovery import Found
from clawactors.app.web.parameters import WAIT_MAX_S

__all__ = ["Gateway"]

_MOST: Final = 64
_IDLE_S: Final = WAIT_MAX_S + 10
"""A request may wait for so long, with a client that is not asked for meanwhile."""
_TIMEOUT_S: Final = 10.0


class _OpenClient:
    """A client, and what closes it."""

    def __init__(self, client: Client, stack: AsyncExitStack) -> None:
        self.client, self.stack, self.used_s = client, stack, 0.0


class Gateway:
    """Opens the client of a user when it is first needed; beyond 64, one that nobody has asked for lately is closed.

    Use it in an `async with`: its end closes all.
    """

    def __init__(self, found: Found, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self.found, self._monotonic_s = found, monotonic_s
        self._open: dict[tuple[str, str], _OpenClient] = {}  # the one used last comes last
        self._opening = asyncio.Lock()

    async def client(self, user: str = "", principal: str = "") -> Client:
        """The client that acts for the user; `principal` is on record, by default that user's.

        Without both it is that of who runs this process. Raises: `Unavailable`, `Misconfigured`.
        """
        who = user, principal
        known = self._open.pop(who, None)
        if known is None:
            async with self._opening:
                known = self._open.pop(who, None) or await self._made(*who)
        self._open[who] = known
        known.used_s = self._monotonic_s()
        oldest = next(iter(self._open))
        if len(self._open) > _MOST and known.used_s - self._open[oldest].used_s > _IDLE_S:
            await self._open.pop(oldest).stack.aclose()
        return known.client

    async def _made(self, user: str, principal: str) -> _OpenClient:
        stack = AsyncExitStack()
        return _OpenClient(
            await stack.enter_async_context(
                Client.of(self.found, user=user, principal=principal, timeout_s=_TIMEOUT_S)
            ),
            stack,
        )

    async def __aenter__(self) -> Self:
        await self.client()
        return self

    async def __aexit__(self, *_: object) -> None:
        for each in self._open.values():
            await each.stack.aclose()
        self._open.clear()
