"""Who signs for a cluster: the keys of its operator, its accounts and its roles, and what they sign.

Users of a role are signed by the role's own key, and their rights are in the account's claims: credentials that were
given out years ago have the rights of the release that runs now.
"""

import hmac
import ipaddress
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from clawactors.app.identity.roles import Rights, Role, rights_of
from clawactors.app.identity.tokens import (
    Key,
    KeyKind,
    account_claims,
    claims_in,
    credentials,
    sign,
    user_claims,
)

__all__ = ["ACCOUNT", "Authority", "AuthorityKeys", "Login"]

ACCOUNT: Final = "CLAW"
_NAMED: Final = "{{name()}}"
"""What the server replaces in the rights of a role by the name of the user."""
_ALL: Final = Rights((">",), (">",))


class AuthorityKeys(msgspec.Struct, frozen=True):
    """The seeds of all keys that sign; their holder is the cluster."""

    operator: str
    account: str
    system: str
    logins: str
    roles: dict[str, str]

    @classmethod
    def new(cls) -> "AuthorityKeys":
        """The keys of a new cluster."""
        return cls(
            operator=Key.new(KeyKind.OPERATOR).seed,
            account=_new_seed(),
            system=_new_seed(),
            logins=_new_seed(),
            roles={role.value: _new_seed() for role in Role},
        )


def _new_seed() -> str:
    return Key.new(KeyKind.ACCOUNT).seed


def _scope(role: Role) -> Rights:
    # Triggers publish to subjects of other programs, which no list of ours can name.
    return rights_of(Role.ADMIN if role is Role.CONTROL else role, _NAMED)


class Login(msgspec.Struct, frozen=True):
    """Someone who connects with a user and a password: from where, and whether it is another server's link."""

    user: str
    password: str
    host: str
    is_link: bool = False

    @property
    def is_local(self) -> bool:
        """True for one on this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def knows(self, password: str) -> bool:
        """True for the right password; how long it takes tells nothing of it."""
        return hmac.compare_digest(self.password.encode(), password.encode())


class Authority:
    """Signs accounts and users with the keys of one cluster."""

    def __init__(self, keys: AuthorityKeys) -> None:
        self._operator, self._account = Key(keys.operator), Key(keys.account)
        self._system, self._logins = Key(keys.system), Key(keys.logins)
        self._roles = {Role(name): Key(seed) for name, seed in keys.roles.items()}
        self._decider = Key.new(KeyKind.USER)

    @property
    def account(self) -> str:
        """The public key of the cluster's account, under which the server files its streams."""
        return self._account.public

    @property
    def system(self) -> str:
        """The public key of the system account."""
        return self._system.public

    def operator_claims(self) -> str:
        """What the server trusts."""
        claims = {"type": "operator", "version": 2, "system_account": self.system}
        return self._sign(self._operator, self._operator.public, "claw", claims)

    def accounts(self, revoked: Mapping[str, int]) -> dict[str, str]:
        """The accounts, public key -> claims."""
        deciding = ([self._decider.public], [self.account, self.system])
        return {
            self.account: self.account_claims(revoked),
            self.system: self._sign(self._operator, self.system, "SYS", account_claims()),
            self._logins.public: self._sign(
                self._operator, self._logins.public, "LOGINS", account_claims(logins=deciding)
            ),
        }

    def account_claims(self, revoked: Mapping[str, int]) -> str:
        """The cluster's account, with the rights of all roles and the users whose keys are revoked."""
        scopes = {role.value: (key.public, _scope(role)) for role, key in self._roles.items()}
        return self._sign(
            self._operator, self.account, ACCOUNT, account_claims(storage={}, scopes=scopes, revoked=revoked)
        )

    def sign_account(self, account: str, name: str, claims: Mapping[str, Any]) -> str:
        """Lets the server have another account, with this public key."""
        return self._sign(self._operator, account, name, claims)

    def sign_removal(self, account: str) -> str:
        """What makes the server forget an account."""
        claims = {"type": "generic", "version": 2, "accounts": [account]}
        return self._sign(self._operator, self._operator.public, "removal", claims)

    def admit(self, role: Role, name: str, public_key: str) -> str:
        """Signs the public key of a user of the cluster's account."""
        return self._sign(self._roles[role], public_key, name, user_claims(None, account=self.account))

    def credentials(self, role: Role, name: str) -> str:
        """New credentials of a process of this cluster."""
        key = Key.new(KeyKind.USER)
        return credentials(self.admit(role, name, key.public), key)

    def system_credentials(self) -> str:
        """New credentials of the system account: for advisories, and to tell the server of accounts."""
        key = Key.new(KeyKind.USER)
        return credentials(self._sign(self._system, key.public, "sys", user_claims(_ALL)), key)

    def deciding_credentials(self) -> str:
        """The credentials of the one whom the server asks about passwords."""
        claims = user_claims(_ALL)
        return credentials(self._sign(self._logins, self._decider.public, "logins", claims), self._decider)

    def sentinel(self) -> str:
        """The claims that the server takes for a client that brings none: they let it in nowhere but to `answer`."""
        return self._sign(self._logins, Key.new(KeyKind.USER).public, "nobody", user_claims(_ALL, bearer=True))

    def question(self, request: bytes) -> tuple[Login, Callable[[Role | None, str, str], bytes]]:
        """Reads the server's question about a login, and returns what makes the answer to it.

        That takes the role (None for the system account, with its only user) and the name of the user, or the reason
        why nobody is let in. Raises: `ValueError` for what is no such question.
        """
        asked = claims_in(request)["nats"]
        given, client = asked["connect_opts"], asked["client_info"]
        login = Login(
            str(given.get("user", "")),
            str(given.get("pass", "")),
            str(client.get("host", "")),
            client.get("kind") == "Leafnode",
        )
        user, server = str(asked["user_nkey"]), str(asked["server_id"]["id"])

        def answer(role: Role | None, name: str, reason: str) -> bytes:
            claims: dict[str, Any] = {"type": "authorization_response", "version": 2}
            if reason:
                claims["error"] = reason
            elif role is None:
                claims["jwt"] = self._sign(self._system, user, name, user_claims(_ALL))
            else:
                claims["jwt"] = self._sign(self._account, user, name, user_claims(rights_of(role, name)))
            return self._sign(self._logins, user, "", claims, audience=server).encode()

        return login, answer

    def _sign(self, issuer: Key, subject: str, name: str, claims: Mapping[str, Any], audience: str = "") -> str:
        return sign(issuer, subject, name, claims, at_s=int(time.time()), audience=audience)
