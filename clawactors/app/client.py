"""The client that users import: finds its server by itself."""

import getpass
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Self, override

from clawactors.app.discovery import Found, discover
from clawactors.eventlog import NoSuchLog
from clawactors.eventlog.jetstream import (
    Connection,
    JetStreamLog,
    JetStreamOutputs,
    JetStreamRequests,
)
from clawactors.runtime import client
from clawactors.runtime.asking import LEADER_KEY
from clawactors.runtime.clock import SystemClock
from clawactors.runtime.context import ActorContext

__all__ = ["Client"]

_NOT_NAME: Final = re.compile(r"[^A-Za-z0-9_-]+")


class Client(client.ClusterClient):
    """`async with Client.connect() as claw:`; everything else is in `clawactors.runtime.client`.

    `found` says which server it talks to, and why that one.
    """

    def __init__(self, log: JetStreamLog, name: str, found: Found, give_up_s: float) -> None:
        connection = log.connection
        super().__init__(
            ActorContext(log, SystemClock(), name),
            JetStreamRequests(connection),
            JetStreamOutputs(connection),
            give_up_s,
        )
        self.connection: Connection = connection
        connection.on_back.append(self.ends.register_all)
        self.found = found

    @override
    async def leader(self) -> str | None:
        """The control process that leads, None where none does."""
        from clawactors.eventlog.jetstream import JetStreamLeases

        value = await JetStreamLeases(self.connection).get(LEADER_KEY)
        return None if value is None else value.decode(errors="replace")

    @classmethod
    @asynccontextmanager
    async def connect(
        cls, url: str | None = None, data: str | None = None, *, context: str | None = None, user: str = ""
    ) -> AsyncIterator[Self]:
        """A client of the cluster that `claw` finds with `--nats`, `--data` and `--context`.

        `user` is who it acts for in the history, by default the one who runs this process.
        Raises: `Unavailable` (no cluster, no server), `Misconfigured` (password, version, context).
        """
        async with cls.at(discover(url, data, context), user=user) as connected:
            yield connected

    @classmethod
    @asynccontextmanager
    async def at(cls, found: Found, *, user: str = "", give_up_s: float = 30.0) -> AsyncIterator[Self]:
        """A client of a server that was found. `give_up_s` is how long a command is asked again.

        Raises: as `connect`; `NoSuchLog` where the server has no cluster's streams.
        """
        principal = _NOT_NAME.sub("-", user or _login())[:64]
        name = f"client/{principal}"
        try:
            opened = await JetStreamLog.connect(
                found.address,
                name,
                create=False,
                give_up_s=give_up_s,
                inbox=f"_INBOX.{principal}",
            )
        except NoSuchLog:
            raise NoSuchLog(
                f"no cluster's streams are at {found.shown} ({found.why}): start a cluster there with "
                "`claw up --nats URL`, or name another server"
            ) from None
        async with opened as log:
            client = cls(log, name, found, give_up_s)
            try:
                yield client
            finally:
                client.ends.close()


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as in containers
        return "unknown"
