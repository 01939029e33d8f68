"""`claw diff`: what changed in a task between two moments."""

from collections.abc import Iterator
from typing import Any

from clawactors.app.cli.output import Facts, Part, Table, emit, short, when
from clawactors.app.cli.session import by_id, with_client
from clawactors.app.client import Client
from clawactors.app.places import place_ns
from clawactors.runtime.client.difference import TaskDifference

__all__ = ["run"]


def run(options: Any) -> int:
    """Shows the fields that differ, and the events between."""

    async def show(client: Client) -> int:
        begin, end = await place_ns(client, options.begin), await place_ns(client, options.end)
        found = await by_id(
            client,
            options.id,
            lambda full: client.difference(
                full, from_seq=begin.get("at_seq"), begin=begin.get("at"), to_seq=end.get("at_seq"), end=end.get("at")
            ),
        )
        emit(options, found.row, lambda: _shown(found))
        return 0

    return with_client(options, show)


def _shown(found: TaskDifference) -> Iterator[Part]:
    yield Facts([("task", found.id), ("from", _edge(found.begin)), ("to", _edge(found.end))])
    if not found.changed:
        yield "nothing has changed"
        return
    yield Table(
        ("FIELD", "BEFORE", "AFTER"),
        ((name, short(change.before, 60), short(change.after, 60)) for name, change in found.changed.items()),
    )
    yield Table(
        ("SEQ", "AT", "EVENT", "BY", "WHAT"),
        (
            (entry.seq, when(entry.at), entry.type, entry.row.get("by"), short(entry.data or None, 120))
            for entry in found.events
        ),
    )


def _edge(edge: Any) -> str:
    return f"{edge.version or 'before its first event'}{f', {when(edge.at)}' if edge.at else ''}"
