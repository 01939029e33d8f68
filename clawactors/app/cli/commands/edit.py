"""`claw edit`: changes a task before it runs."""

from typing import Any

from clawactors.app.cli.output import emit
from clawactors.app.cli.parsing import Parser, count, duration, moment, pair, words
from clawactors.app.cli.problem import Problem
from clawactors.app.cli.request import object_of, params_of
from clawactors.app.cli.rows import task_card
from clawactors.app.cli.session import change_by_id, explained, with_client
from clawactors.app.client import Client
from clawactors.runtime.client.rows import task_row
from clawactors.systems.tasks.submission import PRIORITIES, checked_id

__all__ = ["arguments", "run"]


def arguments(parser: Parser) -> None:
    """Declares the arguments; fields that are not given stay unchanged."""
    parser.add_argument("id", metavar="ID")
    parser.add_argument("--params", metavar="JSON|@FILE|-", help="its parameters, a JSON object")
    parser.add_argument("--name", help="display name")
    parser.add_argument("--description", help="free text")
    parser.add_argument("--user", help="user the task belongs to")
    parser.add_argument("--priority", choices=list(PRIORITIES), help="higher ones run first")
    parser.add_argument("--requires", type=words, metavar="A,B", help="additional skills that the node must have")
    parser.add_argument("--prefers", type=words, metavar="C", help="skills that the node should have")
    parser.add_argument("--affinity", type=pair, action="append", metavar="K=V", help="labels that the node must have")
    parser.add_argument("--tag", action="append", metavar="LABEL", help="replaces the labels")
    parser.add_argument("--metadata", metavar="JSON", help="your own data, a JSON object")
    parser.add_argument(
        "--at", type=moment, metavar="T", help="start at this time, such as 2026-05-01T09:00:00Z; a past time means now"
    )
    parser.add_argument("--deadline", type=moment, metavar="T", help="fail the task if it is not completed by then")
    parser.add_argument("--timeout", type=duration, metavar="D", help="time limit per attempt, such as 30s or 5m")
    parser.add_argument("--retries", type=count, metavar="N", help="retries after the first attempt")


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
