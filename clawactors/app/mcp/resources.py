"""Resources: tasks, their histories, logs and results, memories, and the cluster's status, as JSON or text.

1. `claw://task/{id}` is read as get_task answers it, but whole, up to a limit of its own.
2. An address that is nobody's is an error of the protocol, as the protocol wants it.
"""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

import msgspec
from mcp_types import Resource, ResourceTemplate

from clawactors.app.mcp.cutting import cut_text, sparse
from clawactors.app.mcp.tools.reading import chunk_row
from clawactors.kernel.errors import NotFound
from clawactors.runtime.client import ClusterClient
from clawactors.runtime.output import LOG

__all__ = ["TEMPLATES", "read_resource", "recent_resources", "task_in", "task_uri"]

_JSON: Final = "application/json"
_TEXT: Final = "text/plain"
_MOST_CHARS: Final = 1_000_000
_RECENT: Final = 20
_FIXED: Final = {
    "claw://status": ("Status of the cluster", "Tasks and nodes by status, the log, faults, the last backup"),
    "claw://approvals": ("Open approvals", "What tasks ask people for"),
}


def _template(path: str, title: str, description: str, mime: str = _JSON) -> ResourceTemplate:
    name = path.replace("/{id}", "").replace("/", "-")
    return ResourceTemplate(
        uri_template=f"claw://{path}", name=name, title=title, description=description, mime_type=mime
    )


TEMPLATES: Final = (
    _template("task/{id}", "Task", "A task: status, parameters, steps, result or error"),
    _template("task/{id}/history", "History of a task", "Every event of a task, oldest first"),
    _template("task/{id}/logs", "Log of a task", "What a task printed and logged", _TEXT),
    _template("task/{id}/result", "Result of a task", "What a task returned"),
    _template("memory/{id}", "Memory", "A memory with its sources"),
)


def task_uri(id: str) -> str:
    """The address of a task."""
    return f"claw://task/{quote(id, safe='')}"


def task_in(uri: str) -> str:
    """The id of the task whose resource this is, '' for others."""
    host, parts = _place(uri)
    return parts[0] if host == "task" and parts else ""


async def recent_resources(client: ClusterClient) -> list[Resource]:
    """The fixed ones, and the tasks that were submitted last. Raises: `Unavailable`."""
    fixed = [
        Resource(uri=uri, name=uri.removeprefix("claw://"), title=title, description=text, mime_type=_JSON)
        for uri, (title, text) in _FIXED.items()
    ]
    rows = await client.tasks(limit=_RECENT)
    return fixed + [
        Resource(
            uri=task_uri(row.id),
            name=row.id,
            title=cut_text(row.name or row.skill, 100),
            description=f"{row.skill}, {row.status}",
            mime_type=_JSON,
        )
        for row in rows
    ]


async def read_resource(client: ClusterClient, uri: str) -> tuple[str, str]:
    """Text and media type of a resource. Raises: `NotFound`, `Refused`, `Unavailable`."""
    host, parts = _place(uri)
    match host, parts:
        case "status", []:
            return _json(await client.status()), _JSON
        case "approvals", []:
            return _json([sparse(row) for row in await client.approvals()]), _JSON
        case "task", [id]:
            return _json(sparse(await client.task(id))), _JSON
        case "task", [id, part] if part in _PARTS:
            return await _PARTS[part](client, id)
        case "memory", [id]:
            return _json(await client.memories.get(id)), _JSON
    raise NotFound(f"there is no resource {uri[:200]!r}; resources/templates/list names all")


def _place(uri: str) -> tuple[str, list[str]]:
    try:
        parts = urlsplit(uri)
        if parts.scheme != "claw":
            return "", []
        return parts.netloc, [unquote(each) for each in parts.path.split("/") if each]
    except ValueError:
        return "", []


async def _history(client: ClusterClient, id: str) -> tuple[str, str]:
    return _json([entry.row for entry in await client.history(id)]), _JSON


async def _result(client: ClusterClient, id: str) -> tuple[str, str]:
    return _json((await client.task(id)).result), _JSON


async def _logs(client: ClusterClient, id: str) -> tuple[str, str]:
    """The end of the log: it says most."""
    lines: list[str] = []
    size = 0
    async with aclosing(client.ref(id).stream(LOG, live=False)) as chunks:
        async for chunk in chunks:
            lines.append(str(chunk_row(chunk).get("text", "")))
            size += len(lines[-1])
            while size > _MOST_CHARS:
                size -= len(lines.pop(0))
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines), _TEXT


type _Part = Callable[[ClusterClient, str], Awaitable[tuple[str, str]]]

_PARTS: Final[dict[str, _Part]] = {"history": _history, "result": _result, "logs": _logs}


def _json(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _MOST_CHARS else cut_text(text, _MOST_CHARS, "the tool get_result has the rest")
