"""Questions to the control processes. They change nothing, so one that finds no answer soon is asked once more."""

import asyncio
from typing import Final

from clawactors.runtime.ports import Requests

__all__ = ["ask"]

_TIMEOUT_S: Final = 5.0
_AGAIN_S: Final = 0.7
"""One of several control processes may hang and still be handed its share of the questions."""


async def ask(requests: Requests, subject: str, question: bytes) -> bytes:
    """The first answer.

    Raises: `NoResponders` when no control process runs, `Unavailable` when none answers, `PermissionDenied`.
    """
    clock = asyncio.get_running_loop().time
    end_s = clock() + _TIMEOUT_S
    asked: set[asyncio.Task[bytes]] = set()
    try:
        while True:
            if (left_s := end_s - clock()) > 0:
                asked.add(asyncio.ensure_future(_request(requests, subject, question, left_s)))
            done, _ = await asyncio.wait(asked, timeout=_AGAIN_S, return_when=asyncio.FIRST_COMPLETED)
            if done:
                return done.pop().result()
    finally:
        for each in asked:
            each.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


async def _request(requests: Requests, subject: str, question: bytes, timeout_s: float) -> bytes:
    return await requests.request(subject, question, timeout_s)
