"""Schedules for people: one as a card, many as a table."""

from collections.abc import Iterable, Iterator
from typing import Any

from clawactors.app.cli.screen import Screen, card, short, table, when

__all__ = ["schedule_card", "schedule_table"]

type Row = dict[str, Any]


def schedule_card(screen: Screen, row: Row) -> Iterator[str]:
    """Everything of a schedule that is set."""
    return card(
        screen,
        [
            ("name", row["name"]),
            ("status", row["status"]),
            ("cron", f"{row['cron']} ({row['zone']})"),
            ("catch-up", row["catch_up"]),
            ("skill", row["skill"]),
            ("params", short(row["params"])),
            ("user", row["user"]),
            ("priority", row["priority"]),
            ("tags", row["tags"]),
            ("next", when(row["next_at"])),
            ("last", when(row["last_at"])),
            ("last task", row["last_task"]),
            ("fired", row["fired"]),
            ("version", row["version"]),
        ],
    )


def schedule_table(screen: Screen, rows: Iterable[Row]) -> Iterator[str]:
    """One line a schedule."""
    return table(
        screen,
        ("NAME", "STATUS", "CRON", "ZONE", "SKILL", "NEXT", "LAST TASK", "FIRED"),
        (
            (
                row["name"],
                row["status"],
                row["cron"],
                row["zone"],
                row["skill"],
                when(row["next_at"]),
                row["last_task"],
                row["fired"],
            )
            for row in rows
        ),
    )
