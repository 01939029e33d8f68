"""Asks again before it gives up on an answer: the process that was asked may hang, or have been killed.

Every question may be put again: none changes anything twice.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from clawactors.eventlog import Unavailable
from clawactors.eventlog.requests import Asking
from clawactors.runtime.asking import is_busy

__all__ = ["ask_until_answered", "hedged"]

_PAUSE_S: Final = 0.1
_TIMEOUT_S: Final = 30.0


async def hedged(
    requests: Asking,
    subject: str,
    question: bytes,
    timeout_s: float,
    *,
    again_s: float,
    slower: int = 1,
    absent_s: float = 0.0,
) -> bytes:
    """The first answer; asked again after `again_s` without one, then after `slower` times as long, and so on.

    `absent_s` is for how long nobody may be there to ask, or no server to ask through.
    Raises: `NoResponders` when nobody has been there for so long, `Unavailable` when no answer comes in time or
    answering failed, `PermissionDenied`.
    """
    clock = asyncio.get_running_loop().time
    end_s = clock() + timeout_s
    absent_until_s = min(clock() + absent_s, end_s)
    asked: set[asyncio.Task[bytes]] = set()
    try:
        while (left_s := end_s - clock()) > 0:
            asked.add(asyncio.create_task(_request(requests, subject, question, left_s)))
            done, _ = await asyncio.wait(asked, timeout=again_s, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                again_s *= slower
                absent_until_s = min(clock() + absent_s, end_s)  # somebody took it just now
                continue
            for each in done:
                try:
                    return each.result()
                except Unavailable:  # nobody is there, or the connection was lost with the question
                    if clock() >= absent_until_s:
                        raise
            asked -= done
            await asyncio.sleep(_PAUSE_S)
        raise Unavailable(f"no answer on {subject} within {timeout_s:g} s")
    finally:
        for each in asked:
            each.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


async def ask_until_answered[T](
    requests: Asking, subject: str, question: bytes, read: Callable[[bytes], T], answer_s: float, busy: str
) -> T:
    """What `read` makes of the leader's answer; asked one at a time, again while nobody answers within `answer_s`.

    `busy` says what a leader means that has too much of it under way.
    Raises: `Unavailable` after 30 s; what `read` raises, though it too may say `Unavailable` to have it asked again.
    """
    clock = asyncio.get_running_loop().time
    end_s = clock() + _TIMEOUT_S
    while True:
        try:
            answer = await requests.request(subject, question, answer_s)
            if not is_busy(answer):
                return read(answer)
            failure = Unavailable(busy)
        except Unavailable as error:
            failure = error
        if clock() >= end_s:
            raise failure
        await asyncio.sleep(_PAUSE_S)


async def _request(requests: Asking, subject: str, question: bytes, timeout_s: float) -> bytes:
    return await requests.request(subject, question, timeout_s)
