"""`claw retry`: an ended or blocked task goes once more."""

from typing import Any

from clawactors.app.cli.parsing import Parser, moment
from clawactors.app.cli.past import task_row
from clawactors.app.cli.rows import task_card
from clawactors.app.cli.screen import emit
from clawactors.app.cli.session import explained, with_client
from clawactors.app.client import Client
from clawactors.systems.tasks.submission import checked_id

__all__ = ["arguments", "run"]


def arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add_argument("id", metavar="ID")
    parser.add_argument("--deadline", type=moment, metavar="T", help="another deadline, where its own has passed")


def run(options: Any) -> int:
    """Lets it go and shows the task after it."""
    id = checked_id(options.id)

    async def retry(client: Client) -> int:
        with explained(f"claw why {id} says more; claw retry {id} --deadline T gives it another deadline"):
            row = task_row(id, await client.retry(id, deadline_ns=options.deadline))
        emit(options, row, lambda screen: task_card(screen, row))
        return 0

    return with_client(options, retry)
