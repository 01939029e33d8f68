"""Refuses parameters that a path does not have: a filter with a wrong name would select everything."""

from functools import cache
from typing import Any

from litestar import Request
from litestar.handlers import BaseRouteHandler

from clawactors.app.web.problems import HELP
from clawactors.kernel.errors import InvalidQuery

__all__ = ["refuse_unknown"]


@cache
def _known(handler: BaseRouteHandler) -> frozenset[str]:
    """The parameters of the path, those of its dependencies too."""
    found: set[str] = set()
    signatures = [
        handler.parsed_fn_signature,
        *(p.parsed_fn_signature for p in handler.resolve_dependencies().values()),
    ]
    for signature in signatures:
        for name, field in signature.parameters.items():
            found.add(getattr(field.kwarg_definition, "name", None) or name)
    return frozenset(found)


async def refuse_unknown(request: Request[Any, Any, Any]) -> None:
    """Raises: `InvalidQuery` with the nearest name."""
    if not request.scope["query_string"]:
        return
    known = _known(request.route_handler)
    for name in request.query_params:
        if name not in known:
            import difflib  # is needed for an error only

            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else HELP
            raise InvalidQuery(f"there is no parameter {name[:60]!r}: {hint}")
