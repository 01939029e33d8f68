"""Puts the paths, the errors and the pages together."""

from pathlib import Path
from typing import Final

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.static_files import create_static_files_router

from clawactors.app.client import Client
from clawactors.app.web.gateway import Gateway
from clawactors.app.web.problems import answer_problem
from clawactors.app.web.routes.tasks import TaskRoutes
from clawactors.version import VERSION

__all__ = ["STATIC", "web_application"]

STATIC: Final = Path(__file__).parent / "static"


def web_application(gateway: Gateway) -> Litestar:
    """The ASGI application that asks through this gateway."""

    async def claw() -> Client:
        return await gateway.client()

    api = Router("/api/v1", route_handlers=[TaskRoutes], dependencies={"claw": Provide(claw)})
    pages = create_static_files_router("/", [STATIC], html_mode=True, include_in_schema=False)
    return Litestar(
        [api, pages],
        exception_handlers={Exception: answer_problem},
        openapi_config=OpenAPIConfig("ClawActors", VERSION, path="/openapi", render_plugins=[]),
    )
