"""`claw serve`: the HTTP API and the dashboard of a cluster that runs already."""

import asyncio
from typing import Any

from clawactors.app.cli.output import Facts, emit
from clawactors.app.cli.session import find
from clawactors.app.problem import Problem
from clawactors.app.weblogin import WebLogin
from clawactors.app.webport import HOST, bound

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
            number = listening.getsockname()[1]
            url = f"http://{HOST}:{number}"
            login = WebLogin(gateway.found.data)
            login.serve_at(url)
            told = {"ready": True, "http": url, "login": login.link(url)}
            emit(options, told, lambda: [Facts([("ready", url), ("sign in, once", told["login"])])])
            await run_http(web_application(gateway, login, number), listening)

    asyncio.run(serve())
    return 0
