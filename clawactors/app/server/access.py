"""How others reach the server of a data folder: addresses, credentials of its own processes, passwords."""

from collections.abc import Callable

from clawactors.app.identity.authority import Authority, Login
from clawactors.app.identity.joinline import JOIN_USER
from clawactors.app.identity.logins import Logins, Verdict
from clawactors.app.identity.roles import Role
from clawactors.app.server.identity import HOST, ServerIdentity, User
from clawactors.app.server.passwords import judge
from clawactors.eventlog.jetstream import Address

__all__ = ["ServerAccess"]


class ServerAccess:
    """The ways in to one server, which this process opens and closes."""

    def __init__(self, identity: ServerIdentity) -> None:
        self.identity, self.authority = identity, Authority(identity.keys)
        self.invitations: Callable[[Login], Verdict] | None = None
        """Who judges invitations, None while nobody does."""
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
        return Address((self._place,), credentials=self.authority.credentials(role, name))

    @property
    def sys_address(self) -> Address:
        """Where a process of this cluster connects to the system account, with new credentials."""
        return Address((self._place,), credentials=self.authority.system_credentials())

    async def open(self) -> None:
        """Makes the server ask here about passwords, from now on at a new connection.

        Raises: `Unavailable`, `Misconfigured`.
        """
        before, self._logins = self._logins, Logins(self._place, self.authority, self._judge)
        if before:
            before.close()
        await self._logins.open()

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
        return (self._place,)

    @property
    def _place(self) -> str:
        return f"nats://{HOST}:{self.identity.port}"

    def _with(self, user: User) -> str:
        scheme, _, place = self._place.partition("://")
        return f"{scheme}://{user.name}:{user.password}@{place}"
