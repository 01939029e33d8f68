"""Skills as tools: those that match the patterns, as nodes offer them now.

1. The name of such a tool begins with `skill_`, so that no skill can stand in for another tool.
2. Skills that run any code, or change machines, are exported by their whole name only, by no pattern.
"""

import fnmatch
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from clawactors.app.mcp.calling import CallContext
from clawactors.app.mcp.cutting import fitted
from clawactors.app.mcp.following import cancelled_with, wait_for
from clawactors.app.mcp.shapes import shape
from clawactors.app.mcp.tools.submitting import CALLERS, RISKY
from clawactors.app.problem import Problem
from clawactors.runtime.client.rows import SkillRow
from clawactors.runtime.client.waiting import TaskFailed

__all__ = ["SKILL_OUTPUT", "ExportedSkill", "exported_skills"]

_PREFIX: Final = "skill_"
_NAME_MAX: Final = 48
"""Clients put the name of the server before it, and some take 60 characters in all, letters, digits and `_` only."""
_UNFIT: Final = re.compile(r"[^A-Za-z0-9_]")
_TEXT_MAX: Final = 2000
_UNDER_WAY: Final = "it is still under way: wait_task waits for it"
_GET_RESULT: Final = "get_result has it in pages"

SKILL_OUTPUT: Final = shape(
    {"task": {"type": "string"}, "status": {"type": "string"}},
    {"result": {"description": "what the skill returned"}, "next": {"type": "string"}},
)


class ExportedSkill:
    """One skill as a tool."""

    def __init__(self, name: str, row: SkillRow, *, leave_running: bool = False) -> None:
        self.name, self.skill, self.title = name, row.name, row.name
        text = "".join(each if each.isprintable() or each == "\n" else " " for each in row.description)
        ends = "leaves the task running" if leave_running else "cancels the task"
        durable = f"Runs as a durable task; cancelling the call {ends}."
        self.description = f"{(text or f'Runs the skill {row.name}.')[:_TEXT_MAX]}\n\n{durable}"
        self.input_schema = _schema(row.parameters, is_open=row.open)

    async def __call__(self, call: CallContext, params: Mapping[str, Any]) -> dict[str, Any]:
        """Submits a task of the skill, waits for it as long as a call may, and returns its result.

        Raises: `TaskFailed`, `Refused` (parameters that don't fit), `Problem` (it needs a person), `Unavailable`.
        """
        client = await call.client()
        ref = await client.submit(self.skill, params, tags=["mcp"])
        waiting = wait_for(call, ref.id, call.options.wait_s)
        await cancelled_with(call, ref, waiting, leave=call.options.leave_running)
        row = await (await call.client()).task(ref.id)
        if row.status in ("failed", "dead", "cancelled"):
            state = (await client.snapshot(ref.id, brief=True)).state
            raise TaskFailed(ref.id, row.status, state.life.error)
        if row.status == "blocked":
            reason = row.error.message if row.error else "it needs a person"
            raise Problem("blocked", f"task {ref.id} is blocked: {reason}", "why says what it needs")
        answer = {"task": ref.id, "status": row.status}
        answer |= {"result": row.result} if row.status == "completed" else {"next": _UNDER_WAY}
        return fitted(answer, call.options.limit_chars, _GET_RESULT)


def exported_skills(
    patterns: Sequence[str], rows: Iterable[SkillRow], *, leave_running: bool = False
) -> dict[str, ExportedSkill]:
    """The skills that the patterns allow, by the names of their tools."""
    found: dict[str, ExportedSkill] = {}
    for row in rows:
        if not row.nodes or not _allowed(patterns, row.name):
            continue
        name = _tool_name(row.name)
        found[name] = ExportedSkill(name, row, leave_running=leave_running)
    return found


def _allowed(patterns: Sequence[str], name: str) -> bool:
    return name in patterns or (
        name not in RISKY | CALLERS and any(fnmatch.fnmatchcase(name, each) for each in patterns)
    )


def _tool_name(skill: str) -> str:
    """A name that all clients take; two skills never have the same one."""
    fit = _PREFIX + _UNFIT.sub("_", skill)
    if fit == _PREFIX + skill and len(fit) <= _NAME_MAX:
        return fit
    digest = hashlib.blake2b(skill.encode(), digest_size=4).hexdigest()
    return f"{fit[: _NAME_MAX - len(digest) - 1]}_{digest}"


def _schema(parameters: Iterable[Mapping[str, Any]], *, is_open: bool) -> dict[str, Any]:
    properties = {each["name"]: _type(str(each.get("type", "any"))) for each in parameters}
    required = [each["name"] for each in parameters if each.get("required", True)]
    schema: dict[str, Any] = {"type": "object", "properties": properties, "required": required}
    return schema if is_open else schema | {"additionalProperties": False}


def _type(said: str) -> dict[str, Any]:
    """One type, or none where it is a union: not all clients take unions, and control checks the parameters anyway."""
    types = [each for each in (part.strip() for part in said.split("|")) if each != "null"]
    if len(types) != 1 or types[0] == "any":
        return {}
    return {"type": "array", "items": {}} if types[0] == "array" else {"type": types[0]}
