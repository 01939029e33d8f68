"""Going on while the log is unavailable."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from clawactors.eventlog import Misconfigured, PermissionDenied, Unavailable

__all__ = ["retry_while_unavailable"]

_log = logging.getLogger(__name__)


async def retry_while_unavailable[T](call: Callable[[], Awaitable[T]], wait_s: Callable[[], float], who: str) -> T:
    """What the call returns, once the log answers. A wrong configuration is logged and tried again until it is fixed.

    Raises: `PermissionDenied`, since then nothing can be recorded here; what else the call raises.
    """
    while True:
        try:
            return await call()
        except Unavailable:
            pass
        except PermissionDenied:
            raise
        except Misconfigured as error:
            _log.error("%s: %s", who, error)
        await asyncio.sleep(wait_s())
