"""Telegram's Bot API: one call, its errors told apart, and text that stays text.

1. The token is part of every address, so no address and no error of the library is ever shown.
2. Text goes without a parse mode. What others wrote is marked as code: it makes no links, mentions or commands.
"""

import logging
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from clawactors.eventlog import Misconfigured
from clawactors.runtime.notifications.failure import OutletFailed
from clawactors.runtime.notifications.words import Quoted, plain

__all__ = ["TEXT_MAX", "TelegramApi", "TelegramText", "telegram_text"]

TEXT_MAX: Final = 4096
"""Of UTF-16 code units in one message."""
_TIMEOUT_S: Final = 20.0
_REPLY_MAX: Final = 20_000_000


class TelegramText(msgspec.Struct, frozen=True):
    """The text of a message, and which parts of it are shown as code."""

    text: str
    entities: list[dict[str, Any]]


def telegram_text(pieces: Iterable[str | Quoted], most: int = TEXT_MAX) -> TelegramText:
    """The pieces as one message, cut; lengths are of UTF-16 as Telegram counts."""
    text, entities, at = "", list[dict[str, Any]](), 0
    for piece in pieces:
        words = piece if isinstance(piece, str) else piece.text
        size = _units(words)
        if at + size > most - 1:
            words = f"{_cut(words, most - 1 - at)}…"
            size = _units(words)
            most = 0
        if isinstance(piece, Quoted) and words.strip():
            entities.append({"type": "code", "offset": at, "length": size})
        text, at = text + words, at + size
        if not most:
            break
    return TelegramText(text, entities)


def _units(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


def _cut(text: str, units: int) -> str:
    return text.encode("utf-16-le", "replace")[: 2 * max(0, units)].decode("utf-16-le", "ignore")


class _Reply(msgspec.Struct):
    ok: bool
    result: Any = None
    error_code: int = 0
    description: str = ""
    parameters: dict[str, Any] = {}


class TelegramApi:
    """A bot. Raises in `call`: `OutletFailed`, with how long to wait where Telegram says so."""

    def __init__(self, token: str, url: str = "https://api.telegram.org") -> None:
        """Raises: `Misconfigured` without the library httpx."""
        try:
            import httpx
        except ImportError:
            raise Misconfigured("Telegram needs the package httpx: pip install 'clawactors[models]'") from None
        logging.getLogger("httpx").setLevel(logging.WARNING)  # below that it logs addresses
        self._httpx, self._token = httpx, token
        self._client = httpx.AsyncClient(base_url=f"{url.rstrip('/')}/bot{token}/", timeout=_TIMEOUT_S)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes its connections."""
        await self._client.aclose()

    async def call(self, method: str, timeout_s: float = _TIMEOUT_S, **params: Any) -> Any:
        """The result of a method. Raises: `OutletFailed`."""
        try:
            answer = await self._client.post(method, json=params, timeout=timeout_s)
            if len(answer.content) > _REPLY_MAX:
                raise ValueError("its answer is too long")
            reply = msgspec.json.decode(answer.content, type=_Reply)
        except self._httpx.InvalidURL:
            raise OutletFailed("the address of the Bot API or the token can't be used", final=True) from None
        except (self._httpx.ConnectError, self._httpx.ConnectTimeout) as error:
            raise OutletFailed(f"Telegram was not reached: {self._safe(error)}") from None
        except self._httpx.HTTPError as error:
            raise OutletFailed(f"Telegram was cut off: {self._safe(error)}", sent_perhaps=True) from None
        except (ValueError, msgspec.MsgspecError) as error:
            raise OutletFailed(
                f"Telegram sent no answer that makes sense: {self._safe(error)}", sent_perhaps=True
            ) from None
        if reply.ok:
            return reply.result
        retry_after = reply.parameters.get("retry_after", 0)
        code = reply.error_code or answer.status_code
        raise OutletFailed(
            f"Telegram said {code} {plain(reply.description, 200)}",
            retry_after_s=float(retry_after) if isinstance(retry_after, int | float) else 0.0,
            final=400 <= code < 500 and code not in (409, 429),
            code=code,
            moved_to=moved if isinstance(moved := reply.parameters.get("migrate_to_chat_id"), int) else 0,
        )

    async def send(self, chat: str, pieces: Iterable[str | Quoted]) -> None:
        """Sends a text to a chat; to the new one of a group that has become a supergroup. Raises: `OutletFailed`."""
        text = telegram_text(pieces)
        to: int | str = chat if chat.startswith("@") else int(chat)
        try:
            await self._send(to, text)
        except OutletFailed as failed:
            if not failed.moved_to:
                raise
            await self._send(failed.moved_to, text)

    async def _send(self, to: int | str, text: TelegramText) -> None:
        await self.call(
            "sendMessage",
            chat_id=to,
            text=text.text,
            entities=text.entities,
            link_preview_options={"is_disabled": True},
        )

    def _safe(self, error: Exception) -> str:
        return plain(str(error) or type(error).__name__, 200).replace(self._token, "…")
