"""What a key for a user reaches: that user's tasks, as if there were no others. The scope `admin` sees all.

1. A path of a task of another user answers as if there were no such task.
2. A list is narrowed to the user, whatever filter comes with it.
3. A path that tells of all, or that nobody has thought of here, is closed.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from litestar import Request

from clawactors.app.web.keyring import Asker
from clawactors.app.web.problems import HttpProblem
from clawactors.kernel.errors import NotFound
from clawactors.runtime.client import ClusterClient

__all__ = ["CLOSED", "OPEN", "check_confined", "check_own", "confined_to"]

_OF_ONE_TASK: Final = frozenset((
    "task", "delete", "edit", "difference", "files.of", "files.read", "history", "result", "steps", "task_tree",
    "why", "ask_task", "cancel", "fork", "pause", "redrive", "resume", "retry", "signal", "approve", "deny",
    "task_events", "stream", "memories.working", "workflows.diagram",
))  # fmt: skip
"""They name a task, in the path or beside it."""
_ANSWERS: Final = frozenset(("approve", "deny"))
_NARROWED: Final = frozenset(("tasks", "archived", "count", "events"))
_HARMLESS: Final = frozenset((
    "submit", "submit_many", "change_tasks", "approvals", "session", "sign_out", "skills_known", "skill",
    "nodes", "node", "status", "leader", "files.put", "blob", "workflows.list", "workflows.get",
    "workflows.check", "workflows.check_params", "workflows.submit",
))  # fmt: skip
"""They tell of no task, or look themselves at whose it is."""
OPEN: Final = _OF_ONE_TASK | _NARROWED | _HARMLESS
CLOSED: Final = frozenset((
    "ids", "pending", "queue", "statistics", "overview", "checks", "dead_letters.get", "dead_letters.list",
    "dead_letters.drop", "dead_letters.redrive", "schedules.list", "schedules.get", "triggers.list",
    "triggers.get", "backups.get", "config.list", "config.get", "config.history", "config.difference",
    "notifications.list", "notifications.get", "notifications.alarms", "bridges.list",
))  # fmt: skip
"""What else a key without the scope `admin` could reach."""


async def check_confined(request: Request[Any, Any, Any], client: ClusterClient) -> None:
    """Narrows what is asked to the user of the key. Raises: `NotFound`, `HttpProblem` (403), `Unavailable`."""
    name, tags = request.route_handler.operation_id, frozenset(request.route_handler.resolve_tags() or ())
    if name in _OF_ONE_TASK:
        named = [request.path_params[each] for each in ("id", "task") if each in request.path_params]
        named += [task for task in request.query_params.getall("task", []) if task]
        await check_own(client, named, answers=name in _ANSWERS)
    elif name in _NARROWED:
        given = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if any(user not in ("", client.user) for key, user in given if key == "user"):
            raise _closed(client.user, "it can't ask for tasks of others")
        query = [each for each in given if each[0] != "user"] + [("user", client.user)]
        request.scope["query_string"] = urlencode(query).encode()
    elif name not in _HARMLESS and "memories" not in tags:
        raise _closed(client.user, "this path tells of all")


async def check_own(client: ClusterClient, ids: Iterable[str], *, answers: bool = False) -> None:
    """Raises `NotFound` for a task of another user; `answers`: unless that one asks this user for an approval."""
    rows = await asyncio.gather(*(client.task(id) for id in ids))
    for row in rows:
        if row.user != client.user and not (answers and await _is_asked(client, row.id)):
            raise NotFound(f"there is no task {row.id!r}")


async def _is_asked(client: ClusterClient, id: str) -> bool:
    asked = await client.approvals(by=client.principal)
    return any(each.task == id and client.principal in each.by for each in asked)


def confined_to(asker: Asker) -> str:
    """The user whose tasks are all that who asks may see, '' for those of all."""
    return asker.user if asker.key and "admin" not in asker.scopes else ""


def _closed(user: str, why: str) -> HttpProblem:
    return HttpProblem(
        403, "forbidden", f"this key acts for {user!r}, and {why}", "use a key without --user, or with --scope admin"
    )
