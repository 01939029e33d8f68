"""Structured ends: nothing that an attempt's code started goes on when the attempt ends.

1. When the code has ended, the asyncio tasks that it left are cancelled and awaited, within the time for cleaning up.
2. What they record until then is recorded before the end of the attempt; steps that go on in a thread are awaited too.
"""

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from clawactors.runtime.node.code import GRACE_S

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["end_tasks"]

_log = logging.getLogger(__name__)


async def end_tasks(attempt: "Attempt") -> None:
    """Returns when all that the code started has ended, or its time is over."""
    if (own := asyncio.current_task()) is not None and own.cancelling():
        return  # the node itself goes down
    if not (attempt.tasks.live() or ("steps" in attempt.__dict__ and attempt.steps.threads.left)):
        return
    grace_s = GRACE_S if attempt.skill is None else attempt.skill.cancel_grace_s
    loop = asyncio.get_running_loop()
    until_s = loop.time() + grace_s
    attempt.tasks.is_ending = True
    while left := attempt.tasks.live():
        for task in left:
            task.cancel()
        ended, lasting = await asyncio.wait(left, timeout=max(0.0, until_s - loop.time()))
        for task in ended:
            _retrieve(task)
        if lasting:
            _log.warning("task %s: code that it started went on %g s after its end", attempt.id, grace_s)
            break
    if "steps" in attempt.__dict__ and (threads := attempt.steps.threads.left):
        await asyncio.wait(threads, timeout=max(0.0, until_s - loop.time()))


def _retrieve(task: "asyncio.Task[Any]") -> None:
    if not task.cancelled():
        task.exception()
