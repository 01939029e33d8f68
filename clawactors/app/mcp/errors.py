"""Errors as an agent sees them: the reason of the core, and what to do. Never a traceback."""

import logging
from typing import Any, Final

from clawactors.app.problem import Problem, problem_of
from clawactors.eventlog import Missing, NoResponders
from clawactors.runtime.client.waiting import TaskBlocked, TaskFailed

__all__ = ["problem_for_agent"]

_log = logging.getLogger(__name__)

_HINTS: Final = {
    "usage": "correct the arguments and call again",
    "not_found": "list_tasks, recall and nodes show what there is",
    "unavailable": "ask the person to run `claw up` or `claw doctor`, then call again",
    "timeout": "it may still complete: call wait_task or get_task",
    "blocked": "the tool why says what it needs",
    "failed": "the tools why and logs say more",
    "internal": "this is a fault in claw mcp; its log has the traceback",
}


def problem_for_agent(error: BaseException) -> dict[str, Any]:
    """Code, message and hint."""
    match error:
        case NoResponders():
            found = Problem("unavailable", f"no process of the cluster answers this now ({error})")
        case Missing():
            found = Problem("not_found", str(error))
        case TaskFailed():
            kind = f"{error.error.kind}: {error.error.message}" if error.error else "no reason is on record"
            found = Problem("failed", f"task {error.id} is {error.status}: {kind}", _HINTS["failed"])
        case TaskBlocked():
            found = Problem("blocked", f"task {error.id} is blocked: {error.reason}", _HINTS["blocked"])
        case _:
            found = problem_of(error)
    if found.code == "internal":
        _log.error("a call failed", exc_info=error)
    own = found.hint if found.has_own_hint else _HINTS.get(found.code, found.hint)
    return {"code": found.code, "message": found.message, "hint": own}
