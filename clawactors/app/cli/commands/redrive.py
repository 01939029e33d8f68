"""`claw redrive`: dead tasks go once more, one or many, at a measured pace."""

from typing import Any

from clawactors.app.cli.bar import Bar
from clawactors.app.cli.parsing import Parser, count, rate
from clawactors.app.cli.past import task_row
from clawactors.app.cli.problem import Problem
from clawactors.app.cli.rows import task_table
from clawactors.app.cli.screen import emit, note
from clawactors.app.cli.session import with_client
from clawactors.app.client import Client
from clawactors.runtime.client.redriving import RedriveReport

__all__ = ["arguments", "run"]


def arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add_argument("ids", nargs="*", metavar="ID", help="these; else all dead ones that the options leave")
    parser.add_argument("--skill", default="", help="only those of this skill")
    parser.add_argument(
        "--error", default="", metavar="CLASS", help="only those with this class of error, as in timeout"
    )
    parser.add_argument("--limit", type=count, metavar="N", help="so many at most, newest first")
    parser.add_argument("--rate", type=rate, metavar="N/s", help="no faster than that, as in 100/s or 30/m")


def run(options: Any) -> int:
    """Retries them and shows the rows after it."""
    if options.ids and (options.skill or options.error):
        raise Problem("usage", "name tasks or choose them by --skill and --error, not both")

    async def redrive(client: Client) -> int:
        with Bar("redriving", 0, shown=not options.json) as bar:

            def progress(done: int, total: int) -> None:
                bar.total = total
                bar.at(done)

            found = await client.redrive(
                *options.ids,
                skill=options.skill,
                error=options.error,
                limit=options.limit,
                rate_per_s=options.rate,
                progress=progress,
            )
        rows = [task_row(each.id, each.task) for each in found if each.task is not None]
        left = [each for each in found if each.task is None]
        if options.ids and not rows and left:
            raise Problem("refused", _told(left[0]), "nothing was changed; claw why ID says more")
        emit(options, rows, lambda screen: task_table(screen, rows))
        if left:
            note(f"{len(left)} left alone, such as {_told(left[0])}")
        return 0

    return with_client(options, redrive)


def _told(each: RedriveReport) -> str:
    return f"{each.id}: {each.left}"
