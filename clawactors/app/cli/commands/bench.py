"""`claw bench`: measurements; all of them are in `clawactors.app.bench`."""

from typing import Any

from clawactors.app.cli.parsing import Parser, count

__all__ = ["arguments", "run"]


def arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add_argument("name", metavar="NAME", help="tasks, steps, latency, append, replay …, or all")
    parser.add_argument("--n", type=count, metavar="N", help="how many")


def run(options: Any) -> int:
    """Measures."""
    from clawactors.app.bench import command

    code: int = command.run(options)
    return code
