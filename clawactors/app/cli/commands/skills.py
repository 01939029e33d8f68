"""`claw skills`: what the nodes offer."""

from typing import Any

from clawactors.app.cli.parsing import Parser
from clawactors.app.cli.screen import emit, table
from clawactors.app.cli.session import ask_rows, with_client
from clawactors.app.client import Client

__all__ = ["arguments", "run"]


def arguments(parser: Parser) -> None:
    """It takes nothing of its own."""


def run(options: Any) -> int:
    """Lists them."""

    async def show(client: Client) -> int:
        rows, _ = await ask_rows(client, "skills", fresh=True)
        heads = ("SKILL", "PARAMETERS", "NODES", "AT ONCE", "SUBMITTED", "FAILED", "DESCRIPTION")
        emit(options, rows, lambda screen: table(screen, heads, map(_cells, rows)))
        return 0

    return with_client(options, show)


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    parameters = [_parameter(each) for each in row["parameters"]] + (["…"] if row["open"] else [])
    return (
        row["name"],
        parameters,
        row["nodes"],
        row["concurrency"] or "any",
        row["submitted"],
        row["failed"],
        row["description"],
    )


def _parameter(parameter: dict[str, Any]) -> str:
    mark = "" if parameter.get("required", True) else "?"
    return f"{parameter['name']}{mark}: {parameter.get('type', 'any')}"
