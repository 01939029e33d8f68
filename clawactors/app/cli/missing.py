"""Tells what a new task, schedule, trigger or workflow names and nobody has yet. That is legal: it may come later."""

import contextlib
import difflib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from clawactors.app.cli.output import note
from clawactors.eventlog import Unavailable
from clawactors.kernel.errors import Refused
from clawactors.runtime.client import ClusterClient

__all__ = ["missing", "note_missing"]

_WORKFLOW = "workflow"
_TO_ALLOW: Final = {"shell": "shell", "python": "MODULE:FUNCTION"}
"""Skills that a node at a server of others offers only where it was told to."""


async def note_missing(client: ClusterClient, skill: str, params: Mapping[str, Any] | None, task: str) -> None:
    """Notes that no node offers the skill, or that no workflow can be run so. `task`: as in "its tasks"."""
    for each in await missing(client, skill, params, task):
        note(each)


async def missing(client: ClusterClient, skill: str, params: Mapping[str, Any] | None, task: str) -> list[str]:
    """The same as sentences; none where all is there, or nobody answers."""
    found: list[str] = []
    with contextlib.suppress(Unavailable):
        offered = [] if client.skills.knows(skill) else [row.name for row in await client.skills_known(fresh=False)]
        if not client.skills.knows(skill) and skill not in offered:
            near = difflib.get_close_matches(skill, offered, 1)
            meant = f" (did you mean {near[0]!r}?)" if near else ""
            wait = "wait" if task.endswith("s") else "waits"
            how = f": start it with --allow {_TO_ALLOW[skill]}" if skill in _TO_ALLOW else ""
            found.append(f"no node offers the skill {skill!r}{meant}; {task} {wait} until one does{how}")
        name = (params or {}).get(_WORKFLOW)
        if skill != _WORKFLOW or not isinstance(name, str) or "${" in name:
            return found
        given, version = (params or {}).get("params"), (params or {}).get("version")
        fits = isinstance(given, Mapping | None) and isinstance(version, int | None)
        try:
            if fits and b"${" not in msgspec.json.encode(given):  # what a trigger fills in is known once it goes off
                await client.workflows.check_params(name, given, version)
            else:
                await client.workflows.get(name)
        except Refused as error:
            found.append(f"{error}; {task} would fail now (claw workflow list shows all workflows)")
    return found
