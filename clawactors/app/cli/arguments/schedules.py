"""What `claw schedule` takes."""

from typing import Final

from clawactors.app.cli.arguments.tasks import PRIORITIES
from clawactors.app.cli.parsing import Parser, count, duration

__all__ = ["CATCH_UP", "schedule"]

CATCH_UP: Final = ("fire", "skip", "coalesce")


def schedule(parser: Parser) -> None:
    """What `claw schedule` takes."""
    parser.add_argument("verb", choices=("add", "list", "show", "pause", "resume", "remove"))
    parser.add_argument("words", nargs="*", metavar="NAME [CRON SKILL [JSON|@FILE|-]]")
    parser.add_argument("--zone", help="add: time zone of the cron expression, such as Europe/Berlin (default UTC)")
    parser.add_argument(
        "--catch-up",
        choices=CATCH_UP,
        help="add: run missed times all (fire), not at all (skip) or once (coalesce, the default)",
    )
    parser.add_argument("--user", help="add: user the tasks belong to")
    parser.add_argument("--priority", choices=PRIORITIES, help="add: priority of each task (default normal)")
    parser.add_argument("--tag", action="append", metavar="LABEL", help="add: label of each task")
    parser.add_argument("--timeout", type=duration, metavar="D", help="add: time limit per attempt, such as 30s or 5m")
    parser.add_argument("--retries", type=count, metavar="N", help="add: retries after the first attempt (default 3)")
