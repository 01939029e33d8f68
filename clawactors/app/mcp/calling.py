"""One call of a tool: the client, whom it acts for, and a way to report progress."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

import msgspec

from clawactors.app.mcp.cutting import fitted, sparse
from clawactors.app.mcp.link import ClientSource
from clawactors.app.mcp.options import McpOptions
from clawactors.runtime.client import ClusterClient
from clawactors.runtime.client.rows import Page

__all__ = ["CallContext", "MonotonicProgress"]

type ReportProgress = Callable[[float, float | None, str | None], Awaitable[None]]
_LEAST: Final = 0.001


class MonotonicProgress:
    """Progress in percent. The protocol wants it to grow with each report, also while a task only waits."""

    def __init__(self, report: ReportProgress) -> None:
        self._report, self._last = report, 0.0

    async def __call__(self, percent: float, message: str) -> None:
        """Reports it, to clients that have asked for it."""
        self._last = max(self._last + _LEAST, min(percent, 100.0))
        await self._report(self._last, 100.0, message)


class CallContext(msgspec.Struct, frozen=True, kw_only=True):
    """`was_cancelled` says whether the agent has cancelled the call, or only gone away. `agent` is its program."""

    source: ClientSource
    options: McpOptions
    progress: MonotonicProgress
    was_cancelled: Callable[[], Awaitable[bool]]
    agent: str = "an agent"

    async def client(self) -> ClusterClient:
        """The client of the cluster. Raises: `Unavailable`, `Misconfigured`."""
        return await self.source.client()

    def rows(self, name: str, rows: Iterable[Any], rest: str = "") -> dict[str, Any]:
        """An answer with these rows, and the cursor of the next page; `rest` says where what is cut can be read."""
        answer: dict[str, Any] = {name: [sparse(row) for row in rows]}
        if isinstance(rows, Page) and rows.cursor:
            answer["cursor"] = rows.cursor
        return fitted(answer, self.options.limit_chars, rest)
