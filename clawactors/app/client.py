"""The client that users import: finds its server by itself.

It needs the right to ask on `claw.do` and `claw.query` and to hear answers, and no right on the streams.
"""

import getpass
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Self

from clawactors.app.discovery import Found, discover
from clawactors.eventlog import Misconfigured, NoResponders, NoSuchLog, PermissionDenied, Unavailable
from clawactors.eventlog.jetstream import (
    Connection,
    JetStreamRequests,
    why_too_old,
)
from clawactors.kernel.principals import principal_of
from clawactors.runtime import client
from clawactors.runtime.client.sender import DEADLINE_S
from clawactors.runtime.clock import SystemClock
from clawactors.runtime.context import ProcessContext
from clawactors.runtime.questions import read_log_end

__all__ = ["Client"]


class Client(client.ClusterClient):
    """`async with Client.connect() as claw:`; everything else is in `clawactors.runtime.client`.

    `found` says which server it talks to, and why that one.
    """

    def __init__(self, connection: Connection, name: str, found: Found, timeout_s: float, user: str = "") -> None:
        super().__init__(ProcessContext(SystemClock(), name), JetStreamRequests(connection), timeout_s, user)
        self.connection = connection
        connection.on_back.append(self.ends.register_all)
        self.found = found
        self.unanswered = False
        """No control process answered at first; calls wait for one."""

    @classmethod
    def connect(
        cls, url: str | None = None, data: str | None = None, *, context: str | None = None, user: str = ""
    ) -> AbstractAsyncContextManager[Self]:
        """A client of the cluster that `claw` finds with `--nats`, `--data` and `--context`.

        `user` is who it acts for: in the history, where the default is the one who runs this process; as the user of
        tasks; and in memory, where a client without a user is the cluster's own account.
        Raises: `Unavailable` (no cluster, no server), `Misconfigured` (password, version, context).
        """
        return cls._open(lambda: discover(url, data, context), user, DEADLINE_S)

    @classmethod
    def of(cls, found: Found, *, user: str = "", timeout_s: float = DEADLINE_S) -> AbstractAsyncContextManager[Self]:
        """A client of a server that was found. `timeout_s` is how long a call waits while no control process answers.

        Raises: as `connect`; `NoSuchLog` where the server has no cluster's streams.
        """
        return cls._open(lambda: found, user, timeout_s)

    @classmethod
    @asynccontextmanager
    async def _open(cls, find: Callable[[], Found], user: str, timeout_s: float) -> AsyncIterator[Self]:
        # One generator, not one around another: a loop that ends closes all that were left open at the same time.
        found = find()
        principal = principal_of(user or _login())
        name = f"client/{principal}"
        connection = await Connection.open(found.address, name, inbox=f"_INBOX.{principal}")
        try:
            client = cls(connection, name, found, timeout_s, user)
            await client._find_cluster()
            try:
                yield client
            finally:
                client.close()
        finally:
            await connection.aclose()

    async def _find_cluster(self) -> None:
        """Where no control process answers, the server says whether there is a cluster, if it lets this client ask.

        Raises: `NoSuchLog`, `Misconfigured`, `Unavailable`.
        """
        if too_old := why_too_old(self.connection):
            raise Misconfigured(too_old)
        try:
            self.process.time.observe((await read_log_end(self.questions, absent_s=0)).at_ns)
        except NoResponders:
            self.unanswered = True
            from clawactors.eventlog.jetstream import JetStreamLog

            try:
                await JetStreamLog.over(self.connection)
            except NoSuchLog:
                raise NoSuchLog(
                    f"no cluster's streams are at {self.found.shown} ({self.found.why}): start a cluster there with "
                    "`claw up --nats URL`, or name another server"
                ) from None
            except PermissionDenied:
                pass  # what is asked next waits for a control process
        except Unavailable:
            pass  # somebody took the question, so there is a cluster


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as in containers
        return "unknown"
