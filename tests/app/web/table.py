"""The table of paths in docs/http.md: `python -m tests.app.web.table` writes it anew."""

import re
from collections.abc import Iterator

from litestar.handlers import HTTPRouteHandler

from clawactors.app.web.scopes import scope_of
from tests.app.web.conftest import application
from tests.architecture.source import ROOT

__all__ = ["PAGE", "rows"]

PAGE = ROOT / "docs" / "http.md"
_HEAD = "| path | does | scope |\n| --- | --- | --- |\n"


def rows() -> Iterator[str]:
    """One line for each path and method."""
    found: dict[tuple[str, str], str] = {}
    for route in application().routes:
        for handler in getattr(route, "route_handlers", ()):
            if isinstance(handler, HTTPRouteHandler) and route.path.startswith("/api/v1") and handler.operation_id:
                path = re.sub(r":\w+", "", route.path.removeprefix("/api/v1"))
                said = (handler.fn.__doc__ or "").strip().splitlines()[0].replace("|", "\\|")
                for method in handler.http_methods - {"OPTIONS", "HEAD"}:
                    found[path, method] = f"| `{method} {path}` | {said} | {scope_of(handler) or 'any'} |"
    return (found[key] for key in sorted(found))


if __name__ == "__main__":
    page = PAGE.read_text("utf-8")
    begin = page.index(_HEAD) + len(_HEAD)
    PAGE.write_text(page[:begin] + "\n".join(rows()) + "\n", "utf-8")
