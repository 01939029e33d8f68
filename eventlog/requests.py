"""Requests and answers between processes, not stored: the port, and its adapter within one process."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from clawactors.eventlog.endpoint import DEFAULT_PER_PRINCIPAL, INBOX, Endpoint, Handler
from clawactors.eventlog.errors import NoResponders, Unavailable
from clawactors.eventlog.patterns import matcher

__all__ = ["Asking", "InProcessRequests", "Requests", "Serving"]

_MOST_AT_ONCE: Final = 1000
_LARGEST_BYTES: Final = 1 << 20


class Serving(Protocol):
    """An endpoint that answers."""

    @property
    def dropped(self) -> int:
        """The number of requests that were dropped because their reply subject is not an inbox of the principal."""
        ...

    async def aclose(self) -> None:
        """Stops answering; when it returns, the next request gets `NoResponders` at once. Order: idempotent."""
        ...


class Asking(Protocol):
    """The side of who asks."""

    async def request(self, subject: str, body: bytes, timeout_s: float) -> bytes:
        """The answer.

        Raises: `NoResponders` (nobody listens), `Unavailable` (no answer in time, or the handler failed).
        """
        ...

    async def subscribe(self, pattern: str, on_message: Callable[[str, bytes], None]) -> Callable[[], None]:
        """Calls back with subject and body of each message; returns a function that ends the subscription.

        The callback must be quick.
        """
        ...


class Requests(Asking, Protocol):
    """Requests and answers between processes; they are not stored."""

    def publish(self, subject: str, body: bytes) -> None:
        """Sends a message to all present subscribers; without one it is lost."""
        ...

    async def serve(self, subject: str, answer: Callable[[bytes], Awaitable[bytes]], queue: str = "") -> Serving:
        """Answers requests on the subject; with a queue, one of its members gets each request."""
        ...

    async def answer(
        self,
        pattern: str,
        handler: Handler,
        *,
        principal_token: int = 2,
        most_per_principal: int = DEFAULT_PER_PRINCIPAL,
        queue: str = "",
    ) -> Serving:
        """Answers requests whose subject names the principal: `await handler(principal, body)`, in any order.

        The principal is the subject's token number `principal_token`, counted from 0: 2 in `claw.do.*.task`.
        A request whose reply subject is not under `_INBOX.<principal>.` is dropped and counted.
        A principal with `most_per_principal` unanswered requests gets `{"error":{"code":"busy","message":…}}`.
        An empty answer or `{}` is a fault of the handler, and the caller gets `Unavailable`.
        """
        ...


class _Network:
    """The subscribers and endpoints of this process."""

    def __init__(self) -> None:
        self.listeners: dict[int, tuple[Callable[[str], object], Callable[[str, bytes], None]]] = {}
        self.endpoints: dict[int, tuple[Callable[[str], object], Endpoint]] = {}
        self.replies: dict[str, asyncio.Future[tuple[bytes, str]]] = {}
        self.numbers = itertools.count(1)

    def publish(self, subject: str, body: bytes, reply: str = "") -> bool:
        """Delivers a message; False if nobody listens. Of several endpoints, the newest gets it."""
        fitting = [on_message for fits, on_message in self.listeners.values() if fits(subject)]
        for on_message in fitting:
            on_message(subject, body)
        for fits, endpoint in reversed(self.endpoints.values()):
            if fits(subject):
                endpoint.on_request(subject.encode(), reply.encode(), body)
                return True
        return bool(fitting)

    def answer(self, reply: bytes, body: bytes, failure: str) -> None:
        """Delivers an answer."""
        subject = reply.decode()
        if (waiting := self.replies.get(subject)) is None:
            self.publish(subject, body)
        elif not waiting.done():
            waiting.set_result((body, failure))


class InProcessRequests:
    """Requests and answers within one process; `of` gives the same network to another principal."""

    def __init__(self) -> None:
        self._network, self._inbox = _Network(), INBOX

    def of(self, principal: str) -> "InProcessRequests":
        """The same network, with the inbox of this principal."""
        other = InProcessRequests()
        other._network, other._inbox = self._network, f"{INBOX}.{principal}"
        return other

    def post(self, subject: str, body: bytes, reply: str) -> None:
        """Sends a request with any reply subject, as a forger would."""
        self._network.publish(subject, body, reply)

    def publish(self, subject: str, body: bytes) -> None:
        """Sends a message to all present subscribers."""
        self._network.publish(subject, body)

    async def subscribe(self, pattern: str, on_message: Callable[[str, bytes], None]) -> Callable[[], None]:
        """Calls back with subject and body of each message; returns a function that ends the subscription."""
        number = next(self._network.numbers)
        self._network.listeners[number] = matcher([pattern]), on_message
        return lambda: self._network.listeners.pop(number, None) and None

    async def request(self, subject: str, body: bytes, timeout_s: float) -> bytes:
        """The answer. Raises: `NoResponders`, `Unavailable`."""
        network = self._network
        reply = f"{self._inbox}.{next(network.numbers)}"
        answer: asyncio.Future[tuple[bytes, str]] = asyncio.get_running_loop().create_future()
        network.replies[reply] = answer
        try:
            if not network.publish(subject, body, reply):
                raise NoResponders(f"nobody answers on {subject!r}")
            async with asyncio.timeout(timeout_s):
                got, failure = await answer
        except TimeoutError:
            raise Unavailable(f"no answer on {subject!r} within {timeout_s:g} s") from None
        finally:
            del network.replies[reply]
        if failure:
            raise Unavailable(f"{subject} failed: {failure}")
        return got

    async def serve(self, subject: str, answer: Callable[[bytes], Awaitable[bytes]], queue: str = "") -> "_Served":
        """Answers requests on the subject; the newest endpoint wins."""
        return self._serve(subject, lambda _, body: answer(body), None, _MOST_AT_ONCE)

    async def answer(
        self,
        pattern: str,
        handler: Handler,
        *,
        principal_token: int = 2,
        most_per_principal: int = DEFAULT_PER_PRINCIPAL,
        queue: str = "",
    ) -> "_Served":
        """Answers requests whose subject names the principal; the newest endpoint wins. See `Requests`."""
        return self._serve(pattern, handler, principal_token, most_per_principal)

    def _serve(self, pattern: str, handler: Handler, token: int | None, most: int) -> "_Served":
        endpoint = Endpoint(pattern, handler, self._network.answer, token, most, _LARGEST_BYTES)
        number = next(self._network.numbers)
        self._network.endpoints[number] = matcher([pattern]), endpoint
        return _Served(self._network, number, endpoint)


class _Served:
    def __init__(self, network: _Network, number: int, endpoint: Endpoint) -> None:
        self._network, self._number, self._endpoint = network, number, endpoint

    @property
    def dropped(self) -> int:
        return self._endpoint.dropped

    async def aclose(self) -> None:
        self._network.endpoints.pop(self._number, None)
        self._endpoint.close()
