"""`claw demo`: the main job on real input; all of it is in `clawactors.app.demo`."""

from typing import Any

from clawactors.app.cli.parsing import Parser

__all__ = ["arguments", "run"]


def arguments(parser: Parser) -> None:
    """Has no options of its own."""


def run(options: Any) -> int:
    """Runs the demo."""
    from clawactors.app.demo.command import run as demo

    return demo(options)
