"""Waiting for a log that is away."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from clawactors.eventlog import Corrupt, EventLogError, Misconfigured

__all__ = ["retry_while_unavailable"]

_PAUSE_S: Final = 0.2

_log = logging.getLogger(__name__)


async def retry_while_unavailable[T](call: Callable[[], Awaitable[T]]) -> T:
    """What the call returns, once it does. Raises: `Corrupt`, `Misconfigured`; anything else of the log may pass."""
    while True:
        try:
            return await call()
        except (Corrupt, Misconfigured):
            raise
        except EventLogError as error:
            _log.info("memory has to wait: %s", error)
            await asyncio.sleep(_PAUSE_S)
