"""Serves the HTTP API and the dashboard of a cluster: what `claw serve` and the web process of `claw up` do alike."""

import socket
from collections.abc import Callable

from clawactors.app.discovery import Found
from clawactors.app.web.application import web_application
from clawactors.app.web.gateway import Gateway
from clawactors.app.web.limits import web_limits
from clawactors.app.web.listening import run_http
from clawactors.app.weblogin import WebLogin
from clawactors.app.webport import port_of, url_at

__all__ = ["serve_web"]


async def serve_web(found: Found, listening: socket.socket, ready: Callable[[str, WebLogin], None]) -> None:
    """Serves until cancelled; `ready` is told the address and who may sign in, before the first request is answered."""
    async with Gateway(found) as gateway:
        port = port_of(listening)
        login = WebLogin(found.data)
        url = url_at(port)
        login.serve_at(url)
        ready(url, login)
        limits = web_limits()
        guard = web_application(gateway, login, port, limits)
        await run_http(guard, listening, limits.connections, guard.streams.aclose)
