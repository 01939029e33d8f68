"""Asks a nats-server on loopback how it is, without being a client."""

import asyncio
from typing import Final

import msgspec

from clawactors.app.server.identity import HOST

__all__ = ["SILENT", "ask_health", "ask_name"]

SILENT: Final = "no answer"
_ASK_S: Final = 2.0


class _Info(msgspec.Struct):
    server_name: str


async def ask_health(http_port: int, *, streams: bool = True) -> str:
    """'' for a healthy server, else what it says is wrong, `SILENT` where nothing answers.

    Without `streams` only JetStream as a whole counts: a stream that can't be recovered must not keep the others away.
    """
    path = "/healthz" if streams else "/healthz?js-server-only=true"
    try:
        async with asyncio.timeout(_ASK_S):
            reader, writer = await asyncio.open_connection(HOST, http_port)
            try:
                writer.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
                answer = await reader.read()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return SILENT
    head, _, body = answer.partition(b"\r\n\r\n")
    return "" if b" 200 " in head[:16] else body.decode(errors="replace").strip() or SILENT


async def ask_name(host: str, port: int) -> str:
    """What the server that listens for clients calls itself, '' where none does."""
    try:
        async with asyncio.timeout(_ASK_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                line = await reader.readline()
            finally:
                writer.close()
        return msgspec.json.decode(line.removeprefix(b"INFO "), type=_Info).server_name
    except (OSError, ValueError, TimeoutError, msgspec.MsgspecError):
        return ""
