"""`claw task`: one task, now or at an earlier time."""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from clawactors.app.cli.output import Part, Table, emit, note, short, when
from clawactors.app.cli.reading import with_reading
from clawactors.app.cli.rows import task_card, task_tree
from clawactors.app.cli.session import by_id, with_client
from clawactors.app.cli.watching import watch
from clawactors.app.client import Client
from clawactors.app.places import place_ns
from clawactors.app.problem import Problem
from clawactors.runtime.client.past import PastReading
from clawactors.runtime.client.rows import TaskRow
from clawactors.systems.tasks import FINAL
from clawactors.systems.tasks.payload import is_reference

__all__ = ["run"]


def run(options: Any) -> int:
    """Shows it."""
    if options.tree and (options.watch or options.history or options.result or options.full or options.at):
        raise Problem("usage", "--tree shows the tasks as they are now", "claw task --tree ID")
    if options.watch and (options.history or options.result or options.full or options.at):
        raise Problem("usage", "--watch shows the state as it changes", "claw task ID --watch")

    async def show(client: Client) -> int:
        earlier = await place_ns(client, options.at)
        if options.history:
            entries = await by_id(client, options.id, lambda full: client.history(full, **earlier))
            history = [entry.row for entry in entries]
            emit(options, history, lambda: _history(history))
            return 0
        if options.tree:
            tree = await by_id(client, options.id, client.task_tree)
            emit(options, tree.rows, lambda: task_tree(tree.rows))
            if tree.more:
                note(f"there are more: claw tasks --parent {tree.rows[0].id} lists children page by page")
            return 0
        row = await by_id(client, options.id, lambda full: client.task(full, **earlier))
        if options.watch:
            return await watch(options, lambda: client.task(row.id), task_card, lambda seen: seen.status in FINAL)
        if options.result:
            await _show_result(client, row)
        else:
            shown = await _full(client, row) if options.full else row
            emit(options, shown, lambda: task_card(shown))
        return 0

    if options.views:
        return with_reading(options, show, lambda past: _show_from_views(options, past))
    return with_client(options, show)


async def _show_from_views(options: Any, past: PastReading) -> int:
    if options.history or options.result or options.full:
        raise Problem("usage", "views hold states, not histories and large values", "leave out --views")
    if options.tree:
        tree = await by_id(past, options.id, past.task_tree)
        emit(options, tree.rows, lambda: task_tree(tree.rows))
        return 0
    row = await by_id(past, options.id, past.task)
    emit(options, row, lambda: task_card(row))
    return 0


async def _show_result(client: Client, row: TaskRow) -> None:
    if (row.ended or row.status) != "completed":
        state = f"{row.status}, and had ended as {row.ended}" if row.ended else row.status
        raise Problem("refused", f"task {row.id} is {state}, so it has no result", f"claw why {row.id} says more")
    if row.erased:
        raise Problem("refused", f"what task {row.id} returned was erased with all data of its user", "run it anew")
    # The row of an archived task lacks the result where its file can't be read: asked for, that is an error.
    result = await client.ref(row.id).result() if row.ended else await _whole(client, row.result)
    sys.stdout.flush()
    sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")
    sys.stdout.flush()


async def _full(client: Client, row: TaskRow) -> TaskRow:
    steps = [replace(step, result=await _whole(client, step.result)) for step in row.steps or ()]
    params, result = await _whole(client, row.params), await _whole(client, row.result)
    return replace(row, params=params, result=result, steps=tuple(steps))


async def _whole(client: Client, value: Any) -> Any:
    return await client.payloads.load_payload(value) if is_reference(value) else value


def _history(history: Iterable[dict[str, Any]]) -> Iterator[Part]:
    told = ("seq", "at", "type", "by")
    yield Table(
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
