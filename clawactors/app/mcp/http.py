"""The server over HTTP, for clients of this machine only.

1. It listens on the loopback interface. A page of a browser can reach that too, by a name that it points there (DNS
   rebinding): so `Host` has to be this address, and `Origin`, if there is one, as well.
2. Every request carries the token.
"""

import hmac
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import uvicorn

from clawactors.app.mcp.server import McpService
from clawactors.app.webport import hosts_at, port_of, url_at

__all__ = ["AsgiApp", "GuardedApp", "serve_http", "url_of"]

_PATH: Final = "/mcp"
_GRACE_S: Final = 3

type _Scope = MutableMapping[str, Any]
type _Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
type _Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
type AsgiApp = Callable[[_Scope, _Receive, _Send], Awaitable[None]]


class GuardedApp:
    """Lets through what is meant for this server and carries the token."""

    def __init__(self, app: AsgiApp, token: str, port: int) -> None:
        self._app, self._token = app, f"bearer {token}".encode()
        self._hosts = hosts_at(port)
        self._origins = frozenset(b"http://" + host for host in self._hosts)

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """Answers 421 for another host, 403 for another origin, 401 without the token."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        if refusal := self._refusal(scope["headers"]):
            await _refuse(send, *refusal)
            return
        await self._app(scope, receive, send)

    def _refusal(self, headers: list[tuple[bytes, bytes]]) -> tuple[int, str] | None:
        def given(name: bytes) -> list[bytes]:
            return [value for each, value in headers if each.lower() == name]

        hosts, origins, tokens = given(b"host"), given(b"origin"), given(b"authorization")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return 421, "this server answers to its own address only"
        if any(each.lower() not in self._origins for each in origins):
            return 403, "no page of another origin may ask this server"
        if len(tokens) != 1 or not self._has_token(tokens[0]):
            return 401, "send the header Authorization: Bearer TOKEN; claw mcp --http has printed the token"
        return None

    def _has_token(self, value: bytes) -> bool:
        scheme, _, token = value.partition(b" ")
        return hmac.compare_digest(scheme.lower() + b" " + token.strip(), self._token)


async def _refuse(send: _Send, status: int, reason: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": reason.encode() + b"\n"})


def url_of(port: int) -> str:
    """Where clients find it."""
    return url_at(port) + _PATH


async def serve_http(service: McpService, listening: socket.socket, token: str, ready: Callable[[], None]) -> None:
    """Serves until SIGINT or SIGTERM; `ready` is called before the first request is taken."""
    port = port_of(listening)
    app = service.server.streamable_http_app(streamable_http_path=_PATH, host="")  # `GuardedApp` checks the host
    config = uvicorn.Config(
        GuardedApp(app, token, port),
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
        lifespan="on",
    )
    ready()
    await uvicorn.Server(config).serve([listening])
