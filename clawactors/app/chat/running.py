"""Runs a bridge: its clients, its adapter, its loop."""

import contextlib
from collections.abc import Callable
from typing import Final

from clawactors.app.chat.bridge import ChatBridge
from clawactors.app.chat.telegram import TelegramChat
from clawactors.app.client import Client
from clawactors.app.discovery import Found
from clawactors.eventlog import Misconfigured
from clawactors.runtime.client import ClusterClient
from clawactors.runtime.notifications.failure import OutletFailed
from clawactors.runtime.notifications.settings import read_notify_settings, secret_in
from clawactors.runtime.notifications.telegram import TelegramApi

__all__ = ["SERVICES", "run_chat"]

SERVICES: Final = ("telegram",)
"""The services that there is an adapter for."""


async def run_chat(
    found: Found, token_file: str, secrets: Callable[[str], str | None], url: str, ready: Callable[[str], None]
) -> None:
    """Bridges Telegram and the cluster until cancelled; `ready` gets the name of the bot.

    The token is in the file, or where `notify.toml` of the data folder says, or `CLAW_SECRET_TELEGRAM`.
    Raises: `Misconfigured` (no token, a wrong one), `Refused` (another process runs the bridge), `Unavailable`.
    """
    given = read_notify_settings(found.data).telegram
    token = secret_in(token_file or given.token_file, given.secret, secrets, "token of a Telegram bot")
    async with contextlib.AsyncExitStack() as stack:
        own = await stack.enter_async_context(Client.of(found, user="chat-telegram"))
        opened: dict[str, ClusterClient] = {}

        async def client_of(user: str) -> ClusterClient:
            if user not in opened:
                opened[user] = await stack.enter_async_context(Client.of(found, user=user))
            return opened[user]

        api = await stack.enter_async_context(TelegramApi(token, url or given.url))
        try:
            port = await TelegramChat.open(api)
        except OutletFailed as failed:
            if not failed.final:
                raise
            raise Misconfigured(f"{failed}: is the token right?") from None
        ready(port.called)
        await ChatBridge(SERVICES[0], port, own, client_of).serve()
