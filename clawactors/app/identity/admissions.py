"""Lets in who was invited, and keeps out whose keys are revoked; runs beside the server whose authority it has.

The record (kind `identity`) says who was invited, has joined, was revoked; here it is only carried out. What was on
record while this process was away is carried out when it is back, before it admits anybody.
"""

import asyncio
import logging
from typing import Final

import msgspec

from clawactors.app.client import Client
from clawactors.app.identity.authority import Login
from clawactors.app.identity.joinline import JOIN_USER
from clawactors.app.identity.logins import Verdict
from clawactors.app.identity.membership import JOIN, Admission, JoinAsk
from clawactors.app.identity.roles import Role, check_name
from clawactors.app.server.access import ServerAccess
from clawactors.eventlog import EventLogError, Follower, Record, Unavailable, parse_subject
from clawactors.eventlog.jetstream import JetStreamLog, JetStreamRequests, JetStreamServing
from clawactors.kernel.digests import digest_of
from clawactors.kernel.errors import Refused
from clawactors.kernel.fold import Snapshot, fold
from clawactors.kernel.principals import node_principal
from clawactors.runtime.client.identities import IN_EFFECT
from clawactors.systems.identities import IDENTITY, Identity, is_open, refused_keys
from clawactors.systems.identities.kind import IDENTITIES

__all__ = ["Admissions"]

_log = logging.getLogger(__name__)

_PATTERN: Final = f"claw.{IDENTITIES.name}.>"
_LONGEST_WAIT_S: Final = 5.0
_NEVER_AGAIN_S: Final = 2**53
"""A server refuses the claims of a key that were signed up to this time: later ones, made in a race, too."""
_NO_INVITATION: Final = "no such invitation, or it was revoked or has expired: ask for a new one"


class Admissions:
    """`open`, then `serve` until cancelled; `judge` says who may connect to the server with an invitation."""

    def __init__(self, client: Client, access: ServerAccess) -> None:
        self._client, self._access = client, access
        self._known: dict[str, Snapshot[Identity]] = {}
        self._told_seq = 0
        self._changed = asyncio.Event()
        self._follower: Follower | None = None
        self._serving: list[JetStreamServing] = []

    async def open(self) -> None:
        """Knows the record when it returns, has told the server whose keys are revoked, and answers.

        Raises: `Unavailable`, `PermissionDenied`.
        """
        log, last = await JetStreamLog.over(self._client.connection), 0
        async for batch in log.read([_PATTERN]):
            for record in batch:
                self._fold(record)
                last = record.seq
        self._follower = await log.follow([_PATTERN], after=last, sparse=True)
        await self._tell(last)
        requests = JetStreamRequests(self._client.connection)
        self._serving = [
            await requests.answer(f"{JOIN}.*", self._admit, principal_token=2),
            await requests.serve(IN_EFFECT, self._in_effect),
        ]

    async def serve(self) -> None:
        """Tells the server what changes, until cancelled. Raises: `Unavailable` when the log is followed no longer."""
        if self._follower is None:
            raise RuntimeError("the admissions are not open")
        async for batch in self._follower:
            for record in batch:
                self._fold(record)
            await self._tell(batch[-1].seq)
        raise Unavailable("the identities are followed no longer")

    async def aclose(self) -> None:
        """Answers no longer. Order: idempotent."""
        for serving in self._serving:
            await serving.aclose()
        if self._follower is not None:
            await self._follower.aclose()

    def judge(self, login: Login) -> Verdict:
        """What somebody may who connects with the secret of an invitation: ask to join, nothing else."""
        name, _, secret = login.password.partition(".")
        known = self._known.get(name)
        now_ns = self._client.process.time.now_ns()
        if login.user != JOIN_USER or known is None or not is_open(known.state, digest_of(secret), now_ns):
            return None, "", _NO_INVITATION
        return Role.JOIN, name, ""

    def _fold(self, record: Record) -> None:
        named = parse_subject(record.subject)
        if named is not None:
            id = named[1]
            self._known[id] = fold(IDENTITIES, self._known.get(id, Snapshot(IDENTITY.initial)), record)

    async def _tell(self, seq: int) -> None:
        """Has the server refuse revoked and replaced keys, on open connections too; until it has taken that."""
        states = (known.state for known in self._known.values())
        keys = {key: _NEVER_AGAIN_S for state in states for key, _ in refused_keys(state)}
        wait_s = 0.05
        while not keys.items() <= self._access.revoked.items():
            try:
                await self._access.refuse(keys)
            except EventLogError as error:
                _log.warning("the server could not be told whose keys are revoked, trying again: %s", error)
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
        self._told_seq = seq
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _in_effect(self, body: bytes) -> bytes:
        """Answers once what is on record up to this version is carried out."""
        version = msgspec.json.decode(body, type=int)
        while self._told_seq < version:
            await self._changed.wait()
        return msgspec.json.encode(self._told_seq)

    async def _admit(self, principal: str, body: bytes) -> bytes:
        try:
            ask = msgspec.json.decode(body, type=JoinAsk)
            return msgspec.json.encode(await self._admitted(principal, ask))
        except msgspec.MsgspecError as error:
            reason = f"this is no question of who joins: {error}"
        except (Refused, EventLogError) as error:
            reason = str(error)
        return msgspec.json.encode(Admission(error=reason))

    async def _admitted(self, principal: str, ask: JoinAsk) -> Admission:
        identities = self._client.identities
        if principal == JOIN_USER:
            row = await identities.join(ask.name, secret=ask.secret, public_key=ask.public_key, host=ask.host)
        else:
            row = await identities.renew(principal.removeprefix(node_principal("")), ask.public_key)
        check_name(Role(row.role), row.name)
        claims = self._access.authority.admit(Role(row.role), row.name, ask.public_key)
        return Admission(row.name, row.role, claims, tuple(row.skills), self._access.urls)
