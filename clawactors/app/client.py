"""The client that users import: finds its server by itself.

It needs the right to ask on `claw.do` and `claw.query` and to hear answers, and no right on the streams.
"""

import getpass
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, Self

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
from clawactors.runtime.questions import follow_time

if TYPE_CHECKING:
    from clawactors.app.identity.membership import JoinedCluster
    from clawactors.eventlog.jetstream.log.peers import ServersReport

__all__ = ["Client", "Connecting"]


class Client(client.ClusterClient):
    """`async with Client.connect() as claw:`; everything else is in `clawactors.runtime.client`.

    `found` says which server it talks to, and why that one.
    """

    def __init__(self, connection: Connection, name: str, found: Found, timeout_s: float, user: str = "") -> None:
        super().__init__(ProcessContext(SystemClock(), name), JetStreamRequests(connection), timeout_s, user)
        self.connection = connection
        connection.on_back.append(self.ends.register_all)
        self.found = found
        self._life: AsyncGenerator[None] | None = None
        self.unanswered = False
        """No control process answered at first; calls wait for one."""

    @classmethod
    def connect(
        cls, url: str | None = None, data: str | None = None, *, context: str | None = None, user: str = ""
    ) -> "Connecting[Self]":
        """A client of the cluster that `claw` finds with `--nats`, `--data` and `--context`.

        `async with` it; or `await` it, and `aclose` the client when you are done.
        `user` is who it acts for: in the history, where the default is the one who runs this process; as the user of
        tasks; and in memory, where a client without a user is the cluster's own account.
        Raises: `Unavailable` (no cluster, no server), `Misconfigured` (password, version, context).
        """
        return Connecting(lambda: cls._open(discover(url, data, context), user, DEADLINE_S))

    @classmethod
    def of(
        cls, found: Found, *, user: str = "", principal: str = "", timeout_s: float = DEADLINE_S
    ) -> "Connecting[Self]":
        """A client of a server that was found. `timeout_s` is how long a call waits while no control process answers.

        Raises: as `connect`; `NoSuchLog` where the server has no cluster's streams.
        """
        return Connecting(lambda: cls._open(found, user, timeout_s, principal))

    @classmethod
    async def _open(cls, found: Found, user: str, timeout_s: float, principal: str = "") -> Self:
        if found.membership:  # the server lets it ask as nobody else
            principal, user = found.membership.principal, user or _user_of(found.membership)
        principal = principal or principal_of(user or _login())
        name = f"client/{principal}"
        connection = await Connection.open(found.address, name, inbox=f"_INBOX.{principal}")
        try:
            client = cls(connection, name, found, timeout_s, user)
            await client._find_cluster()
        except BaseException:
            await connection.aclose()
            raise
        client._life = _life_of(client)
        await anext(client._life)
        return client

    async def cluster(self) -> "ServersReport":
        """The servers: who leads which stream, who is behind or away, and which may be stopped now.

        Raises: `Unavailable`, `PermissionDenied` (it asks the streams: `$JS.API.STREAM.INFO.*`).
        """
        from clawactors.eventlog.jetstream.log.peers import ask_servers

        return await ask_servers(self.connection)

    async def aclose(self) -> None:
        """Fails what still waits, and all later calls, with `Closed`, and closes the connection. Order: idempotent."""
        life, self._life = self._life, None
        if life is not None:
            await life.aclose()

    async def _find_cluster(self) -> None:
        """Where no control process answers, the server says whether there is a cluster, if it lets this client ask.

        Raises: `NoSuchLog`, `Misconfigured`, `Unavailable`.
        """
        if too_old := why_too_old(self.connection):
            raise Misconfigured(too_old)
        try:
            await follow_time(self.questions, self.process.time, absent_s=0)
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


async def _life_of(client: Client) -> AsyncGenerator[None]:
    """A loop that ends closes its generators, and so the clients that were left open."""
    try:
        yield
    finally:
        client.close()
        await client.connection.aclose()


class Connecting[C: Client]:
    """A client that is about to be connected: `async with` it, or `await` it."""

    def __init__(self, open: Callable[[], Coroutine[Any, Any, C]]) -> None:
        self._open = open
        self._client: C | None = None

    def __await__(self) -> Generator[Any, Any, C]:
        return self._open().__await__()

    async def __aenter__(self) -> C:
        self._client = await self._open()
        return self._client

    async def __aexit__(self, *_: object) -> None:
        if self._client is not None:
            await self._client.aclose()

    if not TYPE_CHECKING:  # a type checker finds the mistake by itself

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(
                f"{name!r}: this client is not connected yet; write `async with Client.connect() as claw:`, or "
                "`claw = await Client.connect()` and `await claw.aclose()` at the end; code that is not async uses "
                "SyncClient"
            )


def _user_of(membership: "JoinedCluster") -> str:
    """Whose tasks and memories those of a joined machine are: a person's, and nobody's where it is a node."""
    return "" if membership.role == "node" else membership.name


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as in containers
        return "unknown"
