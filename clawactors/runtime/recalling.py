"""Questions to memory's process. It may be killed with a question in its hands, and is back a moment later.

Every question may be put again: none changes anything twice.
"""

import asyncio
from typing import Final

from clawactors.runtime.ports import Requests
from eventlog import NoResponders, Unavailable

__all__ = ["ask"]

_AGAIN_S: Final = 2.0
"""Without an answer for this long it is asked again, then after twice as long, and so on."""
_ABSENT_S: Final = 8.0
"""So long nobody may be there to ask: a process that has ended is started again sooner than that."""
_PAUSE_S: Final = 0.1


async def ask(requests: Requests, subject: str, question: bytes, timeout_s: float) -> bytes:
    """The first answer.

    Raises: `NoResponders` when nobody has been there for a while, `Unavailable` when no answer comes in time or
    answering failed, `PermissionDenied`.
    """
    clock = asyncio.get_running_loop().time
    end_s = clock() + timeout_s
    absent_s, again_s = min(clock() + _ABSENT_S, end_s), _AGAIN_S
    asked: set[asyncio.Task[bytes]] = set()
    try:
        while (left_s := end_s - clock()) > 0:
            asked.add(asyncio.create_task(_request(requests, subject, question, left_s)))
            done, _ = await asyncio.wait(asked, timeout=again_s, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                again_s *= 2
                absent_s = min(clock() + _ABSENT_S, end_s)  # somebody took it just now
                continue
            asked -= done
            for each in done:
                try:
                    return each.result()
                except NoResponders:
                    if clock() >= absent_s:
                        raise
            await asyncio.sleep(_PAUSE_S)
        raise Unavailable(f"no answer on {subject} within {timeout_s:g} s")
    finally:
        for each in asked:
            each.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


async def _request(requests: Requests, subject: str, question: bytes, timeout_s: float) -> bytes:
    return await requests.request(subject, question, timeout_s)
