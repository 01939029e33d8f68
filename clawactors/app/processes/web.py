"""The main of a web process of `claw up --web`: the HTTP API and the dashboard."""

from collections.abc import Callable
from pathlib import Path

from clawactors.app.discovery import Found
from clawactors.app.processes.start import WebStart, main
from clawactors.app.web.application import web_application
from clawactors.app.web.gateway import Gateway
from clawactors.app.web.listening import run_http
from clawactors.app.weblogin import WebLogin
from clawactors.app.webport import HOST, bound
from clawactors.eventlog.jetstream import Address

__all__ = ["serve"]


async def serve(start: WebStart, ready: Callable[[], None]) -> None:
    """Answers until cancelled."""
    listening = bound(start.port)
    found = Found(Address.of(start.nats_url, env={}), "that of its cluster", Path(start.data))
    async with Gateway(found) as gateway:
        listening.listen()
        login = WebLogin(found.data)
        login.serve_at(f"http://{HOST}:{start.port}")
        ready()
        await run_http(web_application(gateway, login, start.port), listening)


if __name__ == "__main__":
    main(WebStart, serve)
