"""The wait for a signal: in place for a moment, then without a slot."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from clawactors.systems.tasks.events import DurableWait
from clawactors.systems.tasks.journal import SIGNAL

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["IN_PLACE_S", "arrives"]

IN_PLACE_S: Final = 0.2
"""A wait keeps its slot for this long: most programs answer sooner than another attempt could begin."""


def _none() -> int:
    return 0


async def arrives(attempt: "Attempt", name: str, until_ns: int = 0, taken: Callable[[], int] = _none) -> bool:
    """True as soon as more than `taken` signals of that name are there, False when the time has come; 0 for never."""
    attempt.check()
    left_s = IN_PLACE_S if not until_ns else max(0.0, (until_ns - attempt.context.time.now_ns()) / 1e9)
    until_s = asyncio.get_running_loop().time() + min(IN_PLACE_S, left_s)
    while attempt.journal.entries.count(SIGNAL + name) <= taken():
        if not await _appended(attempt, until_s):
            if 0 < until_ns <= attempt.context.time.now_ns():
                return False
            return await attempt.waits.until(DurableWait("signal", until_ns, name), taken)
        attempt.check()
    return True


async def _appended(attempt: "Attempt", until_s: float) -> bool:
    """True once something was appended to the task, False when nothing was until that time of the loop."""
    told = asyncio.Event()
    listeners = attempt.signals.listeners
    listeners.append(told.set)
    try:
        async with asyncio.timeout_at(until_s):
            await told.wait()
    except TimeoutError:
        return False
    finally:
        listeners.remove(told.set)
    return True
