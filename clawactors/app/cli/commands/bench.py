"""`claw bench`: measurements; all of them are in `clawactors.app.bench`."""

from typing import Any, Final

from clawactors.app.cli.parsing import Parser, count

__all__ = ["NAMES", "arguments", "run"]

NAMES: Final = ("tasks", "awaited", "read", "steps", "latency", "recovery", "idle", "append", "replay", "memory", "all")


def arguments(parser: Parser) -> None:
    """Declares the arguments."""
    parser.add_argument("name", choices=NAMES, help="what to measure")
    parser.add_argument("--n", type=count, metavar="N", help="number of operations")
    parser.add_argument("--records", type=count, default=0, metavar="N", help="fill the log with N records first")


def run(options: Any) -> int:
    """Runs the benchmarks and prints the figures."""
    from clawactors.app.bench.command import run as bench

    return bench(options)
