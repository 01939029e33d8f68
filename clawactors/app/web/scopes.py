"""Which scope each path needs.

`read`: look at everything but memories. `tasks`: submit and change tasks, answer approvals, run workflows, put files.
`memory`: read and change memories and conversations. `admin`: all of it, and what changes the cluster.
"""

from typing import Final

from litestar.handlers import BaseRouteHandler, HTTPRouteHandler

from clawactors.app.web.keyring import Asker
from clawactors.app.web.problems import HttpProblem

__all__ = ["check_scope", "scope_of"]

_TASKS: Final = frozenset(("tasks", "files", "approvals", "events"))
_FOR_TASKS: Final = frozenset(("workflows.submit", "workflows.check_params", "workflows.check"))
_ALWAYS: Final = frozenset(("session", "sign_out"))


def scope_of(handler: BaseRouteHandler) -> str:
    """The scope that a caller needs, '' where everybody who is known may."""
    if not isinstance(handler, HTTPRouteHandler) or handler.operation_id in _ALWAYS:
        return ""
    tags = frozenset(handler.resolve_tags() or ())
    if "memories" in tags:
        return "memory"
    if "keys" in tags or "identities" in tags:
        return "admin"
    if handler.http_methods <= {"GET", "HEAD"}:
        return "read"
    return "tasks" if tags & _TASKS or handler.operation_id in _FOR_TASKS else "admin"


def check_scope(asker: Asker, handler: BaseRouteHandler) -> None:
    """Raises: `HttpProblem` (403) for a key that has not the scope that this path needs."""
    scopes = handler.opt.get("scope")
    if scopes is None:
        scopes = handler.opt["scope"] = scope_of(handler)
    if scopes and scopes not in asker.scopes and not (scopes == "read" and "tasks" in asker.scopes):
        raise HttpProblem(
            403,
            "forbidden",
            f"this key has not the scope {scopes!r}; it has {', '.join(sorted(asker.scopes))}",
            "claw key add NAME --scope adds a key with other scopes",
        )
