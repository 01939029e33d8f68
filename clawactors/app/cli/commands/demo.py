"""`claw demo`: the main job on real input; all of it is in `clawactors.app.demo`."""

from typing import Any

__all__ = ["run"]


def run(options: Any) -> int:
    """Runs the demo."""
    from clawactors.app.demo.command import run as demo

    return demo(options)
