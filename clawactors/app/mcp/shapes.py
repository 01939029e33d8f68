"""The shapes of structured answers, as JSON Schema. Rows are those of `claw … --json`, without what is empty."""

from typing import Any, Final

__all__ = ["ANSWER", "CHANGES", "MEMORY_ROWS", "TASK", "TASKS", "listed", "shape"]

_TEXT: Final = {"type": "string"}
_NUMBER: Final = {"type": "number"}
_WHOLE: Final = {"type": "integer"}


def shape(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """An object with these properties, open for others."""
    return {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required)}


def listed(name: str, row: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """An object with a list of rows; `left_out` says how many did not fit into the answer."""
    rows = {"type": "array", "items": row or {"type": "object"}}
    return shape({name: rows}, {"left_out": _WHOLE, **more})


ANSWER: Final = shape({})
"""Any object."""

_TASK_FIELDS: Final[dict[str, Any]] = {
    "name": _TEXT,
    "user": _TEXT,
    "params": {"description": "its parameters, or their beginning as text where they are large"},
    "node": _TEXT,
    "attempt": _WHOLE,
    "progress": {"type": "number", "description": "in percent"},
    "waiting_for": _TEXT,
    "parent": _TEXT,
    "result": {"description": "what it returned; its beginning as text where it is large: get_result has the rest"},
    "error": {"type": "object", "properties": {"class": _TEXT, "message": _TEXT}},
    "submitted_at": _TEXT,
    "completed_at": _TEXT,
    "ended": {"type": "boolean", "description": "false where it is still under way"},
    "next": {"type": "string", "description": "what to do next"},
    "warning": {"type": "string", "description": "why it would not run now"},
}
_TASK_ROW: Final = shape({"id": _TEXT, "skill": _TEXT, "status": _TEXT})
TASK: Final = shape({"id": _TEXT, "skill": _TEXT, "status": _TEXT}, _TASK_FIELDS)
"""A task."""
TASKS: Final = listed("tasks", _TASK_ROW, cursor={"type": "string", "description": "asks for the next page"})
"""A page of tasks."""
CHANGES: Final = listed("changes", shape({"id": _TEXT}, {"status": _TEXT, "refusal": _TEXT}))
"""What became of each of many tasks."""
MEMORY_ROWS: Final = listed("memories", shape({"id": _TEXT}, {"text": _TEXT, "score": _NUMBER, "at": _TEXT}))
"""Memories."""
