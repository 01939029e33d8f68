"""The main of a web process of `claw up --web`: the HTTP API and the dashboard."""

from collections.abc import Callable

from clawactors.app.discovery import own_cluster
from clawactors.app.processes.start import WebStart, main
from clawactors.app.web.serving import serve_web
from clawactors.app.webport import bound

__all__ = ["serve"]


async def serve(start: WebStart, ready: Callable[[], None]) -> None:
    """Answers until cancelled."""
    await serve_web(own_cluster(start.address, start.data), bound(start.port), lambda *_: ready())


if __name__ == "__main__":
    main(WebStart, serve)
