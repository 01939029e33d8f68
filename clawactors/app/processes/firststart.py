"""What processes without the right to make streams wait for: control makes them at the first start."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from clawactors.app.processes.start import Start
from clawactors.eventlog import NoSuchLog

__all__ = ["once_made", "patience_of"]

_AGAIN_S: Final = 0.1
_JOINING_S: Final = 30.0
_BESIDE_S: Final = 240.0


def patience_of(start: Start) -> float:
    """How long control may be silent, in seconds: one that starts beside the process may have a long log to read."""
    return _BESIDE_S if start.parent else _JOINING_S


async def once_made[L](open: Callable[[], Awaitable[L]], patience_s: float) -> L:
    """What `open` returns once there is a log. Raises: what `open` raises."""
    clock = asyncio.get_running_loop().time
    end_s = clock() + patience_s
    while True:
        try:
            return await open()
        except NoSuchLog:
            if clock() >= end_s:
                raise
        await asyncio.sleep(_AGAIN_S)
