"""`claw serve`: the HTTP API and the dashboard of a cluster that runs already."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

from clawactors.app.cli.output import Facts, emit
from clawactors.app.cli.session import find
from clawactors.app.problem import Problem
from clawactors.app.weblogin import WebLogin
from clawactors.app.webport import listen_at

__all__ = ["run"]


def run(options: Any) -> int:
    """Serves until a signal stops it."""
    try:
        from clawactors.app.web.serving import serve_web
    except ModuleNotFoundError as error:
        raise Problem(
            "misconfigured", f"claw serve needs {error.name}", "pip install 'clawactors[web]' installs it"
        ) from None

    def ready(url: str, login: WebLogin) -> None:
        told = {"ready": True, "http": url, "login": login.link(url)}
        emit(options, told, lambda: [Facts([("ready", url), ("sign in, once", told["login"])])])

    import uvloop

    uvloop.run(_until_stopped(serve_web(find(options), listen_at(options.http_port), ready)))
    return 0


async def _until_stopped(serving: Coroutine[Any, Any, None]) -> None:
    """SIGTERM ends it in good order, as Ctrl-C does."""
    task = asyncio.ensure_future(serving)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        own = asyncio.current_task()
        if own is not None and own.cancelling():
            raise
