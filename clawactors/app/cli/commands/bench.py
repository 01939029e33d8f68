"""`claw bench`: measurements; all of them are in `clawactors.app.bench`."""

from typing import Any

__all__ = ["run"]


def run(options: Any) -> int:
    """Runs the benchmarks and prints the figures."""
    from clawactors.app.bench.command import run as bench

    return bench(options)
