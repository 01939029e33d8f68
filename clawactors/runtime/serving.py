"""What the endpoints of requests have in common: how they are closed, and what they answer to what they can't use.

1. Bytes that are no question are refused with the reason, in the error of the reply.
2. What a handler raises of ours travels as the error of the reply; anything else is a fault of the process.
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Final

from clawactors.eventlog import UNREADABLE, EventLogError
from clawactors.eventlog.requests import Serving
from clawactors.kernel.errors import Refused
from clawactors.runtime.asking import failure_of

__all__ = ["RequestEndpoint", "answering"]

type _Method[Q] = Callable[[Any, str, Q], Awaitable[Any]]
type _Handler = Callable[[Any, str, bytes], Awaitable[bytes]]

_REPORTED: Final = (Refused, EventLogError)


class RequestEndpoint:
    """Something that answers requests; `open` fills `_serving`."""

    def __init__(self) -> None:
        self._serving: list[Serving] = []

    async def aclose(self) -> None:
        """Answers no longer; requests that are being answered still are. Order: idempotent."""
        serving, self._serving = self._serving, []
        for each in serving:
            await each.aclose()


def answering[Q](
    decode: Callable[[bytes], Q], encode: Callable[[Any], bytes], failed: Callable[..., Any], what: str
) -> Callable[[_Method[Q]], _Handler]:
    """Makes a handler of requests of a method `(principal, question) -> reply`.

    `failed(error=…)` makes the reply that says why there is none; `what` says what the bytes should have been.
    """

    def wrap(method: _Method[Q]) -> _Handler:
        @wraps(method)
        async def handle(endpoint: Any, principal: str, body: bytes) -> bytes:
            try:
                question = decode(body)
            except UNREADABLE as error:
                return encode(failed(error=failure_of(Refused(f"not {what}: {error}"))))
            try:
                return encode(await method(endpoint, principal, question))
            except _REPORTED as error:
                return encode(failed(error=failure_of(error)))

        return handle

    return wrap
