"""Rows for people: a task or a node as a card, many as a table."""

from collections.abc import Iterable, Iterator
from typing import Any

from clawactors.app.cli.screen import Screen, card, short, table, when
from clawactors.systems.tasks.payload import is_reference, shown_size

__all__ = ["node_card", "node_table", "task_card", "task_table"]

type Row = dict[str, Any]


def task_card(screen: Screen, row: Row) -> Iterator[str]:
    """Everything of a task that is set, its steps below."""
    error = row["error"]
    yield from card(
        screen,
        [
            ("id", row["id"]),
            ("status", row["status"]),
            ("waiting for", row["waiting_for"]),
            ("skill", row["skill"]),
            ("name", row["name"]),
            ("description", row["description"]),
            ("user", row["user"]),
            ("priority", row["priority"]),
            ("params", _value(row["params"])),
            ("requires", row["requires"]),
            ("prefers", row["prefers"]),
            ("affinity", row["affinity"]),
            ("tags", row["tags"]),
            ("metadata", short(row["metadata"]) if row["metadata"] else ""),
            ("timeout", f"{row['timeout_s']:g} s" if row["timeout_s"] else ""),
            ("node", row["node"]),
            ("attempt", row["attempt"]),
            ("retries", row["max_retries"]),
            ("progress", f"{row['progress']:g} %"),
            ("result", _value(row["result"])),
            ("error", f"{error['class']}: {error['message']}" if error else ""),
            ("submitted", when(row["submitted_at"])),
            ("scheduled", when(row["scheduled_at"])),
            ("started", when(row["started_at"])),
            ("completed", when(row["completed_at"])),
            ("version", row["version"]),
            ("needs upgrade", row.get("needs_upgrade")),
        ],
    )
    if row["steps"]:
        yield ""
        steps = (
            (s["name"], s["status"], when(s["completed_at"]), s["error"] or _value(s["result"])) for s in row["steps"]
        )
        yield from table(screen, ("STEP", "STATUS", "COMPLETED", "RESULT"), steps)


def task_table(screen: Screen, rows: Iterable[Row]) -> Iterator[str]:
    """One line a task."""
    return table(
        screen,
        ("ID", "STATUS", "SKILL", "NODE", "ATTEMPT", "PROGRESS", "SUBMITTED", "NAME"),
        (
            (
                row["id"],
                row["status"],
                row["skill"],
                row["node"],
                row["attempt"],
                f"{row['progress']:g}%",
                when(row["submitted_at"]),
                row["name"],
            )
            for row in rows
        ),
    )


def node_card(screen: Screen, row: Row) -> Iterator[str]:
    """Everything of a node that is known."""
    return card(
        screen,
        [
            ("id", row["id"]),
            ("status", row["status"]),
            ("reason", row.get("reason")),
            ("slots", row["slots"]),
            ("running", row["running"]),
            ("skills", row["skills"]),
            ("affinity", row["affinity"]),
            ("host", row["hostname"]),
            ("platform", f"{row['platform']} {row['arch']}"),
            ("ip", row["ip"]),
            ("overlay ip", row["overlay_ip"]),
            ("cpu", _percent(row["cpu"])),
            ("memory", _percent(row["memory"])),
            ("disk", _percent(row["disk"])),
            ("incarnation", row["incarnation"]),
            ("processed", row["processed"]),
            ("succeeded", row["succeeded"]),
            ("failed", row["failed"]),
            ("mean", f"{row['mean_s']:g} s" if row["processed"] else ""),
            ("registered", when(row["registered_at"])),
            ("heartbeat", when(row["last_heartbeat_at"])),
        ],
    )


def node_table(screen: Screen, rows: Iterable[Row]) -> Iterator[str]:
    """One line a node."""
    return table(
        screen,
        ("ID", "STATUS", "SLOTS", "RUNNING", "CPU", "MEMORY", "PROCESSED", "FAILED", "HOST", "HEARTBEAT"),
        (
            (
                row["id"],
                row["status"],
                row["slots"],
                row["running"],
                _percent(row["cpu"]),
                _percent(row["memory"]),
                row["processed"],
                row["failed"],
                row["hostname"],
                when(row["last_heartbeat_at"]),
            )
            for row in rows
        ),
    )


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0f} %"


def _value(value: Any) -> str:
    if not is_reference(value):
        return short(value)
    size_bytes = value.get("bytes")
    return f"{shown_size(size_bytes) if isinstance(size_bytes, int) else '?'}, by reference (--full shows it)"
