"""What a request is held to before its path reads it.

1. Who asks needs the scope of the path.
2. A parameter that the path does not have is refused: a filter with a wrong name would select everything.
3. A key for a user reaches what is that user's: see `confined`.
4. A task may be called `batch` or `change`, as two paths are: it is reached under a spelling that no id has.
"""

from functools import cache
from typing import Any, Final

from litestar import Request
from litestar.handlers import BaseRouteHandler

from clawactors.app.web.confined import check_confined, confined_to
from clawactors.app.web.keyring import Asker
from clawactors.app.web.problems import HELP
from clawactors.app.web.scopes import check_scope
from clawactors.kernel.errors import InvalidQuery

__all__ = ["checked_request", "spelled"]

_TASKS: Final = "/api/v1/tasks/"
_PATHS: Final = ("batch", "change")
_MARK: Final = "~"


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


def spelled(path: str, method: str) -> str:
    """The path, with a task of such a name spelled so that it is no path of many tasks."""
    if path.startswith(_TASKS):
        name, slash, rest = path.removeprefix(_TASKS).partition("/")
        if name in _PATHS and (slash or method != "POST"):
            return f"{_TASKS}{_MARK}{name}{slash}{rest}"
    return path


async def checked_request(request: Request[Any, Any, Any]) -> None:
    """Raises: `HttpProblem` (403) for a missing scope, `NotFound`, `InvalidQuery` for an unknown parameter."""
    # Not a guard of litestar: it hands a copy of the connection and of the handler to each, which costs a fifth of all.
    asker: Asker = request.scope["state"]["asker"]
    check_scope(asker, request.route_handler)
    id = request.path_params.get("id")
    if isinstance(id, str) and id.startswith(_MARK) and id[1:] in _PATHS:
        request.scope["path_params"] = {**request.path_params, "id": id[1:]}
    if confined_to(asker):
        await check_confined(request, await request.app.state.clients.client(asker.user, asker.principal))
    if not request.scope["query_string"]:
        return
    known = _known(request.route_handler)
    for name in request.query_params:
        if name not in known:
            import difflib  # is needed for an error only

            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else HELP
            raise InvalidQuery(f"there is no parameter {name[:60]!r}: {hint}")
