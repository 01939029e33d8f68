"""`claw fork`: creates a task that inherits the steps of another one and resumes from a chosen step."""

from typing import Any

from clawactors.app.cli.output import emit
from clawactors.app.cli.rows import task_card
from clawactors.app.cli.session import by_id, explained, with_client
from clawactors.app.client import Client
from clawactors.systems.tasks.submission import checked_id

__all__ = ["run"]


def run(options: Any) -> int:
    """Creates the fork and prints it."""
    id = checked_id(options.id)

    async def make(client: Client) -> int:
        with explained(f"claw task {id} shows its steps"):
            ref = await by_id(client, id, lambda full: client.fork(full, options.step, new_id=options.new_id))
        row = await client.task(ref.id)
        emit(options, row, lambda: task_card(row))
        return 0

    return with_client(options, make)
