"""`claw task`: one task from its log, now or as it was."""

import sys
from collections.abc import Iterator
from typing import Any

import msgspec

from clawactors.app.cli.parsing import Parser, place
from clawactors.app.cli.past import Past, read_past
from clawactors.app.cli.problem import Problem
from clawactors.app.cli.rows import task_card
from clawactors.app.cli.screen import Screen, emit, short, table, when
from clawactors.app.cli.session import with_client
from clawactors.app.client import Client
from clawactors.systems.tasks.payload import is_reference

__all__ = ["arguments", "run"]


def arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add_argument("id", metavar="ID")
    parser.add_argument("--history", action="store_true", help="every event instead of the state")
    parser.add_argument("--result", action="store_true", help="its result alone, whole however large it is")
    parser.add_argument("--full", action="store_true", help="the row with what is large in it instead of references")
    parser.add_argument("--at", type=place, metavar="SEQ|TIME", help="as it was at that place or time of the log")


def run(options: Any) -> int:
    """Shows it."""

    async def show(client: Client) -> int:
        past = await read_past(client, options.id, options.at)
        if options.history:
            history = past.history
            emit(options, history, lambda screen: _history(screen, history))
        elif options.result:
            await _show_result(client, past)
        else:
            row = await _full(client, past.row) if options.full else past.row
            emit(options, row, lambda screen: task_card(screen, row))
        return 0

    return with_client(options, show)


async def _show_result(client: Client, past: Past) -> None:
    if (status := past.folded.state.life.status) != "completed":
        raise Problem("refused", f"task {past.id} is {status}, so it has no result", f"claw why {past.id} says more")
    result = await _whole(client, past.row["result"])
    sys.stdout.flush()
    sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")
    sys.stdout.flush()


async def _full(client: Client, row: dict[str, Any]) -> dict[str, Any]:
    steps = [step | {"result": await _whole(client, step["result"])} for step in row["steps"]]
    params, result = await _whole(client, row["params"]), await _whole(client, row["result"])
    return row | {"params": params, "result": result, "steps": steps}


async def _whole(client: Client, value: Any) -> Any:
    return await client.payloads.whole(value) if is_reference(value) else value


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
