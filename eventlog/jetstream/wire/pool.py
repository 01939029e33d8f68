"""Which server is next, by which name its certificate is checked, and when a client moves to another.

1. The cluster names addresses; a certificate must be for the address, or for a name that we were given.
2. Where TLS is demanded, nothing is sent to a server that offers none.
3. A server that goes lame is left at once, if another is known.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any, Final, cast, override

from nats import errors
from nats.aio.client import Client, Server, Srv

from clawactors.eventlog.jetstream.wire.refusals import NoTls, NotNats, Silent
from clawactors.eventlog.jetstream.wire.transport import ParsingTransport

__all__ = ["PoolClient"]

MAX_RECONNECT_WAIT_S: Final = 0.25
REFUSAL_S: Final = 0.001
REFUSALS_SOON: Final = 3
REFUSED_WAIT_S: Final = 5.0


class PoolClient(Client):
    """nats-py's client with a pool of servers that keeps their names; `is_refused` tells that haste does not help."""

    def __init__(self, is_refused: Callable[[], bool]) -> None:
        super().__init__()
        self._is_refused = is_refused
        self._names: list[str] = []

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
        others = [each for each in self._server_pool if each is not self._current_server]
        if info.get("ldm") and not initial_connection and others and self._current_server is not None:
            self._current_server.reconnects += 1  # the others come first
            await self._process_op_err(errors.Error("nats: the server shuts down and sent its clients to others"))
