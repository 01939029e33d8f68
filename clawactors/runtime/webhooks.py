"""Sends one HTTP POST and tells the status: all that a webhook needs, on asyncio's own streams.

1. A request in full, one status line and at most 32 KB of headers in answer; the body is not read, no redirect followed
   (ADR 56 says why this takes no library).
2. One limit for all of it, from the first look-up to the last header: a receiver that trickles hangs nobody.
3. Signed by HMAC-SHA256 over time and body, so that a receiver can refuse what is old or foreign.
"""

import asyncio
import base64
import hashlib
import hmac
import ssl
from collections.abc import Mapping
from functools import cache
from typing import Final, Protocol
from urllib.parse import quote, urlsplit

import msgspec

from clawactors.kernel.time import retry_after_s
from clawactors.version import VERSION

__all__ = ["TIMEOUT_S", "HttpSender", "PostReply", "PostSender", "SendFailed", "signed"]

TIMEOUT_S: Final = 15.0
_HEAD_MAX_BYTES: Final = 32_768
_INTERIM_MAX: Final = 10
_IN_PATH: Final = "/%:@!$&'()*+,;=~"
_IN_QUERY: Final = f"{_IN_PATH}?"


class SendFailed(Exception):
    """Nothing was answered; it may have been received."""


class PostReply(msgspec.Struct, frozen=True):
    """The status, and after how many seconds the receiver wants to be asked again, 0 where it does not say."""

    status: int
    retry_after_s: float = 0.0


class PostSender(Protocol):
    """Sends a body to an address."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> PostReply:
        """Sends it once. Raises: `SendFailed`."""
        ...


def signed(secret: str, id: str, at_s: int, body: bytes) -> dict[str, str]:
    """The headers that name a message, and sign it where there is a secret: our own, and Standard Webhooks'."""
    headers = {"webhook-id": id, "webhook-timestamp": str(at_s), "Idempotency-Key": id}
    if secret:
        key = secret.encode()
        own = hmac.new(key, f"{at_s}.".encode() + body, hashlib.sha256)
        standard = hmac.new(key, f"{id}.{at_s}.".encode() + body, hashlib.sha256)
        headers["X-Claw-Timestamp"] = str(at_s)
        headers["X-Claw-Signature"] = f"sha256={own.hexdigest()}"
        headers["webhook-signature"] = f"v1,{base64.b64encode(standard.digest()).decode()}"
    return headers


class HttpSender:
    """See `PostSender`."""

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> PostReply:
        """See `PostSender`."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await _post(url, body, headers)
        except TimeoutError:
            raise SendFailed(f"no answer within {self._timeout_s:g} s") from None
        except asyncio.IncompleteReadError:
            raise SendFailed("the connection was closed before an answer") from None
        except asyncio.LimitOverrunError:
            raise SendFailed(f"the headers of the answer are longer than {_HEAD_MAX_BYTES >> 10} KB") from None
        except (OSError, ValueError) as error:
            raise SendFailed(" ".join(str(error).split())[:200] or type(error).__name__) from None


async def _post(url: str, body: bytes, headers: Mapping[str, str]) -> PostReply:
    parts = urlsplit(url)
    tls = _tls() if parts.scheme == "https" else None
    host, port = (parts.hostname or "").encode("idna").decode(), parts.port or (443 if tls else 80)
    reader, writer = await asyncio.open_connection(host, port, ssl=tls, limit=_HEAD_MAX_BYTES)
    try:
        target = quote(parts.path or "/", _IN_PATH) + (f"?{quote(parts.query, _IN_QUERY)}" if parts.query else "")
        fields = {
            "Host": (f"[{host}]" if ":" in host else host) + (f":{parts.port}" if parts.port else ""),
            "User-Agent": f"clawactors/{VERSION}",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Connection": "close",
            **headers,
        }
        lines = (f"POST {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", "")
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()
        for _ in range(_INTERIM_MAX):
            reply = _reply(await reader.readuntil(b"\r\n\r\n"))
            if reply.status >= 200:  # those below are no answers yet
                return reply
        raise ValueError(f"no answer among the first {_INTERIM_MAX} replies")
    finally:
        writer.transport.abort()  # nothing more is wanted, and closing in good order may hang


def _reply(head: bytes) -> PostReply:
    status, *lines = head.decode("latin-1").split("\r\n")
    version, code, *_ = (*status.split(" ", 2), "", "")
    if not version.startswith("HTTP/1.") or not (code.isascii() and code.isdigit() and len(code) == 3):
        raise ValueError(f"no HTTP answer: {status[:60]!r}")
    named = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return PostReply(int(code), retry_after_s(named.get("retry-after", ""), named.get("date", "")))


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
