"""How a machine takes up an invitation, and draws a new key: its secret key never leaves it."""

from pathlib import Path
from typing import Final

import msgspec

from clawactors.app.identity.joinline import JOIN_USER, JoinLine
from clawactors.app.identity.membership import JOIN, Admission, JoinAsk, JoinedCluster, save_membership
from clawactors.app.identity.tokens import Key, KeyKind, credentials
from clawactors.app.tls.code import pem_of_code
from clawactors.eventlog import Misconfigured, NoResponders, Unavailable
from clawactors.eventlog.jetstream import Address, Connection, JetStreamRequests
from clawactors.kernel.digests import digest_of
from clawactors.kernel.errors import Refused

__all__ = ["join", "renew"]

_ASK_S: Final = 10.0
_TRIES: Final = 3


async def join(line: JoinLine, host: str, data: Path) -> JoinedCluster:
    """Takes up the invitation for this machine, which others see as `host`; keeps the membership in its data folder.

    Raises: `Refused` (used, expired, revoked), `Misconfigured`, `Unavailable`.
    """
    authority = pem_of_code(line.authority) if line.authority else ""
    invited = Address(
        line.urls,
        user=JOIN_USER,
        password=line.password,
        ca_pem=authority,
        inbox_prefix=f"_INBOX.join.{line.name}",
    )
    key = Key.new(KeyKind.USER)
    try:
        admission = await _ask(invited, JOIN_USER, JoinAsk(key.public, host, line.name, line.secret))
    except Misconfigured as error:
        if "uthorization" not in str(error):
            raise
        raise Refused(f"the invitation {line.name!r} was used, has expired or was revoked: ask for a new one") from None
    membership = JoinedCluster(
        name=admission.name,
        role=admission.role,
        urls=admission.urls or line.urls,
        invitation=line.name,
        line=digest_of(line.secret),
        skills=admission.skills,
        has_authority=bool(line.authority),
    )
    save_membership(data, membership, credentials(admission.claims, key), authority)
    return membership


async def renew(membership: JoinedCluster, data: Path) -> None:
    """Draws a new key for the membership; the old one is refused from now on.

    Raises: `Refused` (revoked meanwhile), `Misconfigured`, `Unavailable`.
    """
    key = Key.new(KeyKind.USER)
    admission = await _ask(membership.address(data), membership.principal, JoinAsk(key.public))
    save_membership(data, membership, credentials(admission.claims, key))


async def _ask(address: Address, principal: str, ask: JoinAsk) -> Admission:
    """The answer; asked again where it was lost, with the same key, so that nothing is used up twice."""
    async with await Connection.open(address, f"join/{ask.name or principal}", connect_timeout_s=_ASK_S) as connection:
        requests = JetStreamRequests(connection)
        for left in reversed(range(_TRIES)):
            try:
                answer = await requests.request(f"{JOIN}.{principal}", msgspec.json.encode(ask), _ASK_S)
                break
            except NoResponders:
                raise Unavailable("the machine that has the cluster's authority is away: try again later") from None
            except Unavailable:
                if not left:
                    raise
    admission = msgspec.json.decode(answer, type=Admission)
    if admission.error:
        raise Refused(admission.error)
    return admission
