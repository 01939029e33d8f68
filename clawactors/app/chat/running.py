"""Runs a bridge: its clients, its adapter, its loop."""

import asyncio
import contextlib
import logging
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
_AGAIN_S: Final = 5.0

_log = logging.getLogger(__name__)


async def run_chat(
    found: Found,
    token_file: str,
    secrets: Callable[[str], str | None],
    url: str,
    *,
    begun: Callable[[], None] = lambda: None,
    ready: Callable[[str], None] = lambda called: None,
) -> None:
    """Bridges Telegram and the cluster until cancelled; `begun` is called once the token is read, `ready` with the bot.

    The token is in the file, or where `notify.toml` of the data folder says, or `CLAW_SECRET_TELEGRAM`.
    Raises: `Misconfigured` (no token, a wrong one), `Refused` (another process runs the bridge), `Unavailable`.
    """
    given = read_notify_settings(found.data).telegram
    token = secret_in(token_file or given.token_file, given.secret, secrets, "token of a Telegram bot")
    async with contextlib.AsyncExitStack() as stack:
        api = await stack.enter_async_context(TelegramApi(token, url or given.url))
        own = await stack.enter_async_context(Client.of(found, user="chat-telegram"))
        opened: dict[str, ClusterClient] = {}

        async def client_of(user: str) -> ClusterClient:
            if user not in opened:
                opened[user] = await stack.enter_async_context(Client.of(found, user=user))
            return opened[user]

        begun()
        port = await _opened(api)
        ready(port.called)
        await ChatBridge(SERVICES[0], port, own, client_of).serve()


async def _opened(api: TelegramApi) -> TelegramChat:
    """The adapter, once Telegram is there. Raises: `Misconfigured`."""
    while True:
        try:
            return await TelegramChat.open(api)
        except OutletFailed as failed:
            if failed.final:
                raise Misconfigured(f"{failed}: is the token right?") from None
            _log.warning("%s; asking again in %g s", failed, _AGAIN_S)
            await asyncio.sleep(max(_AGAIN_S, failed.retry_after_s))
