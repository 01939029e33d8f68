"""nats-py's client with raw routes and prepared frames, and with guards against its faults.

1. Messages go from the parser straight to the callbacks of their routes; nats-py only subscribes them again.
2. A write returns whether the connection took it. A closed or raising transport ends the connection.
3. All who wait for a pong are told at once when the connection is lost.
"""

import asyncio
import contextlib
import re
import ssl
from collections.abc import Callable
from typing import Any, Final, Protocol, override

from nats import errors
from nats.aio.client import Client, Srv
from nats.aio.subscription import Subscription

from clawactors.eventlog.errors import PermissionDenied
from clawactors.eventlog.jetstream.wire.parser import MessageParser, OnMessage
from clawactors.eventlog.jetstream.wire.pool import PING_S, PoolClient
from clawactors.eventlog.jetstream.wire.transport import ParsingTransport

__all__ = ["ClientEvents", "NatsClient", "RawSubscription"]

SOON_S: Final = 0.001
_DENIED = re.compile(r'permissions violation for (publish|subscription)[^"]*"([^"]*)"', re.IGNORECASE)


class RawSubscription(Subscription):
    """A subscription whose messages go from the parser straight to a callback; nats-py only subscribes it again."""

    is_denied = False


class ClientEvents(Protocol):
    """The events that the client reports to its owner."""

    def note_broken(self) -> None:
        """The transport takes no writes any more; `note_lost` follows."""
        ...

    def note_denied(self, error: PermissionDenied) -> None:
        """The server refused a publish or a subscription."""
        ...

    @property
    def is_refused(self) -> bool:
        """True while trying again soon does not help."""
        ...

    async def note_error(self, error: Exception) -> None:
        """Something failed; the client continues by itself."""
        ...

    async def note_lost(self) -> None:
        """The connection is lost, or closed."""
        ...

    async def note_back(self) -> None:
        """The connection is back, and the server knows all subscriptions."""
        ...


class NatsClient(PoolClient):
    """One connection that reconnects until it is closed."""

    def __init__(self, events: ClientEvents, renewed_tls: Callable[[], ssl.SSLContext | None]) -> None:
        super().__init__(lambda: events.is_refused)
        self._events, self._renewed_tls = events, renewed_tls
        self._parser = MessageParser(self)
        self._ps = self._parser  # type: ignore[assignment]  # the same two methods, not the same class
        self._soon: list[bytes] = []
        self._giving_up: asyncio.Task[None] | None = None

    async def dial(self, url: str, name: str, timeout_s: float, options: dict[str, Any]) -> None:
        """Connects to this server once; from then on it reconnects without end, with jitter."""
        await self.connect(
            servers=[url],
            name=name,
            error_cb=self._events.note_error,
            disconnected_cb=self._on_disconnect,
            reconnected_cb=self._events.note_back,
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=timeout_s,  # type: ignore[arg-type]  # nats-py hands it to wait_for, which takes fractions
            ping_interval=PING_S,  # type: ignore[arg-type]  # nats-py sleeps for it
            max_outstanding_pings=2,
            reconnect_to_server_handler=self._next_server,
            pending_size=1 << 26,
            **options,
        )
        self.options["allow_reconnect"] = True
        self.options["max_reconnect_attempts"] = -1

    @property
    def server_info(self) -> dict[str, Any]:
        """The server's INFO message."""
        return self._server_info

    # Subscriptions

    def listen(self, subject: str, on_message: OnMessage, queue: str = "") -> RawSubscription:
        """Subscribes `on_message` to a subject; it is called from the parser, so it must be quick and never block."""
        self._sid += 1
        subscription = RawSubscription(self, self._sid, subject, queue=queue)
        self._subs[self._sid] = subscription
        self._parser.routes[b"%d" % self._sid] = on_message
        self._write_soon(f"SUB {subject} {queue} {self._sid}\r\n".encode())
        return subscription

    def unlisten(self, subscription: RawSubscription) -> None:
        """Ends a raw subscription; no callback comes after this."""
        if self._subs.pop(subscription._id, None) is not None:
            self._write_soon(b"UNSUB %d\r\n" % subscription._id)
        self._parser.routes.pop(b"%d" % subscription._id, None)

    async def retire(self, subscription: RawSubscription) -> None:
        """Ends a raw subscription; returns when the server knows. Until then its callback takes what still arrives."""
        if self._subs.pop(subscription._id, None) is not None:
            self._write_soon(b"UNSUB %d\r\n" % subscription._id)
            with contextlib.suppress(errors.Error):  # after a reconnect the server is not told of it again
                await self.round_trip()
        self._parser.routes.pop(b"%d" % subscription._id, None)

    async def round_trip(self) -> None:
        """Returns when the server has seen all that was sent. Raises: nats-py's `Error`."""
        self._send_soon()
        await self.flush()

    # Writing

    def write(self, frames: bytes) -> bool:
        """Sends prepared protocol bytes now; False when there is no connection, then they are lost."""
        transport: Any = self._transport
        if self._status != Client.CONNECTED or transport is None:
            return False
        try:
            if transport.is_closing():  # asyncio would drop the bytes silently
                raise OSError("the transport is closed")
            if self._pending:  # what nats-py itself has to send goes first
                transport.writelines(self._pending)
                self._pending, self._pending_data_size = [], 0
            if self._soon:
                frames = b"".join((*self._soon, frames))
                self._soon.clear()
            transport.write(frames)
        except (OSError, RuntimeError, AttributeError) as error:  # uvloop raises RuntimeError when it is closed
            self._events.note_broken()
            loop = asyncio.get_running_loop()
            self._giving_up = asyncio.Task(self._process_op_err(error), loop=loop, eager_start=True)
            return False
        return True

    def _write_soon(self, frames: bytes) -> None:
        """Sends them with what is sent next, at most a millisecond later: each write costs a system call.

        These frames are about subscriptions; a reconnect tells the server of all subscriptions.
        """
        if self._status == Client.CONNECTED:
            if not self._soon:
                asyncio.get_running_loop().call_later(SOON_S, self._send_soon)
            self._soon.append(frames)

    def _send_soon(self) -> None:
        if self._soon:
            self.write(b"")

    # Pings

    @override
    async def _process_pong(self) -> None:
        if self._pongs and self._pongs[0].done():
            # Its waiter gave up. nats-py would set a result all the same; the error would end its reading.
            self._pongs[0] = asyncio.get_running_loop().create_future()
        await super()._process_pong()

    @override
    async def _send_ping(self, future: asyncio.Future[bool] | None = None) -> None:
        self._pongs.append(future or asyncio.get_running_loop().create_future())
        if not self.write(b"PING\r\n"):
            self._fail_pings()

    def _fail_pings(self) -> None:
        """No pong will come. nats-py forgets those who wait for one, so that each would wait its full time."""
        pongs, self._pongs = self._pongs, []
        for pong in pongs:
            if not pong.done():
                pong.set_exception(errors.Error("the connection was lost"))
                pong.exception()  # mark it as seen: for most pings nobody waits

    # What nats-py reports

    @override
    async def _process_err(self, err_msg: str) -> None:
        denied = _DENIED.search(err_msg)
        if denied is None:
            error = errors.Error(f"nats: {err_msg}")
            await self._events.note_error(error)
            await self._process_op_err(error)
            return
        action = "publish to" if denied[1].lower() == "publish" else "subscribe to"
        refused = PermissionDenied(denied[2], action)
        if action == "subscribe to":
            for subscription in self._subs.values():
                if isinstance(subscription, RawSubscription) and subscription.subject == refused.subject:
                    subscription.is_denied = True
        self._events.note_denied(refused)

    async def _on_disconnect(self) -> None:
        self._soon.clear()
        self._fail_pings()
        await self._events.note_lost()

    @override
    async def _connect_to_server(self, s: Srv) -> None:
        if self._transport:
            # A try that failed after the connect, as with a server that hangs, left it open.
            self._transport.close()  # type: ignore[no-untyped-call]
        else:
            self._transport = ParsingTransport(self._parser.feed)
        if self.is_reconnecting and (renewed := self._renewed_tls()) is not None:
            self.options["tls"] = renewed  # certificates live shorter than we do
        self._parser.reset()
        s.tls_name = self.tls_name(s)
        await super()._connect_to_server(s)
