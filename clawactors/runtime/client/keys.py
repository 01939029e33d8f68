"""Keys of programs that ask over HTTP: add, list, get, revoke, and who holds one."""

import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from clawactors.kernel.digests import digest_of
from clawactors.kernel.errors import NotFound, Refused
from clawactors.kernel.fold import Snapshot
from clawactors.runtime.client.named import NamedChanges
from clawactors.runtime.client.rows import Page
from clawactors.runtime.times import Moment, moment_ns
from clawactors.systems.keys import ApiKey
from clawactors.systems.keys import external as x
from clawactors.systems.keys.events import KeyGrant
from clawactors.systems.keys.row import row
from clawactors.systems.tasks.submission import checked_id

if TYPE_CHECKING:
    from clawactors.runtime.client.client import ClusterClient

__all__ = ["AddedKey", "ApiKeys", "KeyRow", "name_in"]

_PREFIX: Final = "clawkey_"
_SECRET_BYTES: Final = 32
_LONGEST: Final = 300


class KeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A key, without its secret: nobody knows that but who was given it."""

    name: str
    status: str
    scopes: tuple[str, ...]
    user: str
    expires_at: str | None
    rate_per_s: float
    quota_per_day: int
    added_at: str | None
    added_by: str
    revoked_at: str | None
    version: int


class AddedKey(msgspec.Struct, frozen=True):
    """A new key and its `secret`, which is told once."""

    key: KeyRow
    secret: str


def _checked_name(name: str) -> str:
    return checked_id(name, "name of a key")


def _row_of(name: str, known: Snapshot[ApiKey]) -> KeyRow:
    return msgspec.convert(row(name, known.version, known.state), KeyRow)


def name_in(secret: str) -> str:
    """The name of the key that a secret says to be, '' for what is none."""
    name, dot, _ = secret.removeprefix(_PREFIX).rpartition(".")
    return name if dot and secret.startswith(_PREFIX) and len(secret) <= _LONGEST else ""


class ApiKeys(NamedChanges[ApiKey]):
    """The keys of a cluster, as its client sees them."""

    def __init__(self, client: "ClusterClient") -> None:
        super().__init__(client, "apikey", ApiKey, _checked_name, "key")

    async def add(
        self,
        name: str,
        scopes: Iterable[str] = ("read",),
        *,
        user: str = "",
        expires: Moment | None = None,
        rate_per_s: float = 0.0,
        quota_per_day: int = 0,
    ) -> AddedKey:
        """Adds a key; its secret is in the answer, and nowhere else.

        `scopes` are some of `read`, `tasks`, `memory`, `admin`; `user` is whom it acts for; `rate_per_s` and
        `quota_per_day` bound its requests, 0 for no bound. Raises: `Refused` (no such scope, name taken).
        """
        if isinstance(scopes, str):
            raise Refused(f"scopes is a list, not one text: write [{scopes!r}]")
        secret = f"{_PREFIX}{_checked_name(name)}.{secrets.token_urlsafe(_SECRET_BYTES)}"
        grant = KeyGrant(
            sha256=digest_of(secret),
            scopes=tuple(dict.fromkeys(scopes)),
            user=user,
            expires_ns=moment_ns(expires) or 0,
            rate_per_s=rate_per_s,
            quota_per_day=quota_per_day,
        )
        return AddedKey(_row_of(name, await self._ask(name, x.AddKeyRequest(grant=grant))), secret)

    async def revoke(self, name: str) -> KeyRow:
        """Revokes the key, at once; it stays on record. Raises: `NotFound`."""
        return _row_of(name, await self._change(name, x.RevokeKeyRequest()))

    async def list(self, *, fresh: bool = True) -> "list[KeyRow]":
        """All keys, by name. Raises: `Unavailable`."""
        return list(await self._client.views.answer(Page[KeyRow], "apikeys", fresh=fresh))

    async def get(self, name: str, *, fresh: bool = True) -> KeyRow:
        """One key. Raises: `NotFound`, `Unavailable`."""
        try:
            return await self._client.views.row(KeyRow, "apikey", id=name, fresh=fresh)
        except NotFound:
            raise NotFound(f"there is no key {name!r}") from None

    async def grant(self, secret: str) -> tuple[str, KeyGrant] | None:
        """The name and the grant of the key with this secret while it is valid, else None. Raises: `Unavailable`."""
        name = name_in(secret)
        if not name:
            return None
        try:
            known: Snapshot[Any] = await self._client.state("apikey", _checked_name(name), ApiKey)
        except Refused:
            return None
        grant = known.state.grant
        if grant is None or known.state.revoked_ns or not secrets.compare_digest(grant.sha256, digest_of(secret)):
            return None
        return name, grant
