"""The server's advisories that a client has disconnected; only a user of the system account gets them."""

import logging
from collections.abc import Callable
from types import TracebackType
from typing import Self

import msgspec

from clawactors.eventlog.jetstream.wire.connection import Connection
from clawactors.eventlog.jetstream.wire.contexts import Address

__all__ = ["Disconnects"]

_log = logging.getLogger(__name__)


class _AdvisedClient(msgspec.Struct):
    name: str = ""


class _Disconnect(msgspec.Struct):
    client: _AdvisedClient
    reason: str = ""


class Disconnects:
    """Reports the names of connections that end. It is a hint: the client may be back already."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @classmethod
    async def open(
        cls, address: Address | str, on_disconnect: Callable[[str], None], name: str = "claw-advisories"
    ) -> Self:
        """Subscribes as a user of the system account. Raises: `Unavailable`, `Misconfigured`, `PermissionDenied`."""
        connection = await Connection.open(address, name)
        decoder = msgspec.json.Decoder(_Disconnect)

        def on_message(subject: bytes, reply: bytes, headers: bytes, body: bytes) -> None:
            said = decoder.decode(body)
            if said.reason.startswith("Slow Consumer"):  # the client itself is not told why
                _log.warning("the server cut %r, which reads too slowly: %s", said.client.name, said.reason)
            if said.client.name:
                on_disconnect(said.client.name)

        try:
            await connection.confirm(connection.listen("$SYS.ACCOUNT.*.DISCONNECT", on_message))
        except BaseException:
            await connection.aclose()
            raise
        return cls(connection)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Ends it."""
        await self.connection.aclose()
