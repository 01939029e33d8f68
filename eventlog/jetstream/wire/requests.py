"""Requests and answers between processes, as a service of the NATS service protocol: `nats micro ls`, `info`, `stats`.

The answer of a failing handler has the protocol's error headers; the caller gets `Unavailable` with the reason.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from clawactors.eventlog.endpoint import DEFAULT_PER_PRINCIPAL, Endpoint, Handler
from clawactors.eventlog.errors import Unavailable
from clawactors.eventlog.jetstream.wire.apart import ApartReplies
from clawactors.eventlog.jetstream.wire.client import RawSubscription
from clawactors.eventlog.jetstream.wire.connection import Connection
from clawactors.eventlog.jetstream.wire.discovery import ServiceDiscovery
from clawactors.eventlog.record import Record

__all__ = ["JetStreamRequests", "JetStreamServing"]

MOST_AT_ONCE: Final = 1000


class JetStreamRequests:
    """Asks and answers over one connection; answers and messages may leave on another one, `replies`.

    `listed`: it answers those who look for services, too. `apart` is the inbox of what it asks, if it is another one
    for each who answers: see `ApartReplies`.
    """

    def __init__(
        self,
        connection: Connection,
        service: str = "",
        version: str = "0.0.0",
        description: str = "",
        metadata: Mapping[str, str] | None = None,
        replies: Connection | None = None,
        listed: bool = True,
        apart: str = "",
    ) -> None:
        self._connection, self._replies, self._listed = connection, replies or connection, listed
        self._apart = ApartReplies(connection, apart) if apart else None
        self._discovery = ServiceDiscovery(connection, service, version, description, metadata or {})
        self._endpoints: list[tuple[Endpoint, str]] = []

    async def request(self, subject: str, body: bytes, timeout_s: float) -> bytes:
        """The answer.

        Raises: `NoResponders` (nobody listens), `Unavailable` (no answer in time, or the handler failed),
        `PermissionDenied`.
        """
        replies = self._apart.of(subject) if self._apart is not None else None
        headers, answer = await self._connection.ask(subject, body, timeout_s=timeout_s, replies=replies)
        if headers:
            failure = Record(0, 0, "", b"", headers).header("Nats-Service-Error")
            if failure:
                raise Unavailable(f"{subject} failed: {failure}")
        return answer

    def publish(self, subject: str, body: bytes) -> None:
        """Sends a message to all present subscribers; without one, or without a connection, it is lost."""
        self._replies.publish_now(subject.encode(), body)

    async def subscribe(self, pattern: str, on_message: Callable[[str, bytes], None]) -> Callable[[], None]:
        """Calls back with subject and body of each message; returns a function that ends the
        subscription. Raises: `PermissionDenied`."""

        def take(subject: bytes, reply: bytes, headers: bytes, body: bytes) -> None:
            on_message(str(subject, "utf-8", "replace"), body)

        subscription = self._connection.listen(pattern, take)
        await self._connection.confirm(subscription)
        return lambda: self._connection.unlisten(subscription)

    async def serve(
        self, subject: str, answer: Callable[[bytes], Awaitable[bytes]], queue: str = ""
    ) -> "JetStreamServing":
        """Answers requests on the subject; with a queue, one of its members gets each request.

        Raises: `PermissionDenied`, `Unavailable`. Order: when it returns, requests are received.
        """
        return await self._serve(subject, lambda _, body: answer(body), None, MOST_AT_ONCE, queue)

    async def answer(
        self,
        pattern: str,
        handler: Handler,
        *,
        principal_token: int = 2,
        most_per_principal: int = DEFAULT_PER_PRINCIPAL,
        queue: str = "",
    ) -> "JetStreamServing":
        """Answers requests whose subject names the principal. See `Requests`.

        Raises: `PermissionDenied`, `Unavailable`. Order: when it returns, requests are received.
        """
        return await self._serve(pattern, handler, principal_token, most_per_principal, queue)

    async def _serve(
        self, pattern: str, handler: Handler, token: int | None, most: int, queue: str
    ) -> "JetStreamServing":
        if self._listed:
            self._discovery.announce(self._connection, self._replies, self._endpoints)
        endpoint = Endpoint(pattern, handler, self._send, token, most, self._replies.max_payload)

        def on_message(subject: bytes, reply: bytes, headers: bytes, body: bytes) -> None:
            endpoint.on_request(subject, reply, body)

        subscription = self._connection.listen(pattern, on_message, queue)
        await self._connection.confirm(subscription)
        entry = endpoint, queue
        self._endpoints.append(entry)
        return JetStreamServing(self._connection, subscription, endpoint, lambda: self._forget(entry))

    def _send(self, reply: bytes, body: bytes, failure: str) -> None:
        headers = b""
        if failure:
            headers = f"NATS/1.0\r\nNats-Service-Error: {failure}\r\nNats-Service-Error-Code: 500\r\n\r\n".encode()
        self._replies.publish_now(reply, body, headers)

    def _forget(self, entry: tuple[Endpoint, str]) -> None:
        if entry in self._endpoints:
            self._endpoints.remove(entry)


class JetStreamServing:
    """An endpoint that answers."""

    def __init__(
        self, connection: Connection, subscription: RawSubscription, endpoint: Endpoint, forget: Callable[[], None]
    ) -> None:
        self._connection, self._subscription, self._endpoint, self._forget = connection, subscription, endpoint, forget

    @property
    def dropped(self) -> int:
        """The number of requests that were dropped because their reply subject is not an inbox of the principal."""
        return self._endpoint.dropped

    async def aclose(self) -> None:
        """Stops answering; when it returns, the next request gets `NoResponders` at once. Order: idempotent."""
        self._forget()
        self._endpoint.close()
        await self._connection.retire(self._subscription)
