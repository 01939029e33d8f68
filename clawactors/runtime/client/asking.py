"""Questions to the control processes. They change nothing, so one that finds no answer soon is asked again."""

from typing import Final

from clawactors.eventlog.requests import Requests
from clawactors.runtime.hedging import hedged

__all__ = ["ask"]

_TIMEOUT_S: Final = 5.0
_AGAIN_S: Final = 0.7
"""One of several control processes may hang and still be handed its share of the questions."""


async def ask(requests: Requests, subject: str, question: bytes) -> bytes:
    """The first answer. Raises: as `hedged`; `NoResponders` at once when no control process runs."""
    return await hedged(requests, subject, question, _TIMEOUT_S, again_s=_AGAIN_S)
