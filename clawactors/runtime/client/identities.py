"""Who may connect: invite, join, renew, revoke, and who is there."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from clawactors.eventlog import NoResponders
from clawactors.kernel.digests import digest_of
from clawactors.kernel.errors import NotFound, Refused
from clawactors.kernel.fold import Snapshot
from clawactors.runtime.client.named import NamedChanges
from clawactors.runtime.client.rows import Page
from clawactors.runtime.times import Moment, moment_ns
from clawactors.systems.identities import Identity
from clawactors.systems.identities import external as x
from clawactors.systems.identities.events import Invitation
from clawactors.systems.identities.row import row
from clawactors.systems.tasks.submission import checked_id

if TYPE_CHECKING:
    from clawactors.runtime.client.client import ClusterClient

__all__ = ["IN_EFFECT", "Identities", "IdentityRow"]

IN_EFFECT = "claw.identities.in_effect"
"""Where the authority answers once the server refuses whatever was revoked up to a version of the log."""
_EFFECT_S = 10.0


class IdentityRow(msgspec.Struct, frozen=True, kw_only=True):
    """A machine or a person who may connect, or was invited to."""

    name: str
    role: str
    status: str
    host: str
    public_key: str
    skills: tuple[str, ...]
    uses: int
    used: int
    members: tuple[str, ...]
    invitation: str
    invited_at: str | None
    invited_by: str
    expires_at: str | None
    joined_at: str | None
    revoked_at: str | None
    revoked_by: str
    reason: str
    version: int


def _checked_name(name: str) -> str:
    return checked_id(name, "name")


def _row_of(name: str, known: Snapshot[Identity]) -> IdentityRow:
    return msgspec.convert(row(name, known.version, known.state), IdentityRow)


class Identities(NamedChanges[Identity]):
    """The machines and people of a cluster, as its client sees them."""

    def __init__(self, client: "ClusterClient") -> None:
        super().__init__(client, "identity", Identity, _checked_name, "machine or person")

    async def invite(
        self,
        role: str,
        name: str,
        *,
        secret: str,
        expires: Moment,
        uses: int = 1,
        skills: Iterable[str] = (),
    ) -> IdentityRow:
        """Lets those who know the secret join as `node`, `client` or `observer`; the line to paste is `claw invite`'s.

        With more than one use those who join are called `<name>-1`, `<name>-2` … Raises: `Refused`.
        """
        checked_id(f"{name}-{uses}", "name of who joins")
        invitation = Invitation(
            role=role, sha256=digest_of(secret), expires_ns=moment_ns(expires) or 0, uses=uses, skills=tuple(skills)
        )
        return _row_of(name, await self._ask(name, x.InviteRequest(invitation=invitation)))

    async def join(self, name: str, *, secret: str, public_key: str, host: str = "") -> IdentityRow:
        """Admits the holder of the key by the invitation of this name; the row of the one that joined.

        Raises: `NotFound` (not invited), `Refused` (wrong secret, expired, used, revoked).
        """
        asked = x.JoinRequest(sha256=digest_of(secret), public_key=public_key, host=host)
        admitted = await self._ask(_checked_name(name), asked)
        member = admitted.state.members.get(public_key)
        if member is None:
            return _row_of(name, admitted)
        known: Snapshot[Any] = await self._client.state("identity", member, Identity)
        return _row_of(member, known)

    async def renew(self, name: str, public_key: str) -> IdentityRow:
        """Lets another key count in place of the one that it has. Raises: `NotFound`, `Refused`."""
        return _row_of(name, await self._change(name, x.RenewRequest(public_key=public_key)))

    async def revoke(self, name: str, reason: str = "") -> IdentityRow:
        """Ends what it may, and its connections; an invitation for several takes all with it that it has admitted.

        Returns once the server refuses it. Raises: `NotFound`; `Refused` where the machine of the authority does
        not answer: the revocation is on record, and takes effect when that is up again.
        """
        revoked = await self._change(name, x.RevokeRequest(reason=reason))
        await self._await_effect(revoked.version)
        return _row_of(name, revoked)

    async def _await_effect(self, version: int) -> None:
        try:
            await self._client.requests.request(IN_EFFECT, msgspec.json.encode(version), _EFFECT_S)
        except NoResponders:
            raise Refused(
                "the revocation is on record, and takes effect once the machine that has the cluster's authority is up"
            ) from None

    async def list(self, *, role: str = "", status: str = "", fresh: bool = True) -> "list[IdentityRow]":
        """All who are invited or have joined, by name; or those who are `invited`, `expired`, `joined` or `revoked`.

        Raises: `InvalidQuery`, `Unavailable`.
        """
        asked = {"role": role, "status": status, "fresh": fresh}
        return list(await self._client.views.answer(Page[IdentityRow], "identities", **asked))

    async def get(self, name: str, *, fresh: bool = True) -> IdentityRow:
        """One of them, also who was revoked. Raises: `NotFound`, `Unavailable`."""
        try:
            return await self._client.views.row(IdentityRow, "identity", id=name, fresh=fresh)
        except NotFound:
            raise NotFound(f"there is no machine or person {name!r}") from None
