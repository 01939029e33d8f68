"""`claw edit`: changes a task before it runs."""

from typing import Any

from clawactors.app.cli.output import emit
from clawactors.app.cli.request import object_of, params_of
from clawactors.app.cli.rows import task_card
from clawactors.app.cli.session import change_by_id, explained, with_client
from clawactors.app.client import Client
from clawactors.app.problem import Problem
from clawactors.runtime.client.rows import task_row
from clawactors.systems.tasks.submission import checked_id

__all__ = ["run"]


def run(options: Any) -> int:
    """Changes the task and prints its new state."""
    id, changes = checked_id(options.id), _changes(options)
    if not changes:
        raise Problem(
            "usage", "nothing to change", "for example claw edit ID --priority high; claw edit --help lists the options"
        )

    async def change(client: Client) -> int:
        async def edit(id: str) -> int:
            with explained(f"claw task {id} shows its state"):
                row = task_row(id, await client.edit(id, **changes))
            emit(options, row, lambda: task_card(row))
            return 0

        return await change_by_id(client, id, edit)

    return with_client(options, change)


def _changes(options: Any) -> dict[str, Any]:
    given = {
        "params": None if options.params is None else params_of(options.params),
        "name": options.name,
        "description": options.description,
        "user": options.user,
        "priority": options.priority,
        "requires": options.requires,
        "prefers": options.prefers,
        "affinity": None if options.affinity is None else dict(options.affinity),
        "tags": options.tag,
        "metadata": None if options.metadata is None else object_of(options.metadata, "--metadata"),
        "not_before_ns": options.at,
        "deadline_ns": options.deadline,
        "timeout_s": options.timeout,
        "max_retries": options.retries,
    }
    return {name: value for name, value in given.items() if value is not None}
