"""`claw redrive`: retries dead tasks, one or many, at a limited rate."""

from typing import Any

from clawactors.app.cli.output import emit, note
from clawactors.app.cli.progress import ProgressBar
from clawactors.app.cli.rows import task_table
from clawactors.app.cli.selection import confirmed, show_selected
from clawactors.app.cli.session import with_client
from clawactors.app.client import Client
from clawactors.app.problem import Problem
from clawactors.runtime.client.redriving import RedriveReport
from clawactors.runtime.client.rows import TaskRow, task_row

__all__ = ["run"]


def run(options: Any) -> int:
    """Retries the tasks and prints their new state."""
    if options.ids and (options.skill or options.error):
        raise Problem("usage", "give ids or choose tasks by --skill and --error, not both", "claw redrive --help")

    async def redrive(client: Client) -> int:
        rows = await _dead(client, options)
        if options.dry_run:
            return show_selected(options, rows)
        if not confirmed(options, len(rows)):
            return 0
        return await _redrive(client, options, len(rows))

    return with_client(options, redrive)


async def _dead(client: Client, options: Any) -> list[TaskRow]:
    if options.ids:
        return [await client.task(id) for id in options.ids]
    rows: list[TaskRow] = []
    if options.limit == 0:
        return rows
    async for row in client.each_task(status="dead", skill=options.skill, error=options.error):
        rows.append(row)
        if len(rows) == options.limit:
            break
    return rows


async def _redrive(client: Client, options: Any, number: int) -> int:
    found: list[RedriveReport] = []
    if number:
        with ProgressBar("redrive", number, shown=not options.json) as bar:
            # By the filter, not by the ids: so a task that has moved on since it was listed is left alone.
            found = await client.redrive(
                *options.ids,
                skill=options.skill,
                error=options.error,
                limit=number,
                rate_per_s=options.rate,
                progress=lambda done, _: bar.at(done),
            )
    rows = [task_row(each.id, each.task) for each in found if each.task is not None]
    left = [each for each in found if each.task is None]
    if options.ids and not rows and left:
        raise Problem("refused", f"{left[0].id}: {left[0].left}", "nothing was changed; claw why ID says more")
    emit(options, rows, lambda: task_table(rows))
    if left:
        note(f"{len(left)} not changed, such as {left[0].id}: {left[0].left}")
    return 0
