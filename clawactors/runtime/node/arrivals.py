"""The wait for a signal that control or a person sends: in place for a moment, then without a slot."""

import asyncio
from typing import TYPE_CHECKING, Final

from clawactors.systems.tasks.events import DurableWait
from clawactors.systems.tasks.journal import SIGNAL

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["arrives"]

_IN_PLACE_S: Final = 0.2


async def arrives(attempt: "Attempt", name: str, taken: int = 0, until_ns: int = 0) -> bool:
    """True as soon as more than `taken` signals of that name are there, False when the time has come; 0 for never."""
    while True:
        attempt.check()
        if attempt.journal.entries.count(SIGNAL + name) > taken:
            return True
        left_s = (until_ns - attempt.context.time.now_ns()) / 1e9 if until_ns else _IN_PLACE_S
        if left_s <= 0:
            return False
        if await _appended(attempt, min(left_s, _IN_PLACE_S)):
            continue
        if until_ns and left_s <= _IN_PLACE_S:
            continue
        return await attempt.waits.until(DurableWait("signal", until_ns, name), taken)


async def _appended(attempt: "Attempt", within_s: float) -> bool:
    """True once something was appended to the task, False when nothing was for so long."""
    told = asyncio.Event()
    listeners = attempt.signals.listeners
    listeners.append(told.set)
    try:
        async with asyncio.timeout(within_s):
            await told.wait()
    except TimeoutError:
        return False
    finally:
        listeners.remove(told.set)
    return True
