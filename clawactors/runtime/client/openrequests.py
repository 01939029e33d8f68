"""The requests of one client, as long as it is open."""

import asyncio
from collections.abc import Callable

from clawactors.eventlog import Closed
from clawactors.eventlog.requests import Asking

__all__ = ["OpenRequests"]


class OpenRequests(Asking):
    """Requests in the event loop that first used them, until they are closed.

    What asks again while nobody answers would wait without end in another loop, and behind the close.
    """

    def __init__(self, requests: Asking) -> None:
        self._requests = requests
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_closed = False

    def check(self) -> None:
        """Raises: `Closed`; `RuntimeError` in another event loop than before."""
        if self._is_closed:
            raise Closed
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            if self._loop is not None:
                raise RuntimeError(
                    "this client belongs to another event loop: connect one client in each loop, or call it there "
                    "with asyncio.run_coroutine_threadsafe"
                )
            self._loop = loop

    def close(self) -> None:
        """From now on every call raises `Closed`. Order: idempotent."""
        self._is_closed = True

    async def request(self, subject: str, body: bytes, timeout_s: float) -> bytes:
        """See `Requests`. Raises: also `Closed`."""
        self.check()
        return await self._requests.request(subject, body, timeout_s)

    async def subscribe(self, pattern: str, on_message: Callable[[str, bytes], None]) -> Callable[[], None]:
        """See `Requests`. Raises: also `Closed`."""
        self.check()
        return await self._requests.subscribe(pattern, on_message)
