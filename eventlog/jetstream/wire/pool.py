"""Which server is next, by which name its certificate is checked, and when a client moves to another.

1. The cluster names addresses; a certificate must be for the address, or for a name that we were given.
2. Where TLS is demanded, nothing is sent to a server that offers none.
3. A server that goes lame is left at once, if another is known; so is one of a cluster that sees no other any more,
   and one that has answered nothing for so long that any election would be over.
4. Where others are known, a server that hangs is noticed within three seconds, and they are tried first.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from typing import Any, Final, cast, override

from nats import errors
from nats.aio.client import Client, Server, Srv

from clawactors.eventlog.jetstream.wire.refusals import NoTls, NotNats, Silent
from clawactors.eventlog.jetstream.wire.transport import ParsingTransport

__all__ = ["PoolClient"]

_log = logging.getLogger(__name__)

MAX_RECONNECT_WAIT_S: Final = 0.25
REFUSAL_S: Final = 0.001
REFUSALS_SOON: Final = 3
REFUSED_WAIT_S: Final = 5.0
PING_S: Final = 5.0
PING_AMONG_MANY_S: Final = 1.0
UNANSWERED_S: Final = 10.0
"""Elections of servers end within 9 s; where nothing is answered for longer, it is the way there."""


class PoolClient(Client):
    """nats-py's client with a pool of servers that keeps their names; `is_refused` tells that haste does not help."""

    def __init__(self, is_refused: Callable[[], bool]) -> None:
        super().__init__()
        self._is_refused = is_refused
        self._names: list[str] = []
        self._others_seen = 0
        self._unanswered_since_s: float | None = None

    def know(self, urls: Sequence[str]) -> None:
        """Adds these servers to the one that was dialled and those that the cluster has named."""
        for server in map(Srv, map(self._parse_server_uri, urls)):
            place = server.uri.hostname, server.uri.port
            self._names = list(dict.fromkeys((*self._names, str(server.uri.hostname))))
            self._server_pool = [
                each
                for each in self._server_pool
                if each is self._current_server or (each.uri.hostname, each.uri.port) != place
            ]
            if all((each.uri.hostname, each.uri.port) != place for each in self._server_pool):
                self._server_pool.append(server)
        self.options["ping_interval"] = PING_AMONG_MANY_S if self._knows_others else PING_S

    def tls_name(self, server: Srv) -> str | None:
        """The name to check the certificate of this server against; None for the host of its address."""
        if not (server.discovered and self._names and self._host_is_ip(server.uri.hostname)):
            return None
        names = list(dict.fromkeys((*self._names, str(server.uri.hostname))))
        return names[server.reconnects % len(names)]

    def _next_server(self, servers: Sequence[Server], info: dict[str, Any]) -> tuple[Server, float]:
        """The server with the fewest failed tries, after a wait with jitter so that clients don't return in step."""
        server = min(servers, key=lambda server: (server.reconnects, random.random()))  # noqa: S311
        longest = MAX_RECONNECT_WAIT_S if server.reconnects else MAX_RECONNECT_WAIT_S / 5
        if server.reconnects > REFUSALS_SOON and self._is_refused():
            return server, random.uniform(REFUSED_WAIT_S / 2, REFUSED_WAIT_S)  # noqa: S311
        return server, random.uniform(0, longest)  # noqa: S311

    # When to leave a server

    def heard(self) -> None:
        """The server has answered a request."""
        self._unanswered_since_s = None

    def missed(self) -> None:
        """A request was not answered, or reached nobody."""
        now_s = asyncio.get_running_loop().time()
        since_s = self._unanswered_since_s = now_s if self._unanswered_since_s is None else self._unanswered_since_s
        if now_s - since_s > UNANSWERED_S and self._knows_others:
            self._unanswered_since_s = None
            self._leaving = asyncio.ensure_future(self._leave(f"nothing was answered for {UNANSWERED_S:g} s"))

    @property
    def _knows_others(self) -> bool:
        return len(self._server_pool) > 1

    async def _leave(self, reason: str) -> None:
        if self.is_connected:
            _log.warning(
                "the connection leaves %s for another server: %s", self._server_info.get("server_name"), reason
            )
            await self._process_op_err(errors.Error(f"nats: {reason}"))

    @override
    async def _process_op_err(self, e: Exception) -> None:
        if self.is_connected and self._current_server is not None and self._knows_others:
            self._current_server.reconnects += 1  # the others come first
        await super()._process_op_err(e)

    @override
    async def _process_connect_init(self) -> None:
        transport = cast("ParsingTransport", self._transport)
        try:
            await super()._process_connect_init()
        except (OSError, ValueError, RuntimeError) as error:
            # Who is not let in may meet the end of the connection before the reason.
            if transport.refusal:
                raise errors.Error(f"nats: {transport.refusal}") from None
            if isinstance(error, TimeoutError):
                raise Silent(self.options["connect_timeout"]) from None
            if isinstance(error, OSError):
                raise
            raise NotNats from error  # nats-py would give the connection up, without a word

    @override
    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        if initial_connection:
            await asyncio.sleep(REFUSAL_S)  # it comes right behind, and is lost if we write to the end of a connection
        if initial_connection and "tls" in self.options and not self.options["tls_handshake_first"]:
            if not (info.get("tls_required") or info.get("tls_available")):
                raise NoTls
            info["tls_required"] = True  # nats-py would speak plainly where the server leaves the choice
        await super()._process_info(info, initial_connection)
        self.options["ping_interval"] = PING_AMONG_MANY_S if self._knows_others else PING_S
        seen, self._others_seen = self._others_seen, len(info.get("connect_urls") or ()) - 1
        if initial_connection or not self._knows_others:
            return
        if info.get("ldm"):
            await self._leave("it shuts down, and sends its clients to others")
        elif seen > self._others_seen == 0:
            await self._leave("it sees no other server of its cluster")
