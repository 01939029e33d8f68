"""Asks a model: one call of `POST …/chat/completions`, as any OpenAI-compatible endpoint takes it.

1. The call carries an `Idempotency-Key`: an endpoint that heeds it is paid once, though a dead node asks twice.
2. What an endpoint does wrong (hangs, sends a web page, cuts a stream) is an error that says so, never a reply.
3. The key is in the header and nowhere else.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

import msgspec

from clawactors.agents.failures import ModelUnavailable, failure_of
from clawactors.agents.replies import ModelReply, ReplyPieces, reply_of
from clawactors.eventlog.errors import Misconfigured
from clawactors.kernel.time import retry_after_s

__all__ = ["OPENAI", "ChatEndpoint", "ask_model", "import_httpx", "shared_ssl"]

OPENAI: Final = "https://api.openai.com/v1"
_REPLY_MAX_BYTES: Final = 16_000_000
_ERROR_MAX_BYTES: Final = 20_000
_WAIT_MAX_S: Final = 60.0
_CONNECT_S: Final = 10.0

type OnText = Callable[[str], Awaitable[None]]


class ChatEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where a model is asked. `secret` names the key that the node holds, "" where none is needed.

    `timeout_s` bounds a call, `silence_s` the time without a byte; `options` are further fields of each request, such
    as `temperature`; `schemas` is False for an endpoint that does not know `response_format`.
    """

    url: str = OPENAI
    secret: str = "openai"  # noqa: S105 # a name
    stream: bool = True
    schemas: bool = True
    timeout_s: float = 300.0
    silence_s: float = 60.0
    headers: dict[str, str] = {}
    options: dict[str, Any] = {}

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"the URL of a model endpoint begins with http:// or https://, not {self.url[:60]!r}")
        if not (self.timeout_s > 0 and self.silence_s > 0):
            raise ValueError("timeout_s and silence_s of a model endpoint are more than 0 s")


def import_httpx() -> Any:
    """The HTTP client. Raises: `Misconfigured` where it is not installed."""
    try:
        import httpx
    except ImportError:
        raise Misconfigured('models are asked with httpx: pip install "clawactors[models]"') from None
    return httpx


@cache
def shared_ssl() -> Any:
    """What is trusted; made once, since that takes a while."""
    return import_httpx().create_ssl_context()


async def ask_model(
    endpoint: ChatEndpoint,
    key: str,
    body: Mapping[str, Any],
    *,
    idempotency_key: str,
    prompt_tokens: int = 0,
    timeout_s: float | None = None,
    on_text: OnText | None = None,
) -> ModelReply:
    """The reply. Text is handed to `on_text` as it arrives.

    Raises: `ModelUnavailable`, `TimeoutError`; as `failure_of` for what the endpoint answers.
    """
    httpx, began = import_httpx(), time.monotonic()
    headers = {"Accept": "text/event-stream, application/json", "Content-Type": "application/json"}
    headers |= {"Idempotency-Key": idempotency_key} | ({"Authorization": f"Bearer {key}"} if key else {})
    request = dict(endpoint.options) | dict(body)
    if endpoint.stream:
        request |= {"stream": True, "stream_options": {"include_usage": True}}
    limit_s = min(endpoint.timeout_s, timeout_s or endpoint.timeout_s)
    where = endpoint.url.split("?")[0]
    timeout = httpx.Timeout(endpoint.silence_s, connect=_CONNECT_S)
    try:
        async with (
            asyncio.timeout(limit_s),
            httpx.AsyncClient(verify=shared_ssl(), timeout=timeout) as client,
            client.stream(
                "POST",
                f"{endpoint.url.rstrip('/')}/chat/completions",
                content=msgspec.json.encode(request),
                headers=headers | endpoint.headers,
            ) as response,
        ):
            if response.status_code != 200:
                await _refuse(response)
            reply = await _read(response, prompt_tokens, on_text)
    except (TimeoutError, httpx.TimeoutException) as error:
        raise TimeoutError(f"the model at {where} did not answer in time ({limit_s:g} s)") from error
    except httpx.HTTPError as error:
        raise ModelUnavailable(f"the model at {where} can't be reached: {error or type(error).__name__}") from error
    return msgspec.structs.replace(reply, seconds=round(time.monotonic() - began, 3))


async def _refuse(response: Any) -> None:
    """Raises what an answer other than 200 means, once the time has passed that the endpoint asks to wait."""
    raw = bytearray()
    async for part in response.aiter_bytes():
        raw += part
        if len(raw) > _ERROR_MAX_BYTES:
            break
    try:
        said = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        said = raw.decode(errors="replace")
    wait_s = min(retry_after_s(response.headers.get("retry-after", ""), datetime.now(UTC)), _WAIT_MAX_S)
    failure = failure_of(response.status_code, said, wait_s)
    if response.status_code in (429, 503) and wait_s:
        await asyncio.sleep(wait_s)
    raise failure


async def _read(response: Any, prompt_tokens: int, on_text: OnText | None) -> ModelReply:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "text/event-stream":
        raw = b"".join([part async for part in _bounded(response)])
        if kind == "text/html" or raw.lstrip()[:1] != b"{":
            raise ModelUnavailable(f"the endpoint sent {kind or 'something'} that is no reply: is its URL right?")
        reply = reply_of(_decoded(raw), prompt_tokens)
        if on_text is not None and reply.text:
            await on_text(reply.text)
        return reply
    pieces, ended = ReplyPieces(), False
    async for data in _events(response):
        if data == b"[DONE]":
            ended = True
            break
        text = pieces.add(_decoded(data))
        if text and on_text is not None:
            await on_text(text)
    if not (ended or pieces.finish):
        raise ModelUnavailable("the stream of the model was cut before its end")
    return pieces.reply(prompt_tokens)


def _decoded(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelUnavailable(f"the endpoint sent no JSON: {error}") from None


async def _events(response: Any) -> AsyncIterator[bytes]:
    """The data of server-sent events; lines end with a line feed and nothing else, whatever signs a text has."""
    held, data = b"", list[bytes]()
    async for part in _bounded(response):
        *lines, held = (held + part).split(b"\n")
        for line in lines:
            line = line.rstrip(b"\r")
            if line.startswith(b"data:"):
                data.append(line[5:].strip())
            elif not line and data:
                yield b"\n".join(data)
                data = []
    if held.startswith(b"data:"):
        data.append(held[5:].strip())
    if data:
        yield b"\n".join(data)


async def _bounded(response: Any) -> AsyncIterator[bytes]:
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > _REPLY_MAX_BYTES:
            raise ModelUnavailable(f"the reply of the model is larger than {_REPLY_MAX_BYTES // 1_000_000} MB")
        yield part
