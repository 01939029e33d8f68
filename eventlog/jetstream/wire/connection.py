"""One connection to a nats-server: nats-py's client with raw routes, prepared frames, and errors that say whose fault.

1. It reconnects for ever, with jitter; it is closed by `aclose` only.
2. `online` is true only when the server knows every subscription again.
3. A refused permission fails what waits for it at once, under the name of the subject.
"""

import asyncio
import contextlib
import logging
import random
import re
from collections.abc import Callable, Sequence
from typing import Any, Final, Self, override

from nats import errors
from nats.aio.client import Client, Server, Srv
from nats.aio.subscription import Subscription
from nats.aio.transport import TcpTransport

from clawactors.eventlog.errors import EventLogError, Misconfigured, PermissionDenied, Unavailable
from clawactors.eventlog.jetstream.wire.contexts import Address
from clawactors.eventlog.jetstream.wire.parser import OnMessage, Parser
from clawactors.eventlog.jetstream.wire.replies import NotSent, Replies, Reply

__all__ = ["Connection", "RawSubscription", "Reader"]

READ_BYTES: Final = 1 << 18
SOON_S: Final = 0.001
MAX_RECONNECT_WAIT_S: Final = 0.25
_DENIED = re.compile(r'permissions violation for (publish|subscription)[^"]*"([^"]*)"', re.IGNORECASE)
_log = logging.getLogger(__name__)


class RawSubscription(Subscription):
    """A subscription whose messages go from the parser straight to a callback; nats-py only re-subscribes it."""

    is_denied = False


class Reader(asyncio.StreamReader):
    """Gives what comes to `take` at once, without waking a task, while somebody reads and nothing else waits."""

    def __init__(self, take: Callable[[bytes], bytes]) -> None:
        super().__init__(limit=READ_BYTES)
        self._take, self._waiting_bytes, self._is_read = take, 0, False

    @override
    def feed_data(self, data: bytes) -> None:  # type: ignore[override]  # no transport brings anything else
        if self._is_read and not self._waiting_bytes:
            try:
                data = self._take(data)
            except errors.ProtocolError as error:
                self.set_exception(error)
                return
        if data:
            self._waiting_bytes += len(data)
            super().feed_data(data)

    @override
    async def read(self, n: int = -1) -> bytes:
        """What `take` has left."""
        self._is_read = True
        try:
            data = await super().read(n)
        finally:
            self._is_read = False
        self._waiting_bytes -= len(data)
        return data

    @override
    async def readline(self) -> bytes:
        line = await super().readline()
        self._waiting_bytes -= len(line)
        return line


class _Transport(TcpTransport):
    """Gives what it reads to `take`, hundreds of messages at a time; over TLS, to the client's own loop."""

    def __init__(self, take: Callable[[bytes], bytes]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._take = take

    @override
    async def connect(self, uri: Any, buffer_size: int, connect_timeout: int) -> None:
        for given_up in (self._bare_io_writer, self._io_writer):
            if given_up is not None:
                given_up.transport.abort()  # nats-py forgets it: a server that takes connections and hangs has them all
        loop, reader = asyncio.get_running_loop(), Reader(self._take)
        async with asyncio.timeout(connect_timeout):
            transport, protocol = await loop.create_connection(
                lambda: asyncio.StreamReaderProtocol(reader), uri.hostname, uri.port
            )
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        self._bare_io_reader = self._io_reader = reader
        self._bare_io_writer = self._io_writer = writer
        if writer.get_extra_info("sockname") == writer.get_extra_info("peername"):
            # The system may choose the very port that is dialled while its server is away, and so keep the server out.
            writer.transport.abort()
            raise OSError("connected to itself")

    def is_closing(self) -> bool:
        """True when nothing can be written any more."""
        return self._io_writer is None or self._io_writer.is_closing()

    @override
    async def read(self, buffer_size: int) -> bytes:
        data: bytes = await super().read(READ_BYTES)
        return data

    @override
    def __bool__(self) -> bool:
        return True


class Connection(Client):
    """nats-py's client, open to a server; `name` shows in the server's lists and disconnect advisories."""

    def __init__(self, address: Address, name: str, inbox: str = "") -> None:
        super().__init__()
        self.address, self.name, self._inbox = address, name, inbox or address.inbox_prefix
        self._parser = Parser(self)
        self._ps = self._parser  # type: ignore[assignment]  # the same two methods, not the same class
        self._soon: list[bytes] = []
        self._giving_up: asyncio.Task[None] | None = None
        self._back = asyncio.Event()
        self._was_up = False  # until those who listen for the loss know of it
        self._replies = Replies("", self.write)
        self.reported: Exception | None = None
        self.on_lost: list[Callable[[], None]] = []
        self.on_back: list[Callable[[], None]] = []
        self.on_denied: list[Callable[[PermissionDenied], None]] = []

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

        All reply subjects lie under `inbox`, `_INBOX.<principal>`; '' means that of the address, `_INBOX` by default.
        Raises: `Unavailable` (nobody answers), `Misconfigured` (refused: wrong password, TLS …).
        """
        if not isinstance(address, Address):
            address = Address.of(address)
        urls = list(address.urls)
        random.shuffle(urls)
        reason: Exception = Unavailable("no server address given")
        for url in urls:
            connection = cls(address, name, inbox)
            try:
                await connection._connect(url, connect_timeout_s)
            except ImportError:
                raise Misconfigured(
                    "credentials and nkeys need the package nkeys: pip install 'nats-py[nkeys]'"
                ) from None
            except (OSError, TimeoutError, errors.Error, EventLogError) as error:
                await connection.aclose()
                if isinstance(error, EventLogError):
                    raise
                reason = connection.reported or error
                if _is_refusal(error):
                    raise Misconfigured(f"the server at {_shown(url)} refused {name!r}: {_text(error)}") from None
                continue
            found = [f"{server.scheme}://{server.netloc}" for server in connection.servers if server.netloc not in url]
            connection.set_server_pool(list(dict.fromkeys([url, *urls, *found])))
            return connection
        raise Unavailable(f"no nats-server answers at {', '.join(map(_shown, urls))}: {_text(reason)}") from None

    async def _connect(self, url: str, timeout_s: float) -> None:
        await self.connect(
            servers=[url],
            name=self.name,
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnect,
            reconnected_cb=self._on_reconnect,
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=timeout_s,  # type: ignore[arg-type]  # nats-py hands it to wait_for, which takes fractions
            ping_interval=5,
            max_outstanding_pings=2,
            reconnect_to_server_handler=self._next_server,
            pending_size=1 << 26,
            **self.address.options() | {"inbox_prefix": self._inbox},
        )
        self.options["allow_reconnect"] = True
        self.options["max_reconnect_attempts"] = -1
        self._replies = Replies(self.new_inbox(), self.write)
        self._was_up = True
        self._back.set()
        await self.confirm(self.listen(f"{self._replies.inbox}.*", self._replies.on_message))

    # Subscriptions and frames

    @property
    def online(self) -> bool:
        """True while the server is connected and knows all subscriptions."""
        return self._back.is_set() and self._status == Client.CONNECTED

    @property
    def version(self) -> tuple[int, ...]:
        """The version of the server, `(2, 15, 0)`."""
        numbers = re.match(r"\d+(\.\d+)*", str(self._server_info.get("version", "0")))
        return tuple(int(number) for number in numbers[0].split(".")) if numbers else (0,)

    @property
    def is_clustered(self) -> bool:
        """True when the server is part of a cluster, whether or not its other servers are up now."""
        return bool(self._server_info.get("cluster"))

    async def wait_online(self, timeout_s: float) -> None:
        """Returns when the connection is usable. Raises: `Unavailable` after the timeout, or when closed."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._back.wait()
        except TimeoutError:
            raise Unavailable(f"no connection to {self._where()} for {timeout_s:g} s") from None
        if self.is_closed:
            raise Unavailable("the connection is closed")

    def listen(self, subject: str, on_message: OnMessage, queue: str = "") -> RawSubscription:
        """Subscribes `on_message` to a subject; it is called from the parser, so it must be quick and never block."""
        self._sid += 1
        subscription = RawSubscription(self, self._sid, subject, queue=queue)
        self._subs[self._sid] = subscription
        self._parser.routes[b"%d" % self._sid] = on_message
        self._write_soon(f"SUB {subject} {queue} {self._sid}\r\n".encode())
        return subscription

    async def confirm(self, subscription: RawSubscription) -> None:
        """Returns when the server has the subscription, else ends it. Raises: `PermissionDenied`, `Unavailable`."""
        try:
            self._send_soon()
            await self.flush()
            if subscription.is_denied:
                raise PermissionDenied(subscription.subject, "subscribe to")
        except errors.Error as error:
            self.unlisten(subscription)
            raise Unavailable(f"the server did not take {subscription.subject!r}: {_text(error)}") from None
        except BaseException:
            self.unlisten(subscription)
            raise

    def unlisten(self, subscription: RawSubscription) -> None:
        """Ends a raw subscription; no callback comes after this."""
        sid: int = subscription._id
        self._subs.pop(sid, None)
        if self._parser.routes.pop(b"%d" % sid, None) is not None:
            self._write_soon(b"UNSUB %d\r\n" % sid)

    async def retire(self, subscription: RawSubscription) -> None:
        """Ends a raw subscription; returns when the server knows. Until then its callback takes what still arrives."""
        if self._subs.pop(subscription._id, None) is not None:
            self._write_soon(b"UNSUB %d\r\n" % subscription._id)
            self._send_soon()
            if self.online:  # else the server that comes back is not told of it
                with contextlib.suppress(errors.Error):
                    await self.flush()
        self._parser.routes.pop(b"%d" % subscription._id, None)

    def write(self, frames: bytes) -> bool:
        """Sends prepared protocol bytes now; False when there is no connection: nothing is kept, none was taken whole.

        A transport that is closed or raises while the client still believes in it ends the connection here.
        """
        transport: Any = self._transport
        if self._status != Client.CONNECTED or transport is None:
            return False
        try:
            if transport.is_closing():  # asyncio would drop the bytes without a word
                raise OSError("the transport is closed")
            if self._pending:  # what nats-py itself wants to send goes first
                transport.writelines(self._pending)
                self._pending, self._pending_data_size = [], 0
            if self._soon:
                frames = b"".join((*self._soon, frames))
                self._soon.clear()
            transport.write(frames)
        except (OSError, RuntimeError, AttributeError) as error:  # RuntimeError is uvloop's for a closed transport
            self._give_up(error)
            return False
        return True

    def _give_up(self, error: Exception) -> None:
        """Starts to reconnect; the connection is not online from here on, and in a moment all are told."""
        self._back.clear()
        loop = asyncio.get_running_loop()
        self._giving_up = asyncio.Task(self._process_op_err(error), loop=loop, eager_start=True)

    def _write_soon(self, frames: bytes) -> None:
        """Sends them with what is sent next, a moment later at most: each write costs a call of the system.

        They are of subscriptions, of which the server is told anew after a reconnect.
        """
        if self._status == Client.CONNECTED:
            if not self._soon:
                asyncio.get_running_loop().call_later(SOON_S, self._send_soon)
            self._soon.append(frames)

    def _send_soon(self) -> None:
        if self._soon:
            self.write(b"")

    def publish_now(self, subject: bytes, body: bytes, headers: bytes = b"") -> bool:
        """Sends a message that no one acknowledges; False, and it is gone, when there is no connection."""
        if headers:
            size = len(headers) + len(body)
            return self.write(b"HPUB %b %d %d\r\n%b%b\r\n" % (subject, len(headers), size, headers, body))
        return self.write(b"PUB %b %d\r\n%b\r\n" % (subject, len(body), body))

    # Requests

    def publish_request(self, subject: str, reply: str) -> bool:
        """Sends a question without a body that any number may answer."""
        return self.write(f"PUB {subject} {reply} 0\r\n\r\n".encode())

    def expect(self, on_answer: OnMessage) -> str:
        """A fresh reply subject; its answers go to `on_answer` until it is forgotten."""
        return self._replies.expect(on_answer)

    def expect_nothing(self) -> str:
        """A reply subject whose answers are dropped: for requests that the server only takes with one."""
        return f"{self._replies.inbox}.0"

    def forget(self, reply: str) -> None:
        """No answer to this reply subject is wanted any more."""
        self._replies.forget(reply)

    async def ask(self, subject: str, body: bytes = b"", headers: bytes = b"", timeout_s: float = 5) -> Reply:
        """One request, one answer.

        Raises: `NoResponders`, `Unavailable` (no connection, no answer in time), `PermissionDenied`.
        """
        deadline = asyncio.get_running_loop().time() + timeout_s
        while True:
            if not self.online:
                await self.wait_online(max(0, deadline - asyncio.get_running_loop().time()))
            with contextlib.suppress(NotSent):
                return await self._replies.ask(subject, body, headers, timeout_s)

    # What nats-py reports

    @override
    async def _process_err(self, err_msg: str) -> None:
        denied = _DENIED.search(err_msg)
        if denied is None:
            await self._process_op_err(errors.Error(f"nats: {err_msg}"))
            return
        action = "publish to" if denied[1].lower() == "publish" else "subscribe to"
        error = PermissionDenied(denied[2], action)
        if action == "subscribe to":
            for subscription in self._subs.values():
                if isinstance(subscription, RawSubscription) and subscription.subject == error.subject:
                    subscription.is_denied = True
        else:
            self._replies.deny(error.subject)
        for on_denied in list(self.on_denied):
            on_denied(error)

    @override
    async def _process_pong(self) -> None:
        if self._pongs and self._pongs[0].done():
            # Its waiter gave up. nats-py would set a result on it all the same, and end its reading by the error.
            self._pongs[0] = asyncio.get_running_loop().create_future()
        await super()._process_pong()

    @override
    async def _send_ping(self, future: asyncio.Future[bool] | None = None) -> None:
        self._pongs.append(future or asyncio.get_running_loop().create_future())
        if not self.write(b"PING\r\n"):
            self._fail_pings()

    def _fail_pings(self) -> None:
        """No pong will come: nats-py forgets those who wait for one, so that each would wait its full time."""
        pongs, self._pongs = self._pongs, []
        for pong in pongs:
            if not pong.done():
                pong.set_exception(errors.Error("the connection was lost"))
                pong.exception()  # seen: most pings have nobody who waits

    async def _on_error(self, error: Exception) -> None:
        if _is_refusal(error) and self.reported is not None and not _is_refusal(self.reported):
            _log.warning("connection %r is refused at %s: %s", self.name, self._where(), _text(error))
        self.reported = error
        _log.debug("connection %r: %s", self.name, error)

    async def _on_disconnect(self) -> None:
        if self.is_closed:
            self._back.set()  # whoever waits for the connection learns that it will not come
        elif self._was_up:
            self._back.clear()
            _log.warning("connection %r to %s is lost, trying again", self.name, self._where())
        else:
            return
        self._was_up = False
        self._soon.clear()
        self._fail_pings()
        self._replies.lose()
        for on_lost in list(self.on_lost):
            on_lost()

    async def _on_reconnect(self) -> None:
        self._was_up = True
        self._back.set()
        _log.info("connection %r is back at %s", self.name, self._where())
        for on_back in list(self.on_back):
            on_back()

    def _next_server(self, servers: Sequence[Server], info: dict[str, Any]) -> tuple[Server, float]:
        """The server with the fewest failed tries, after a wait with jitter so that clients don't return in step."""
        server = min(servers, key=lambda server: (server.reconnects, random.random()))  # noqa: S311
        longest = MAX_RECONNECT_WAIT_S if server.reconnects else MAX_RECONNECT_WAIT_S / 5
        return server, random.uniform(0, longest)  # noqa: S311

    @override
    async def _connect_to_server(self, s: Srv) -> None:
        if self._transport:
            # A try that failed behind the connect, as with a server that hangs, left it open.
            self._transport.close()  # type: ignore[no-untyped-call]
        else:
            self._transport = _Transport(self._parser.feed)
        self._parser.reset()
        await super()._connect_to_server(s)

    def _where(self) -> str:
        return ", ".join(_shown(url) for url in self.address.urls)

    async def aclose(self) -> None:
        """Closes the connection; what still waits fails with `Unavailable`."""
        await self.close()


def _shown(url: str) -> str:
    """The address without the password."""
    return re.sub(r"//[^@/]*@", "//", url)


def _text(error: Exception) -> str:
    return str(error).removeprefix("nats: ").strip("'") or type(error).__name__


def _is_refusal(error: Exception) -> bool:
    return isinstance(error, errors.Error) and "authorization" in str(error).lower()
