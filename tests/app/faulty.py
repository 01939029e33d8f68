"""A child that dies of a fault, until it is told that one did; then it notes what it was told."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

from clawactors.app.processes.start import ControlStart, main


async def serve(start: ControlStart, ready: Callable[[], None]) -> None:
    """Ready from the second time on."""
    if not start.died_of:
        os.kill(os.getpid(), signal.SIGBUS)
    await asyncio.to_thread(Path(start.data, "told").write_text, start.died_of)
    ready()
    await asyncio.Event().wait()


if __name__ == "__main__":
    main(ControlStart, serve)
