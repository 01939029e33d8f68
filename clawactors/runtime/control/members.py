"""Middleware for invitations for several: it admits each under a name of its own, and revokes all with the invitation.

1. Who is admitted gets its name in the very commit that uses up the invitation; a lost race chooses another name.
2. Whom an invitation has admitted is revoked in the very commit that revokes it, so nobody is admitted in between.
3. A name that had been given away anew since then is another one's: it stays.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from clawactors.eventlog import EventLogError
from clawactors.kernel.errors import Changed, Exists, Refused
from clawactors.kernel.fold import Snapshot
from clawactors.runtime.call import Answer, Call, Handler, Reply
from clawactors.runtime.context import ActorContext
from clawactors.runtime.control.folded import FoldedSnapshots
from clawactors.systems.identities import Identity
from clawactors.systems.identities import commands as c
from clawactors.systems.identities.kind import IDENTITIES
from clawactors.systems.tasks.submission import checked_id

__all__ = ["MemberCommits"]


class MemberCommits:
    """Wraps a handler: `Middleware`."""

    def __init__(self, context: ActorContext, snapshots: FoldedSnapshots) -> None:
        self._context, self._snapshots = context, snapshots
        # What is decided side by side would lose its races; that it is right does not depend on this.
        self._turn = asyncio.Lock()

    def __call__(self, handler: Handler) -> Handler:
        """The handler that commits for several at once."""

        async def handle(calls: Sequence[Call]) -> Sequence[Reply]:
            ours = [type(call.commands[0]) in (c.Join, c.Revoke) for call in calls]
            if not any(ours):
                return await handler(calls)
            others = [call for call, is_ours in zip(calls, ours, strict=True) if not is_ours]
            replies = iter(await handler(others) if others else ())
            return [
                await self._handle(handler, call) if is_ours else next(replies)
                for call, is_ours in zip(calls, ours, strict=True)
            ]

        return handle

    async def _handle(self, handler: Handler, call: Call) -> Reply:
        try:
            async with self._turn:
                while True:
                    known = await self._load(call.id, at_least=-1)
                    command = call.commands[0]
                    invitation = known.state.invitation
                    if known.frozen or invitation is None or invitation.uses == 1:
                        (reply,) = await handler((call,))
                        return reply
                    try:
                        if isinstance(command, c.Join):
                            return await self._admit(call, command, invitation.role, known.state)
                        return await self._revoke(call, known)
                    except _Again:
                        continue
        except (Refused, EventLogError) as error:
            return error

    async def _admit(self, call: Call, join: c.Join, role: str, state: Identity) -> Answer:
        """Raises: `_Again` where somebody else has got the name; `Refused`, `Unavailable`."""
        member = state.members.get(join.public_key) or await self._free_name(call.id, state)
        register = c.Register(role, join.public_key, call.id, join.host)
        used = replace(call, commands=(replace(join, member=member),))
        try:
            registered = replace(call, id=member, commands=(register,), command_id="", version=-1)
            answer, _ = await self._context.dispatcher.commit((used, registered))
        except Exists:
            if join.public_key in state.members:
                raise
            raise _Again from None
        return answer

    async def _free_name(self, name: str, state: Identity) -> str:
        number = len(state.members)
        while True:
            number += 1
            member = checked_id(f"{name}-{number}", "name of who joins")
            if (await self._load(member)).state.status == "absent" and member not in state.members.values():
                return member

    async def _revoke(self, call: Call, known: Snapshot[Identity]) -> Answer:
        """Raises: `_Again` where one of them has changed meanwhile; `Refused`, `Unavailable`."""
        guarded = call if call.version >= 0 else replace(call, version=known.version)
        calls = [guarded]  # the last, so that all is done where it is
        for member in known.state.members.values():
            there = await self._load(member)
            if there.state.status == "joined" and there.state.admitted_by == call.id:
                calls.insert(0, replace(call, id=member, version=there.version, command_id=""))
        try:
            return (await self._context.dispatcher.commit(calls))[-1]
        except Changed:
            if call.version >= 0:
                raise
            raise _Again from None

    async def _load(self, name: str, at_least: int = 0) -> Snapshot[Any]:
        return (await self._snapshots.load(IDENTITIES, name, at_least=at_least)).snapshot


class _Again(Exception):
    """What was read has changed."""
