"""How others reach the server of a data folder: addresses, credentials of its own processes, passwords."""

from collections.abc import Callable, Mapping

import msgspec

from clawactors.app.identity.authority import Authority, Login
from clawactors.app.identity.joinline import JOIN_USER
from clawactors.app.identity.logins import Logins, Verdict
from clawactors.app.identity.roles import Role
from clawactors.app.listening import Listening
from clawactors.app.server.identity import HOST, ServerIdentity, User
from clawactors.app.server.passwords import judge
from clawactors.eventlog import EventLogError, Unavailable
from clawactors.eventlog.jetstream import Address, Connection

__all__ = ["ServerAccess", "send_claims"]


class _ClaimsAnswer(msgspec.Struct):
    error: dict[str, object] | None = None


async def send_claims(system: Address, claims: str, *, subject: str = "$SYS.REQ.CLAIMS.UPDATE") -> None:
    """Tells the server about an account; `$SYS.REQ.CLAIMS.DELETE` is the subject of one to forget.

    Raises: `Unavailable`.
    """
    async with await Connection.open(system, "claw-access") as connection:
        _, body = await connection.ask(subject, claims.encode())
    if error := msgspec.json.decode(body, type=_ClaimsAnswer).error:
        raise Unavailable(f"the server does not take the account: {error.get('description', error)}")


class ServerAccess:
    """The ways in to one server, which this process opens and closes.

    `listening` is where other machines reach it, with certificates that `ca_pem` has signed; else only this one does.
    """

    def __init__(self, identity: ServerIdentity, listening: Listening | None = None, ca_pem: str = "") -> None:
        self.identity, self.authority = identity, Authority(identity.keys)
        self.listening, self._ca_pem = listening, ca_pem
        self.invitations: Callable[[Login], Verdict] | None = None
        """Who judges invitations, None while nobody does."""
        self.revoked: dict[str, int] = {}
        """The users' keys that the server refuses, with the time (s since 1970) of the refusal."""
        self._logins: Logins | None = None

    @property
    def url(self) -> str:
        """Where any NATS client of this machine connects, with user and password."""
        return self._with(self.identity.claw)

    @property
    def sys_url(self) -> str:
        """Where any NATS client of this machine connects to the system account, with user and password."""
        return self._with(self.identity.sys)

    def address(self, role: Role = Role.ADMIN, name: str = "claw") -> Address:
        """Where a process of this cluster connects, with new credentials of its role."""
        return self._with_credentials(self.authority.credentials(role, name))

    @property
    def sys_address(self) -> Address:
        """Where a process of this cluster connects to the system account, with new credentials."""
        return self._with_credentials(self.authority.system_credentials())

    async def open(self) -> str:
        """Makes the server ask here about passwords, from now on at a new connection; '', else why it does not."""
        deciding = self._with_credentials(self.authority.deciding_credentials())
        before, self._logins = self._logins, Logins(deciding, self.authority, self._judge)
        if before:
            before.close()
        try:
            await self._logins.open()
        except EventLogError as error:
            return str(error)
        return ""

    async def refuse(self, keys: Mapping[str, int]) -> None:
        """Has the server refuse these users' keys from now on, and end their connections. Raises: `Unavailable`."""
        await send_claims(self.sys_address, self.authority.account_claims(keys))
        self.revoked = dict(keys)

    def close(self) -> None:
        """From now on nobody gets in with a password; again is harmless."""
        if self._logins:
            self._logins.close()

    def _judge(self, login: Login) -> Verdict:
        if login.user != JOIN_USER:
            return judge(login, self.identity)
        if self.invitations is None:
            return None, "", "nobody can join yet: try again in a moment"
        return self.invitations(login)

    @property
    def urls(self) -> tuple[str, ...]:
        """Where those connect who join."""
        return self.listening.urls(self.identity.port) if self.listening else (self._place,)

    @property
    def host(self) -> str:
        """Where this machine reaches it."""
        return self.listening.own if self.listening else HOST

    @property
    def _place(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'tls' if self.listening else 'nats'}://{host}:{self.identity.port}"

    def _with_credentials(self, credentials: str) -> Address:
        return Address((self._place,), credentials=credentials, ca_pem=self._ca_pem)

    def _with(self, user: User) -> str:
        scheme, _, place = self._place.partition("://")
        return f"{scheme}://{user.name}:{user.password}@{place}"
