"""Bridges to chats: who may talk to the cluster from there, and how far messages are answered."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from clawactors.kernel.errors import Refused
from clawactors.runtime.client.named import NamedChanges
from clawactors.runtime.client.rows import Page
from clawactors.systems.bridges import Ask, BridgeState, ChatMember
from clawactors.systems.bridges import external as x
from clawactors.systems.bridges.events import Stranger
from clawactors.systems.bridges.row import row
from clawactors.systems.tasks.submission import checked_id

if TYPE_CHECKING:
    from clawactors.runtime.client.client import ClusterClient

__all__ = ["BridgeRow", "Bridges"]


class BridgeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A bridge. `members` may talk; `ignored` counts messages of others, the newest of whom are `strangers`."""

    name: str
    members: tuple[ChatMember, ...]
    ignored: int
    strangers: tuple[Stranger, ...]
    place: str
    numbered: int
    updated_at: str | None
    version: int


class Bridges(NamedChanges[BridgeState]):
    """The bridges of a cluster, as its client sees them."""

    def __init__(self, client: "ClusterClient") -> None:
        super().__init__(client, "bridge", BridgeState, checked_id)

    async def allow(
        self, name: str, chat: str, *, member: str = "", user: str = "", skills: str | Iterable[str] = ()
    ) -> BridgeRow:
        """Lets a chat talk to the cluster by the bridge of that name, or one `member` of it.

        They act as `user`, by default `chat-` and the id, and may submit `skills` (`*` is all). Given again, it
        replaces what was said before. Raises: `Refused`.
        """
        given = (skills,) if isinstance(skills, str) else tuple(skills)
        user = user or f"chat-{(member or chat).lstrip('-@')}"
        who = ChatMember(chat=chat, member=member, name=user, skills=tuple(filter(None, given)))
        return await self._changed(name, x.AllowChatRequest(who=who))

    async def disallow(self, name: str, chat: str, *, member: str = "") -> BridgeRow:
        """Lets them talk no longer. Raises: `Refused` where they are not on the list."""
        return await self._changed(name, x.DisallowChatRequest(chat=chat, member=member))

    async def list(self, *, fresh: bool = True) -> "list[BridgeRow]":
        """All bridges, by name. Raises: `Unavailable`."""
        return list(await self._client.views.answer(Page[BridgeRow], "bridges", fresh=fresh))

    async def state(self, name: str) -> BridgeState:
        """All that is known of a bridge now. Raises: `Unavailable`."""
        return (await self._client.state("bridge", checked_id(name), BridgeState)).state

    async def number(self, name: str, asks: Iterable[Ask]) -> BridgeState:
        """Gives each of these approvals a short number, the same whenever it is asked; see `BridgeState.number_of`."""
        return (await self._ask(checked_id(name), x.NumberApprovalsRequest(asks=tuple(asks)))).state

    async def answering(self, name: str, message: str) -> None:
        """Puts on record that the answer to that message is about to go out, or, with '', certainly did not."""
        await self._ask(checked_id(name), x.AnswerMessageRequest(message=message))

    async def advance(
        self, name: str, after: str, place: str, *, ignored: int = 0, strangers: Iterable[Stranger] = ()
    ) -> BridgeState:
        """Puts on record that all messages up to `place` are done with. Raises: `Refused` if another process has."""
        request = x.AdvanceBridgeRequest(after=after, place=place, ignored=ignored, strangers=tuple(strangers))
        return (await self._ask(checked_id(name), request)).state

    async def _changed(self, name: str, request: x.AllowChatRequest | x.DisallowChatRequest) -> BridgeRow:
        if not name:
            raise Refused("name the bridge, such as telegram")
        known = await self._ask(checked_id(name), request)
        return msgspec.convert(row(name, known.version, known.state), BridgeRow)
