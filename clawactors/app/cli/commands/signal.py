"""`claw signal`: sends a signal to the code of a task."""

from typing import Any

from clawactors.app.cli.output import emit, note
from clawactors.app.cli.request import value_of
from clawactors.app.cli.rows import task_card
from clawactors.app.cli.session import change_by_id, explained, with_client
from clawactors.app.client import Client
from clawactors.runtime.client.rows import task_row

__all__ = ["run"]


def run(options: Any) -> int:
    """Sends the signal and prints the task's new state."""
    payload = value_of(options.payload, "the payload")

    async def tell(client: Client) -> int:
        async def send(id: str) -> int:
            with explained(f"claw task {id} --history shows what happened to it"):
                known = await client.signal(id, options.name, payload)
            row, life = task_row(id, known), known.state.life
            emit(options, row, lambda: task_card(row))
            if life.waiting_for == "signal" and life.waiting_name != options.name:
                note(
                    f"the task waits for the signal {life.waiting_name!r}; {options.name!r} is kept until its code asks"
                )
            return 0

        return await change_by_id(client, options.id, send)

    return with_client(options, tell)
