"""Questions to memory's process. It may be killed with a question in its hands, and is back a moment later."""

from typing import Final

from clawactors.eventlog.requests import Asking
from clawactors.runtime.hedging import hedged

__all__ = ["ask"]

_AGAIN_S: Final = 2.0
_ABSENT_S: Final = 8.0
"""So long nobody may be there to ask: a process that has ended is started again sooner than that."""


async def ask(requests: Asking, subject: str, question: bytes, timeout_s: float) -> bytes:
    """The first answer. Raises: as `hedged`."""
    return await hedged(requests, subject, question, timeout_s, again_s=_AGAIN_S, slower=2, absent_s=_ABSENT_S)
