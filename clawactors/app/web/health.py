"""How the cluster is, for orchestrators: `/livez`, `/readyz`, `/startupz`, without signing in and within 50 ms.

Live: this process turns its loop. Ready: control leads and answers, and the views hold what the log has. Startup: it
was ready once. An answer says which of them is lacking, and nothing else of the cluster.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

import msgspec
from litestar import MediaType, Request, Response, get

from clawactors.eventlog import EventLogError

__all__ = ["HEALTH", "ClusterHealth", "health_routes"]

HEALTH: Final = ("/livez", "/readyz", "/startupz")

_WAIT_S: Final = 0.04
_FRESH_S: Final = 2.0
"""An answer that is older tells nothing of now."""


class _HasLacks(Protocol):
    @property
    def lacking(self) -> str: ...


class _HasStatus(Protocol):
    async def status(self) -> _HasLacks: ...


class ClusterHealth:
    """Asks the cluster once for all who ask meanwhile; who can't wait longer is told the answer of a moment ago."""

    def __init__(
        self, client: Callable[[], Awaitable[_HasStatus]], monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._client, self._monotonic_s = client, monotonic_s
        self._asking: asyncio.Task[None] | None = None
        self._lacking, self._at_s, self._has_started = "control has not answered yet", -_FRESH_S, False

    async def lacking(self) -> str:
        """What keeps the cluster from being ready, '' for nothing."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        await asyncio.wait((self._asking,), timeout=_WAIT_S)
        if not self._lacking and self._monotonic_s() - self._at_s > _FRESH_S:
            return "control does not answer"
        return self._lacking

    async def unstarted(self) -> str:
        """The same until the cluster was ready once."""
        return "" if self._has_started else await self.lacking()

    async def _ask(self) -> None:
        try:
            lacking = (await (await self._client()).status()).lacking
        except (EventLogError, TimeoutError):
            lacking = "control does not answer"
        self._lacking, self._at_s = lacking, self._monotonic_s()
        self._has_started = self._has_started or not lacking

    async def aclose(self) -> None:
        """Waits for no answer any longer."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait((self._asking,))


def health_routes() -> list[Any]:
    """The three paths; 200 for yes, 503 with the reason for no."""

    @get(HEALTH[0], include_in_schema=False)
    async def live() -> Response[bytes]:
        return _answer("")

    @get(HEALTH[1], include_in_schema=False)
    async def ready(request: Request[Any, Any, Any]) -> Response[bytes]:
        return _answer(await request.app.state.health.lacking())

    @get(HEALTH[2], include_in_schema=False)
    async def started(request: Request[Any, Any, Any]) -> Response[bytes]:
        return _answer(await request.app.state.health.unstarted())

    return [live, ready, started]


def _answer(lacking: str) -> Response[bytes]:
    body = {"ok": not lacking} | ({"why": lacking} if lacking else {})
    return Response(msgspec.json.encode(body), status_code=503 if lacking else 200, media_type=MediaType.JSON)
