"""Fetches records one by one while a cluster makes no consumer.

Who assigns consumers has to be elected where that server has died, for seconds, though the stream itself has its leader
and takes appends. A fetched record is the next one after all that is here, so none is left out.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, Final

from clawactors.eventlog.errors import Unavailable
from clawactors.eventlog.jetstream.log.delivery import Delivery
from clawactors.eventlog.jetstream.log.source import StreamSource

__all__ = ["stepping"]

STEP_S: Final = 0.1


async def stepping(create: Coroutine[Any, Any, None], source: StreamSource, delivery: Delivery, pattern: str) -> None:
    """Awaits `create`, which makes the consumer, and fetches meanwhile. Raises: what it raises."""
    creating = asyncio.ensure_future(create)
    timeout_s = None if source.replicas == 1 else STEP_S
    try:
        while not (await asyncio.wait([creating], timeout=timeout_s))[0]:
            with contextlib.suppress(Unavailable):
                while (
                    delivery.covered and not creating.done()
                ):  # at the log's start only the consumer knows where to begin
                    found = await source.following(delivery.covered, [pattern])
                    if found is None:
                        break
                    delivery.supply(found.record)
        await creating
    finally:
        creating.cancel()
