"""Waits for what another process decides, and no event tells of."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

PATIENCE_S = 60.0
_LOOK_AGAIN_S = 0.02


async def until(condition: Callable[[], bool | Awaitable[bool]], what: str, patience_s: float = PATIENCE_S) -> None:
    """Returns when the condition holds; it is looked at again and again."""
    try:
        async with asyncio.timeout(patience_s):
            while True:
                holds = condition()
                if await holds if inspect.isawaitable(holds) else holds:
                    return
                await asyncio.sleep(_LOOK_AGAIN_S)
    except TimeoutError:
        raise AssertionError(f"not within {patience_s:g} s: {what}") from None
