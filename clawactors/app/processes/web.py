"""The main of a web process of `claw up --web`: the HTTP API and the dashboard."""

import socket
from collections.abc import Callable

from clawactors.app.discovery import own_cluster
from clawactors.app.processes.start import WebStart, main
from clawactors.app.web.serving import serve_web

__all__ = ["serve"]


async def serve(start: WebStart, ready: Callable[[], None]) -> None:
    """Answers until cancelled."""
    listening = socket.socket(fileno=start.listening)
    await serve_web(own_cluster(start.address, start.data), listening, lambda *_: ready())


if __name__ == "__main__":
    main(WebStart, serve)
