"""`claw serve`: the HTTP API and the dashboard of a cluster that runs already."""

import asyncio
from typing import Any

from clawactors.app.cli.output import Facts, emit
from clawactors.app.cli.session import find
from clawactors.app.problem import Problem
from clawactors.app.webport import bound

__all__ = ["run"]


def run(options: Any) -> int:
    """Serves until a signal stops it."""
    try:
        from clawactors.app.web.application import web_application
    except ModuleNotFoundError as error:
        raise Problem(
            "misconfigured", f"claw serve needs {error.name}", "pip install 'clawactors[web]' installs it"
        ) from None
    from clawactors.app.web.gateway import Gateway
    from clawactors.app.web.listening import run_http

    async def serve() -> None:
        listening = bound(options.http_port)
        async with Gateway(find(options)) as gateway:
            listening.listen()
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            emit(options, {"ready": True, "http": url}, lambda: [Facts([("ready", url)])])
            await run_http(web_application(gateway), listening)

    asyncio.run(serve())
    return 0
