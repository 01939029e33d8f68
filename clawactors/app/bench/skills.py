"""Skills that do next to nothing, so that what is measured is everything around them."""

import time

from clawactors.runtime.node.context import TaskContext
from clawactors.systems.skills import skill

__all__ = ["chain", "fan", "nap", "noop", "spin", "steps"]


@skill("bench-noop")
async def noop(task: TaskContext) -> None:
    """Does nothing."""


async def _nothing(number: int) -> int:
    return number


@skill("bench-steps")
async def steps(task: TaskContext, n: int = 5) -> int:
    """Runs n steps that do nothing."""
    for number in range(n):
        await task.step(f"step-{number}", _nothing, number)
    return n


@skill("bench-fan")
async def fan(task: TaskContext, n: int) -> int:
    """Runs n children that do nothing, and waits for all of them."""
    import asyncio

    return len(await asyncio.gather(*(task.run(noop) for _ in range(n))))


@skill("bench-chain")
async def chain(task: TaskContext) -> int:
    """Runs five children one after the other, as the workflow of the bench does."""
    for _ in range(5):
        await task.run(noop)
    return 5


@skill("bench-nap")
async def nap(task: TaskContext, until_s: float | None = None) -> None:
    """Sleeps for 1 s, or until that time (seconds since the epoch)."""
    await task.sleep("1s" if until_s is None else max(0.0, until_s - time.time()))


@skill("bench-slow")
async def spin(task: TaskContext, steps: int = 1000, seconds: float = 0.02) -> int:
    """Runs many short steps, to be killed in between."""
    import asyncio

    for number in range(steps):
        await task.step(f"step-{number}", asyncio.sleep, seconds)
    return steps
