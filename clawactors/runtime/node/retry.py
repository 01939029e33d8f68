"""Going on while the log is unavailable."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from clawactors.eventlog import Misconfigured, NoSpace, PermissionDenied, Unavailable
from clawactors.runtime.seldom import SeldomLogger

__all__ = ["retry_while_unavailable"]

_seldom = SeldomLogger(logging.getLogger(__name__))


async def retry_while_unavailable[T](call: Callable[[], Awaitable[T]], wait_s: Callable[[], float], who: str) -> T:
    """What the call returns, once the log answers. A full server or a wrong configuration is logged, but not often.

    Raises: `PermissionDenied`, since then nothing can be recorded here; what else the call raises.
    """
    while True:
        try:
            return await call()
        except NoSpace as error:
            _seldom.warning("%s waits to be recorded, and others with it: %s", who, error)
        except Unavailable:
            pass
        except PermissionDenied:
            raise
        except Misconfigured as error:
            _seldom.error("%s: %s", who, error)
        await asyncio.sleep(wait_s())
