"""The ways out, by target: a webhook, mail, the desktop, a chat of Telegram."""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from clawactors.eventlog import Misconfigured
from clawactors.runtime.notifications.desktop import show_on_desktop
from clawactors.runtime.notifications.failure import OutletFailed
from clawactors.runtime.notifications.settings import FILE, NotifySettings, secret_in, secret_variable
from clawactors.runtime.notifications.words import NoticeMessage
from clawactors.runtime.webhooks import PostSender, SendFailed, signed
from clawactors.systems.triggers.addresses import DESKTOP, MAIL, TELEGRAM, recipients

__all__ = ["Outlets"]

_LONGEST_PAUSE_S: Final = 600.0

_encode: Final = msgspec.json.Encoder().encode


class Outlets:
    """`settings` are read again for each message, so that a change needs no restart."""

    def __init__(
        self,
        sender: PostSender,
        secrets: Callable[[str], str | None],
        settings: Callable[[], NotifySettings] = NotifySettings,
    ) -> None:
        self.sender, self.secrets, self.settings = sender, secrets, settings

    async def send(self, target: str, message: NoticeMessage, rule: str, at_s: int, secret: str = "") -> None:
        """Sends it once; `secret` names what signs a webhook, `at_s` is the time. Raises: `OutletFailed`."""
        try:
            if target == DESKTOP:
                await show_on_desktop(message)
            elif target.startswith(MAIL):
                await self._mail(recipients(target), message, rule)
            elif target.startswith(TELEGRAM):
                await self._telegram(target.removeprefix(TELEGRAM), message)
            else:
                await self.post(target, _encode(message.data | {"text": message.text}), message.id, at_s, secret)
        except Misconfigured as error:
            raise OutletFailed(str(error), final=True) from None

    async def _mail(self, to: tuple[str, ...], message: NoticeMessage, rule: str) -> None:
        from clawactors.runtime.notifications.mail import mail_of, send_mail

        settings = self.settings().smtp
        if not settings.host or not settings.sender:
            raise Misconfigured(f"no mail can be sent: give host and sender below [smtp] of {FILE} in the data folder")
        name = settings.secret
        password = secret_in(settings.password_file, name, self.secrets, "password for mail") if settings.user else ""
        mail = mail_of(message, settings.sender, to, rule)
        await asyncio.to_thread(send_mail, mail, to, settings, password)

    async def _telegram(self, chat: str, message: NoticeMessage) -> None:
        from clawactors.runtime.notifications.telegram import TelegramApi

        settings = self.settings().telegram
        token = secret_in(settings.token_file, settings.secret, self.secrets, "token of a Telegram bot")
        async with TelegramApi(token, settings.url) as api:
            await api.send(chat, message.pieces)

    async def post(self, url: str, body: bytes, id: str, at_s: int, secret: str = "") -> None:
        """Posts a body to a webhook once, under that id; see `send`. Raises: `OutletFailed`."""
        key = ""
        if secret and not (key := self.secrets(secret) or ""):
            raise OutletFailed(
                f"control has no secret {secret!r}: set {secret_variable(secret)} where it runs", final=True
            )
        try:
            reply = await self.sender.post(url, body, signed(key, id, at_s, body))
        except SendFailed as failed:
            raise OutletFailed(str(failed)) from None
        if not 200 <= reply.status < 300:
            raise OutletFailed(f"answered {reply.status}", retry_after_s=min(reply.retry_after_s, _LONGEST_PAUSE_S))
