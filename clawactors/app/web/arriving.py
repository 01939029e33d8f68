"""The body of a request as it comes: one that stops, or drips, is waited for half a minute in all."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from clawactors.app.web.problems import HttpProblem

__all__ = ["ArrivingBody"]

_PATIENCE_S: Final = 30.0
_LEAST_BYTES_S: Final = 1024


class ArrivingBody:
    """`receive` gives its parts, and afterwards tells that the client has gone."""

    def __init__(
        self,
        headers: list[tuple[bytes, bytes]],
        receive: Callable[[], Awaitable[Any]],
        monotonic_s: Callable[[], float],
    ) -> None:
        self._receive, self._monotonic_s = receive, monotonic_s
        self._has_any = any(
            name == b"transfer-encoding" or (name == b"content-length" and value != b"0") for name, value in headers
        )
        self._has_more, self._patience_s = True, _PATIENCE_S

    @property
    def is_unread(self) -> bool:
        """True while some of it has not been taken."""
        return self._has_more and self._has_any

    async def receive(self) -> Any:
        """Raises: `HttpProblem` (408)."""
        if not self._has_more:
            return await self._receive()
        begun_s = self._monotonic_s()
        try:
            if self._patience_s <= 0:  # what is there already would still be taken
                raise TimeoutError
            async with asyncio.timeout(self._patience_s):
                message = await self._receive()
        except TimeoutError:
            text = f"the body stopped coming, or comes at less than {_LEAST_BYTES_S} bytes a second"
            raise HttpProblem(408, "timeout", text) from None
        came_s = len(message.get("body", b"")) / _LEAST_BYTES_S
        self._patience_s = min(_PATIENCE_S, self._patience_s + begun_s - self._monotonic_s() + came_s)
        self._has_more = message.get("more_body", False)
        return message
