"""`claw fork`: a new task with the steps of another one, up to the one that is to be done anew."""

from typing import Any

from clawactors.app.cli.output import emit
from clawactors.app.cli.parsing import Parser
from clawactors.app.cli.rows import task_card
from clawactors.app.cli.session import by_id, explained, with_client
from clawactors.app.client import Client
from clawactors.systems.tasks.submission import checked_id

__all__ = ["arguments", "run"]


def arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add_argument("id", metavar="ID")
    parser.add_argument("--from", dest="step", required=True, metavar="STEP", help="the first step to do anew")
    parser.add_argument("--id", dest="new_id", metavar="NEW", help="the id of the fork; the same again is the same one")


def run(options: Any) -> int:
    """Makes the fork and shows it."""
    id = checked_id(options.id)

    async def make(client: Client) -> int:
        with explained(f"claw task {id} shows its steps"):
            ref = await by_id(client, id, lambda full: client.fork(full, options.step, new_id=options.new_id))
        row = await client.task(ref.id)
        emit(options, row, lambda: task_card(row))
        return 0

    return with_client(options, make)
