"""`claw ask`: asks the code of a task, and prints what it answers as JSON."""

from typing import Any

import msgspec

from clawactors.app.cli.output import emit
from clawactors.app.cli.request import value_of
from clawactors.app.cli.session import by_id, explained, with_client
from clawactors.app.client import Client
from clawactors.app.problem import Problem
from clawactors.runtime.client.asking import AskFailed

__all__ = ["run"]


def run(options: Any) -> int:
    """Asks, and prints the answer."""
    args = value_of(options.args, "--args")
    if not isinstance(args, list | None):
        raise Problem("usage", "--args is no list", "write a JSON list, as in --args '[\"today\", 5]'")

    async def ask(client: Client) -> int:
        async def answer(id: str) -> Any:
            try:
                return await client.ask_task(id, options.name, *(args or ()), timeout=options.timeout)
            except AskFailed as failed:
                text = f"the answer {failed.name!r} of task {id} raised {failed.error.kind}: {failed.error.message}"
                raise Problem("failed", text, f"claw logs {id} shows what it printed") from None

        with explained(f"claw why {options.id} says what the task does"):
            answered = await by_id(client, options.id, answer)
        emit(options, answered, lambda: msgspec.json.format(msgspec.json.encode(answered)).decode().splitlines())
        return 0

    return with_client(options, ask)
