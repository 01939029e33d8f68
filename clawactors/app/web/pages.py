"""The dashboard: one page whose address names what it shows, and the files that it loads."""

from pathlib import Path
from typing import Any, Final

from litestar import MediaType, Response, Router, get
from litestar.static_files import create_static_files_router

__all__ = ["ADDRESSES", "POLICY", "STATIC", "page_routes"]

STATIC: Final = Path(__file__).parent / "static"

ADDRESSES: Final = tuple(
    address
    for name in (
        *("tasks", "approvals", "workflows", "schedules", "triggers", "faults", "memory", "nodes", "logs", "doctor"),
        "settings",
    )
    for address in (f"/{name}", f"/{name}/{{rest:path}}")
)
"""What `static/app.js` shows besides `/`; a test holds the two together."""

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""No script and no style but the files in `static/`, whatever a text holds that gets into a page."""

_HEADERS: Final = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}


@get(["/", *ADDRESSES], include_in_schema=False, media_type=MediaType.HTML)
async def dashboard() -> Response[bytes]:
    """The page, whatever it is to show; the script in it reads the address."""
    return Response((STATIC / "index.html").read_bytes(), media_type=MediaType.HTML)


def page_routes() -> Router:
    """The page and its files, which browsers ask for again whenever they have changed."""
    files = create_static_files_router("/static", [STATIC], include_in_schema=False)
    return Router("/", route_handlers=[dashboard, files], after_request=_with_headers)


def _with_headers(answer: Response[Any]) -> Response[Any]:
    answer.headers.update(_HEADERS)
    return answer
