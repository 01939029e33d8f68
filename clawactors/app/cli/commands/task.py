"""`claw task`: one task from its log, now or as it was."""

from collections.abc import Iterator
from typing import Any

from clawactors.app.cli.parsing import Parser, place
from clawactors.app.cli.past import read_past
from clawactors.app.cli.rows import task_card
from clawactors.app.cli.screen import Screen, emit, short, table, when
from clawactors.app.cli.session import with_client
from clawactors.app.client import Client

__all__ = ["arguments", "run"]


def arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add_argument("id", metavar="ID")
    parser.add_argument("--history", action="store_true", help="every event instead of the state")
    parser.add_argument("--at", type=place, metavar="SEQ|TIME", help="as it was at that place or time of the log")


def run(options: Any) -> int:
    """Shows it."""

    async def show(client: Client) -> int:
        past = await read_past(client, options.id, options.at)
        if options.history:
            history = past.history
            emit(options, history, lambda screen: _history(screen, history))
        else:
            row = past.row
            emit(options, row, lambda screen: task_card(screen, row))
        return 0

    return with_client(options, show)


def _history(screen: Screen, history: list[dict[str, Any]]) -> Iterator[str]:
    told = ("seq", "at", "type", "by")
    return table(
        screen,
        ("SEQ", "AT", "EVENT", "BY", "WHAT"),
        (
            (
                entry["seq"],
                when(entry["at"]),
                entry["type"],
                entry.get("by"),
                short({name: value for name, value in entry.items() if name not in told} or None, 200),
            )
            for entry in history
        ),
    )
