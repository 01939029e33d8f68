"""Questions to memory's process. It may be killed with a question in its hands, and is back a moment later."""

import asyncio
from typing import Final

from clawactors.eventlog import Unavailable
from clawactors.eventlog.requests import Asking
from clawactors.runtime.asking import is_busy
from clawactors.runtime.hedging import hedged

__all__ = ["ask"]

_AGAIN_S: Final = 2.0
_PAUSE_S: Final = 0.1
_ABSENT_S: Final = 8.0
"""So long nobody may be there to ask: a process that has ended is started again sooner than that."""


async def ask(requests: Asking, subject: str, question: bytes, timeout_s: float) -> bytes:
    """The first answer; asked again while the process has too much of the same user under way. Raises: as `hedged`."""
    clock = asyncio.get_running_loop().time
    end_s = clock() + timeout_s
    while True:
        left_s = end_s - clock()
        answer = await hedged(requests, subject, question, left_s, again_s=_AGAIN_S, slower=2, absent_s=_ABSENT_S)
        if not is_busy(answer):
            return answer
        if clock() + _PAUSE_S >= end_s:
            raise Unavailable(
                f"memory answered too many other questions of the same user for {timeout_s:g} s: ask later"
            )
        await asyncio.sleep(_PAUSE_S)
