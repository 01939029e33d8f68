"""`claw cancel`, `pause`, `resume`, `retry`, `delete`: change one task, several, or all that a filter selects."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from clawactors.app.cli.output import emit, note
from clawactors.app.cli.progress import ProgressBar
from clawactors.app.cli.rows import task_card, task_table
from clawactors.app.cli.selection import confirmed, has_filter, select, show_selected
from clawactors.app.cli.session import by_id, change_by_id, explained, with_client
from clawactors.app.client import Client
from clawactors.app.problem import EXITS
from clawactors.kernel.fold import Snapshot
from clawactors.runtime.client.rows import TaskRow, task_row
from clawactors.runtime.client.selecting import CHANGEABLE
from clawactors.systems.tasks import Task
from clawactors.systems.tasks.submission import checked_id

__all__ = ["run"]

type _Change = Callable[[str], Awaitable[Snapshot[Task]]]


def run(options: Any) -> int:
    """Changes the tasks and prints their new state: one row for one id, otherwise a list."""
    chosen = has_filter(options)
    ids = [checked_id(id) for id in options.ids]

    async def change(client: Client) -> int:
        make = _change_of(client, options)
        if len(ids) == 1 and not options.dry_run:
            return await change_by_id(client, ids[0], lambda full: _change_one(options, make, full))
        if chosen:
            rows = await select(client, options, CHANGEABLE[options.command])
        elif options.dry_run:
            rows = [await by_id(client, id, client.task) for id in ids]
        if options.dry_run:
            return show_selected(options, rows)
        wanted = [row.id for row in rows] if chosen else ids
        if not confirmed(options, len(wanted)):
            return 0
        return await _change_many(client, options, make, wanted, named=not chosen)

    return with_client(options, change)


def _change_of(client: Client, options: Any) -> _Change:
    if options.command == "retry":
        return lambda full: client.retry(full, deadline_ns=options.deadline)
    changes: dict[str, _Change] = {
        "cancel": lambda full: client.cancel(full, undo=options.undo, now=options.now),
        "pause": client.pause,
        "resume": client.resume,
        "delete": client.delete,
    }
    return changes[options.command]


async def _change_one(options: Any, make: _Change, id: str) -> int:
    def hint(refusal: str) -> str:
        if options.command != "retry":
            return f"claw task {id} --history shows what happened to it"
        another = f"; claw retry {id} --deadline T gives it another deadline" if "deadline" in refusal else ""
        return f"claw why {id} says more{another}"

    with explained(hint):
        row = task_row(id, await make(id))
    emit(options, row, lambda: task_card(row))
    _note_requests(options, [row])
    return 0


async def _change_many(client: Client, options: Any, make: _Change, ids: Sequence[str], *, named: bool) -> int:
    with ProgressBar(options.command, len(ids), shown=not options.json) as bar:
        reports = await client.change_many(
            ids,
            lambda each: change_by_id(client, each, make) if named else make(each),
            progress=lambda done, _: bar.at(done),
        )
    rows = [report.row for report in reports if report.row is not None]
    refused = [report for report in reports if report.row is None]
    emit(options, rows, lambda: task_table(rows))
    _note_requests(options, rows)
    if refused:
        note(f"{len(refused)} not changed, such as {refused[0].id}: {refused[0].refusal}")
    # What a filter has found may move on before its turn comes: that is no failure.
    return EXITS["refused"] if refused and (named or not rows) else 0


def _note_requests(options: Any, rows: Sequence[TaskRow]) -> None:
    """Says that running code has yet to stop: until then its task has the status that it had."""
    left = [row.id for row in rows if options.command == "cancel" and row.status != "cancelled"]
    if left:
        tasks = f"task {left[0]}" if len(left) == 1 else f"{len(left)} tasks"
        note(f"cancel requested: {tasks} will be cancelled when the code has stopped; claw why {left[0]} says more")
