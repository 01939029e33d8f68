"""Keys and signed claims of NATS's decentralised authentication: who may connect is proved by signatures alone.

An operator signs accounts, an account and its signing keys sign users. A user's claims that a signing key with a scope
has signed carry no rights: they are those of the scope, in the account's claims.
"""

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Final, Self

import msgspec

from clawactors.app.identity.roles import Rights

__all__ = ["Key", "KeyKind", "account_claims", "claims_in", "credentials", "sign", "user_claims"]

_UNLIMITED: Final = {"subs": -1, "data": -1, "payload": -1}
_ACCOUNT: Final = _UNLIMITED | {"imports": -1, "exports": -1, "wildcards": True, "conn": -1, "leaf": -1}
_HEADER: Final = {"typ": "JWT", "alg": "ed25519-nkey"}


class KeyKind(Enum):
    """What a key may sign; the first letter of its public form tells."""

    OPERATOR = "O"
    ACCOUNT = "A"
    USER = "U"


class Key(msgspec.Struct, frozen=True):
    """A key pair; `seed` is its secret text, `SU…` for one of a user."""

    seed: str

    @classmethod
    def new(cls, kind: KeyKind) -> Self:
        """A key that nobody else has."""
        import nkeys

        prefix = {
            KeyKind.OPERATOR: nkeys.PREFIX_BYTE_OPERATOR,
            KeyKind.ACCOUNT: nkeys.PREFIX_BYTE_ACCOUNT,
            KeyKind.USER: nkeys.PREFIX_BYTE_USER,
        }[kind]
        return cls(nkeys.encode_seed(os.urandom(32), prefix).decode())

    @property
    def public(self) -> str:
        """What others know it by."""
        public: bytes = self._pair.public_key
        return public.decode()

    def sign(self, content: bytes) -> bytes:
        """The signature, 64 bytes."""
        signature: bytes = self._pair.sign(content)
        return signature

    @property
    def _pair(self) -> Any:
        import nkeys

        return nkeys.from_seed(self.seed.encode())


def user_claims(rights: Rights | None, *, bearer: bool = False, account: str = "") -> dict[str, Any]:
    """Claims of a user. Without rights they are those of the scope of the key of `account` that signs."""
    claims: dict[str, Any] = {"type": "user", "version": 2}
    if account:
        claims["issuer_account"] = account
    if rights is not None:
        claims |= _UNLIMITED | _permissions(rights)
    if bearer:
        claims["bearer_token"] = True
    return claims


def account_claims(
    *,
    storage: Mapping[str, int] | None = None,
    scopes: Mapping[str, tuple[str, Rights]] | None = None,
    revoked: Mapping[str, int] | None = None,
    connections: int = -1,
    logins: tuple[Sequence[str], Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Claims of an account.

    `storage` are limits of JetStream that differ from none, None for an account without JetStream. `scopes` are the
    rights of the users that a signing key signs: role -> (public key, rights). `revoked` are users' public keys with
    the time, in s since 1970, up to which what was issued is refused. `connections` is how many it may have, -1 for
    no bound. `logins` makes it the account that decides on passwords: (users who decide, accounts that they may admit
    to).
    """
    limits = _ACCOUNT | {"conn": connections}
    if storage is not None:
        none = dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer", "max_ack_pending"), -1)
        limits |= none | dict(storage)
    claims: dict[str, Any] = {
        "type": "account",
        "version": 2,
        "limits": limits,
        "default_permissions": {"pub": {}, "sub": {}},
    }
    if scopes:
        claims["signing_keys"] = [
            {"kind": "user_scope", "key": key, "role": role, "template": _UNLIMITED | _permissions(rights)}
            for role, (key, rights) in scopes.items()
        ]
    if revoked:
        claims["revocations"] = dict(revoked)
    if logins:
        claims["authorization"] = {"auth_users": list(logins[0]), "allowed_accounts": list(logins[1])}
    return claims


def sign(
    issuer: Key,
    subject: str,
    name: str,
    claims: Mapping[str, Any],
    *,
    at_s: int,
    expires_s: int = 0,
    audience: str = "",
) -> str:
    """The signed claims about the public key `subject`; `expires_s` is in s since 1970, 0 for never."""
    content: dict[str, Any] = {"iat": at_s, "iss": issuer.public, "name": name, "sub": subject, "nats": claims}
    if expires_s:
        content["exp"] = expires_s
    if audience:
        content["aud"] = audience
    digest = hashlib.new("sha512_256", msgspec.json.encode(content)).digest()
    content["jti"] = base64.b32encode(digest).decode().rstrip("=")
    text = f"{_encoded(msgspec.json.encode(_HEADER))}.{_encoded(msgspec.json.encode(content))}"
    return f"{text}.{_encoded(issuer.sign(text.encode()))}"


def claims_in(token: bytes) -> Any:
    """The content of signed claims, which anybody may have signed. Raises: `ValueError` for anything else."""
    parts = token.split(b".")
    if len(parts) != 3:
        raise ValueError("these are no signed claims")
    middle = parts[1]
    return msgspec.json.decode(base64.urlsafe_b64decode(middle + b"=" * (-len(middle) % 4)))


def credentials(token: str, key: Key) -> str:
    """The text of a credentials file, as every NATS client reads it."""
    return (
        f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{key.seed}\n------END USER NKEY SEED------\n"
    )


def _permissions(rights: Rights) -> dict[str, Any]:
    # Nothing allowed would mean that all is.
    return {
        "pub": {"allow": rights.publish, "deny": rights.deny_publish or (() if rights.publish else (">",))},
        "sub": {"allow": rights.subscribe, "deny": rights.deny_subscribe or (() if rights.subscribe else (">",))},
    }


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
