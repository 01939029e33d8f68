"""The dashboard: one page whose address names what it shows, and the files that it loads.

The guard sends a policy with them that allows no script and no style but these files.
"""

from pathlib import Path
from typing import Any, Final

from litestar import MediaType, Response, Router, get
from litestar.static_files import create_static_files_router

__all__ = ["ADDRESSES", "STATIC", "page_routes"]

STATIC: Final = Path(__file__).parent / "static"

ADDRESSES: Final = tuple(
    address
    for name in (
        *("tasks", "approvals", "workflows", "schedules", "triggers", "faults", "memory", "nodes", "logs", "doctor"),
        *("access", "settings"),
    )
    for address in (f"/{name}", f"/{name}/{{rest:path}}")
)
"""What `static/app.js` shows besides `/`; a test holds the two together."""


@get(["/", *ADDRESSES], include_in_schema=False, media_type=MediaType.HTML)
async def dashboard() -> Response[bytes]:
    """The page, whatever it is to show; the script in it reads the address."""
    return Response((STATIC / "index.html").read_bytes(), media_type=MediaType.HTML)


def page_routes() -> Router:
    """The page and its files, which browsers ask for again whenever they have changed."""
    files = create_static_files_router("/assets", [STATIC], include_in_schema=False)
    return Router("/", route_handlers=[dashboard, files], after_request=_asked_again)


def _asked_again(answer: Response[Any]) -> Response[Any]:
    answer.headers["Cache-Control"] = "no-cache"
    return answer
