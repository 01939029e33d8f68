"""The adapter to Telegram: messages by long polling, so nothing has to be reachable from outside.

1. Updates are confirmed to Telegram only when the bridge is done with them: an offset is given once, after that.
2. After a week without updates Telegram begins anew with any id, which may be lower. So a place is found in what comes,
   and never compared by size.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, Self

import msgspec

from clawactors.app.chat.port import IncomingMessage
from clawactors.runtime.notifications.failure import OutletFailed
from clawactors.runtime.notifications.telegram import TelegramApi
from clawactors.runtime.notifications.words import Quoted, plain

__all__ = ["TelegramChat"]

_POLL_S: Final = 50
_MORE_S: Final = 15.0
_AT_ONCE: Final = 100


class _User(msgspec.Struct):
    id: int
    is_bot: bool = False
    first_name: str = ""
    username: str = ""


class _Chat(msgspec.Struct):
    id: int
    type: str = "private"


class _Answered(msgspec.Struct):
    sender: _User | None = msgspec.field(default=None, name="from")


class _Message(msgspec.Struct):
    message_id: int
    chat: _Chat
    sender: _User | None = msgspec.field(default=None, name="from")
    text: str = ""
    caption: str = ""
    reply_to_message: _Answered | None = None


class _Update(msgspec.Struct):
    update_id: int
    message: _Message | None = None


class TelegramChat:
    """See `ChatPort`. `poll_s` is how long Telegram waits for a message."""

    def __init__(self, api: TelegramApi, me: _User, poll_s: float = _POLL_S) -> None:
        self._api, self._me, self._poll_s = api, me, poll_s
        self._confirmed = ""
        self._begun = False

    @classmethod
    async def open(cls, api: TelegramApi, poll_s: float = _POLL_S) -> Self:
        """Asks who the bot is. Raises: `OutletFailed`, `final` for a wrong token."""
        return cls(api, msgspec.convert(await api.call("getMe"), _User), poll_s)

    @property
    def called(self) -> str:
        """The name of the bot."""
        return self._me.username

    async def receive(self, after: str) -> Sequence[IncomingMessage]:
        """See `ChatPort`."""
        bot, _, last = after.partition(":")
        known = last if bot == str(self._me.id) else ""
        offset: dict[str, Any] = {}
        if self._begun and known and known != self._confirmed:
            offset = {"offset": int(known) + 1}
        told = await self._api.call(
            "getUpdates",
            timeout_s=self._poll_s + _MORE_S,
            timeout=self._poll_s,
            limit=_AT_ONCE,
            allowed_updates=["message"],
            **offset,
        )
        updates = [_update(each) for each in told] if isinstance(told, list) else []
        self._begun = True
        if offset:
            self._confirmed = known
        elif known:  # what was not confirmed comes again, up to the one that was the last
            done = next((index for index, each in enumerate(updates) if str(each.update_id) == known), None)
            if done is not None:
                self._confirmed = ""
                updates = updates[done + 1 :]
            else:
                self._confirmed = known
        return [self._incoming(each) for each in updates]

    async def send(self, chat: str, pieces: Iterable[str | Quoted]) -> None:
        """See `ChatPort`."""
        await self._api.send(chat, pieces)

    def _incoming(self, update: _Update) -> IncomingMessage:
        message, place = update.message, f"{self._me.id}:{update.update_id}"
        id = f"{self._me.id}-{update.update_id}"
        if message is None or message.sender is None or message.sender.is_bot:
            return IncomingMessage(id=id, place=place, chat="", member="", text="", direct=False)
        sender, text = message.sender, message.text or message.caption
        return IncomingMessage(
            id=id,
            place=place,
            chat=str(message.chat.id),
            member=str(sender.id),
            called=plain(sender.username or sender.first_name, 60),
            text=self._without_name(text),
            direct=message.chat.type == "private" or self._names_me(message, text),
        )

    def _names_me(self, message: _Message, text: str) -> bool:
        name = f"@{self._me.username}".lower()
        if text.startswith("/"):
            _, at, to = text.split(maxsplit=1)[0].partition("@")
            return not at or f"@{to.lower()}" == name
        answered = message.reply_to_message
        to_me = answered is not None and answered.sender is not None and answered.sender.id == self._me.id
        return to_me or (len(name) > 1 and name in text.lower())

    def _without_name(self, text: str) -> str:
        name = f"@{self._me.username}"
        words = text.split(" ")
        return " ".join(word for word in words if word.lower().rstrip(",:") != name.lower()) if len(name) > 1 else text


def _update(told: Any) -> _Update:
    try:
        return msgspec.convert(told, _Update)
    except msgspec.ValidationError:
        if isinstance(told, dict) and isinstance(id := told.get("update_id"), int):
            return _Update(id)  # of a kind that this release does not know
        raise OutletFailed("Telegram sent updates that make no sense") from None
