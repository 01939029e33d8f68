"""What `claw mcp` was started with."""

from typing import Final

import msgspec

__all__ = ["DEFAULT_GROUPS", "GROUPS", "McpOptions"]

GROUPS: Final = {
    "tasks": "submit, wait, list, explain, change tasks; approvals; logs",
    "memory": "remember, recall, contexts, conversations, forget",
    "cluster": "nodes, skills, status, statistics",
    "schedules": "schedules, triggers, workflows",
    "past": "the cluster at a past moment; the archive",
    "care": "settings, notifications, changes of nodes, archive, backups, checks, erasing",
    "details": "what is needed less often for tasks and memory; many tasks at once",
}
"""The groups of tools, and what each has."""

DEFAULT_GROUPS: Final = ("tasks", "memory", "cluster")
"""Editors bound how many tools they show, and each costs a model some attention."""


class McpOptions(msgspec.Struct, frozen=True, kw_only=True):
    """`export` are patterns of names of skills. `wait_s` bounds how long one call of a skill waits for its task."""

    user: str = "mcp"
    groups: tuple[str, ...] = DEFAULT_GROUPS
    export: tuple[str, ...] = ()
    read_only: bool = False
    allow_destructive: bool = False
    approve_own: bool = False
    leave_running: bool = False
    wait_s: float = 50.0
    limit_chars: int = 40_000
