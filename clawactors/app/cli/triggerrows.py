"""Prints triggers: one as a list of fields, many as a table."""

from collections.abc import Iterable, Iterator

from clawactors.app.cli.output import Facts, Part, Table, short, when
from clawactors.runtime.client.triggerrows import TriggerRow

__all__ = ["trigger_card", "trigger_table"]


def trigger_card(row: TriggerRow) -> Iterator[Part]:
    """All fields of a trigger that are set, and what it could not deliver."""
    yield Facts(
        [
            ("name", row.name),
            ("status", row.status),
            ("reason", row.reason),
            ("on", row.on),
            ("where", row.where),
            ("skill", row.skill),
            ("params", short(row.params) if row.params else None),
            ("webhook", row.webhook),
            ("secret", row.secret),
            ("publish", row.publish),
            ("notify", row.notify.to if row.notify else None),
            ("rate", f"{row.rate}/s"),
            ("fired", row.fired),
            ("failed", row.failed),
            ("redriving", row.again or None),
            ("last", when(row.last_at)),
            ("version", row.version),
        ]
    )
    if row.failures:
        yield Table(
            ("FAILED", "OF", "EVENT", "TRIES", "AT", "REASON"),
            ((each.id, each.of, each.event, each.tries, when(each.at), each.reason) for each in row.failures),
            uncut=("FAILED", "OF"),
        )


def trigger_table(rows: Iterable[TriggerRow]) -> Iterator[Part]:
    """One line per trigger."""
    yield Table(
        ("NAME", "STATUS", "ON", "DOES", "FIRED", "FAILED", "LAST", "REASON"),
        (
            (
                row.name,
                row.status,
                row.on,
                f"submit {row.skill}"
                if row.skill
                else row.webhook or row.publish or (row.notify and f"notify {row.notify.to}"),
                row.fired,
                row.failed,
                when(row.last_at),
                row.reason,
            )
            for row in rows
        ),
        uncut=("NAME",),
    )
