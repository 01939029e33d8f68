"""`claw approve`, `claw deny`: answers what a task asks for."""

from typing import Any

from clawactors.app.cli.output import emit
from clawactors.app.cli.rows import task_card
from clawactors.app.cli.session import change_by_id, explained, with_client
from clawactors.app.client import Client
from clawactors.runtime.client.rows import task_row

__all__ = ["run"]


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
