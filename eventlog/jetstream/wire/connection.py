"""One connection to a nats-server: its state, requests and their answers, and errors that name the cause.

1. It reconnects without end, with jitter; only `aclose` closes it.
2. `online` is true only when the server knows every subscription again.
3. A missing permission fails the waiting requests at once; the error names the subject.
"""

import asyncio
import random
import re
from functools import partial
from typing import Final, Self

from msgspec.structs import replace
from nats import errors

from clawactors.eventlog.errors import Misconfigured, PermissionDenied, TooLarge, Unavailable
from clawactors.eventlog.jetstream.wire.client import SOON_S, NatsClient, RawSubscription
from clawactors.eventlog.jetstream.wire.contexts import Address
from clawactors.eventlog.jetstream.wire.opening import Elsewhere, first_opened
from clawactors.eventlog.jetstream.wire.parser import OnMessage
from clawactors.eventlog.jetstream.wire.refusals import is_full, is_refusal, text_of
from clawactors.eventlog.jetstream.wire.replies import NotSent, Replies, Reply
from clawactors.eventlog.jetstream.wire.state import ConnectionState, shown

__all__ = ["Connection"]

NO_CERTIFICATE: Final = "demands a client certificate: name `cert` and `key` in the nats context"


class Connection:
    """A connection that was opened; `name` shows in the server's lists and disconnect advisories."""

    def __init__(self, address: Address, name: str, inbox: str = "") -> None:
        self.address, self.name = replace(address, inbox_prefix=inbox or address.inbox_prefix), name
        self._options = self.address.options() | {"inbox_prefix": self.address.inbox_prefix}
        self._state = ConnectionState(name, ", ".join(map(shown, address.urls)))
        self._client = NatsClient(self._state, self.address.renewed_tls)
        self.heard, self.missed = self._client.heard, self._client.missed  # an answer; none in time, or nobody there
        self._replies = Replies("", self.write)
        self.on_lost, self.on_back, self.on_denied = self._state.on_lost, self._state.on_back, self._state.on_denied

    @classmethod
    async def open(
        cls,
        address: Address | str | None = None,
        name: str = "claw",
        connect_timeout_s: float = 2,
        *,
        inbox: str = "",
    ) -> Self:
        """Connects to the first server that answers.

        All reply subjects lie under `inbox`, `_INBOX.<principal>`; '' means the prefix of the address, else `_INBOX`.
        Raises: `Unavailable` (nobody answers, or it is full), `Misconfigured` (refused: wrong password, certificate …).
        """
        if not isinstance(address, Address):
            address = Address.of(address)
        address.check_files()
        urls = list(address.urls)
        if not urls:
            raise Unavailable("no server address given")
        random.shuffle(urls)
        tries = [partial(cls._open_at, url, address, name, connect_timeout_s, inbox) for url in urls]
        connection = await first_opened(tries, cls.aclose)
        connection._client.know(urls)
        return connection

    @classmethod
    async def _open_at(cls, url: str, address: Address, name: str, timeout_s: float, inbox: str) -> Self:
        connection = cls(address, name, inbox)
        try:
            await connection._connect(url, timeout_s)
        except ImportError:
            raise Misconfigured("credentials and nkeys need the package nkeys: pip install 'nats-py[nkeys]'") from None
        except BaseException as error:
            await connection.aclose()
            if isinstance(error, OSError | errors.Error):
                raise connection._refused(shown(url), connection._state.reported or error) from None
            raise
        return connection

    def _refused(self, where: str, reason: Exception) -> Misconfigured | Elsewhere:
        """Why the server at this address will not do: for good, or unless another one does."""
        if self.lacks_certificate:
            return Misconfigured(f"the server at {where} {NO_CERTIFICATE}")
        if is_full(reason):
            return Elsewhere(Unavailable(f"the server at {where} takes nobody else: {text_of(reason)}"), 1)
        if is_refusal(reason):
            error = Misconfigured(f"the server at {where} refused {self.name!r}: {text_of(reason)}")
            return Elsewhere(error, 2) if isinstance(reason, OSError) else error
        every = ", ".join(map(shown, self.address.urls))
        return Elsewhere(Unavailable(f"no nats-server answers at {every}: {text_of(reason)}"))

    async def _connect(self, url: str, timeout_s: float) -> None:
        await self._client.dial(url, self.name, timeout_s, self._options)
        self._replies = Replies(self.new_inbox(), self.write)
        self._state.begin(lambda: self.is_closed, self._replies)
        await self.confirm(self.listen(f"{self._replies.inbox}.*", self._replies.on_message))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connection; what still waits fails with `Unavailable`."""
        await self._client.close()

    # State and server

    @property
    def online(self) -> bool:
        """True while the server is connected and knows all subscriptions."""
        return self._state.is_up and self._client.is_connected

    @property
    def is_closed(self) -> bool:
        """True after `aclose`."""
        return self._client.is_closed

    async def wait_online(self, timeout_s: float) -> None:
        """Returns when the connection is usable. Raises: `Unavailable` after the timeout, or when closed."""
        await self._state.wait_up(timeout_s)
        if self.is_closed:
            raise Unavailable("the connection is closed")

    @property
    def lacks_certificate(self) -> bool:
        """True where the server demands a client certificate and the address has none."""
        return not self.address.cert and self._client.server_info.get("tls_verify", False) is True

    @property
    def max_payload(self) -> int:
        """How many bytes the headers and the body of a message may have together."""
        return self._client.max_payload

    @property
    def version(self) -> tuple[int, ...]:
        """The version of the server, `(2, 15, 0)`."""
        numbers = re.match(r"\d+(\.\d+)*", str(self._client.server_info.get("version", "0")))
        return tuple(int(number) for number in numbers[0].split(".")) if numbers else (0,)

    @property
    def server_name(self) -> str:
        """What the server calls itself."""
        return str(self._client.server_info.get("server_name", ""))

    @property
    def is_clustered(self) -> bool:
        """True when the server is part of a cluster, whether or not its other servers are up now.

        A single server with leaf nodes calls itself a cluster of its own name.
        """
        info = self._client.server_info
        return info.get("cluster", "") not in ("", info.get("server_name"))

    # Subscriptions and messages

    def listen(self, subject: str, on_message: OnMessage, queue: str = "") -> RawSubscription:
        """Subscribes `on_message` to a subject; it is called from the parser, so it must be quick and never block."""
        return self._client.listen(subject, on_message, queue)

    async def confirm(self, subscription: RawSubscription) -> None:
        """Returns when the server has the subscription, else ends it. Raises: `PermissionDenied`, `Unavailable`."""
        try:
            await self._client.round_trip()
            if subscription.is_denied:
                raise PermissionDenied(subscription.subject, "subscribe to")
        except errors.Error as error:
            self.unlisten(subscription)
            raise Unavailable(f"the server did not take {subscription.subject!r}: {text_of(error)}") from None
        except BaseException:
            self.unlisten(subscription)
            raise

    def unlisten(self, subscription: RawSubscription) -> None:
        """Ends a raw subscription; no callback comes after this."""
        self._client.unlisten(subscription)

    async def retire(self, subscription: RawSubscription) -> None:
        """Ends a raw subscription; returns when the server knows. Until then its callback takes what still arrives."""
        await self._client.retire(subscription)

    def write(self, frames: bytes) -> bool:
        """Sends prepared protocol bytes now; False when there is no connection, then they are lost."""
        return self._client.write(frames)

    def publish_now(self, subject: bytes, body: bytes, headers: bytes = b"") -> bool:
        """Sends a message without acknowledgement; False when there is no connection, then it is lost."""
        if headers:
            size = len(headers) + len(body)
            return self.write(b"HPUB %b %d %d\r\n%b%b\r\n" % (subject, len(headers), size, headers, body))
        return self.write(b"PUB %b %d\r\n%b\r\n" % (subject, len(body), body))

    # Requests

    def new_inbox(self) -> str:
        """A fresh subject under the inbox of this connection."""
        return self._client.new_inbox()

    def publish_request(self, subject: str, reply: str) -> bool:
        """Sends a request without a body; any number may answer it."""
        return self.write(f"PUB {subject} {reply} 0\r\n\r\n".encode())

    def expect(self, on_answer: OnMessage) -> str:
        """A fresh reply subject; its answers go to `on_answer` until it is forgotten."""
        return self._replies.expect(on_answer)

    def expect_nothing(self) -> str:
        """A reply subject whose answers are dropped: for requests that must have one."""
        return f"{self._replies.inbox}.0"

    def forget(self, reply: str) -> None:
        """Ignores further answers to this reply subject."""
        self._replies.forget(reply)

    async def ask(
        self,
        subject: str,
        body: bytes = b"",
        headers: bytes = b"",
        timeout_s: float = 5,
        replies: Replies | None = None,
    ) -> Reply:
        """One request, one answer, to an inbox of its own kind where `replies` has one.

        Raises: `NoResponders`, `Unavailable` (no connection, no answer in time), `PermissionDenied`, `TooLarge` (the
        server would end the connection).
        """
        deadline = asyncio.get_running_loop().time() + timeout_s
        while True:
            if not self.online:
                await self.wait_online(max(0, deadline - asyncio.get_running_loop().time()))
            if (size_bytes := len(headers) + len(body)) > self.max_payload:
                raise TooLarge(size_bytes, self.max_payload, f"a request of {size_bytes} bytes is too large")
            try:
                reply = await (replies or self._replies).ask(subject, body, headers, timeout_s)
                self.heard()
                return reply
            except NotSent:
                pass
            except Unavailable:
                self.missed()
                raise
            # The transport is gone and the client has not noticed yet: it must get its turn to.
            if asyncio.get_running_loop().time() >= deadline:
                raise Unavailable(f"no connection to send {subject!r} on for {timeout_s:g} s")
            await asyncio.sleep(SOON_S)
