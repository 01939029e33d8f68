"""`claw approve`, `claw deny`: answers what a task asks for."""

from typing import Any

from clawactors.app.cli.output import emit
from clawactors.app.cli.parsing import Parser
from clawactors.app.cli.rows import task_card
from clawactors.app.cli.session import change_by_id, explained, with_client
from clawactors.app.client import Client
from clawactors.runtime.client.rows import task_row

__all__ = ["arguments", "run"]


def arguments(parser: Parser) -> None:
    """Declares the arguments."""
    parser.add_argument("id", metavar="ID", help="the task, as `claw approvals` lists it")
    parser.add_argument(
        "name", nargs="?", default="", metavar="NAME", help="the approval, where the task asks for several"
    )
    parser.add_argument("--comment", default="", metavar="TEXT", help="why; it is on record with your name")


def run(options: Any) -> int:
    """Answers, and prints the task's new state."""

    async def answer(client: Client) -> int:
        async def send(id: str) -> int:
            with explained("claw approvals lists what is asked"):
                call = client.approve if options.command == "approve" else client.deny
                known = await call(id, options.name, options.comment)
            row = task_row(id, known)
            emit(options, row, lambda: task_card(row))
            return 0

        return await change_by_id(client, options.id, send)

    return with_client(options, answer)
