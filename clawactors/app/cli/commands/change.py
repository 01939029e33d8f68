"""`claw cancel`, `pause`, `resume`, `delete`: one command to one task."""

from typing import Any

from clawactors.app.cli.parsing import Parser
from clawactors.app.cli.past import task_row
from clawactors.app.cli.rows import task_card
from clawactors.app.cli.screen import emit
from clawactors.app.cli.session import explained, with_client
from clawactors.app.client import Client
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.submission import checked_id

__all__ = ["arguments", "run"]


def arguments(parser: Parser) -> None:
    """What they take."""
    parser.add_argument("id", metavar="ID")


def run(options: Any) -> int:
    """Decides the command on the task and shows the task after it."""
    id = checked_id(options.id)

    async def change(client: Client) -> int:
        with explained(f"claw task {id} --history shows what happened to it"):
            row = task_row(id, await client.command(id, _command(options.command, client.context.by)))
        emit(options, row, lambda screen: task_card(screen, row))
        return 0

    return with_client(options, change)


def _command(word: str, by: str) -> c.TaskCommand:
    match word:
        case "cancel":
            return c.Cancel(by)
        case "pause":
            return c.Pause(by)
        case "resume":
            return c.Resume()
        case _:
            return c.Delete(by)
