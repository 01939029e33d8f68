"""`echo` and `sleep`: the smallest skills, for trying things out."""

import asyncio
import math
from typing import Final

from clawactors.runtime.node.context import TaskContext
from clawactors.systems.skills import skill

__all__ = ["STEPS_MAX", "echo", "sleep"]

STEPS_MAX: Final = 100_000


@skill("echo")
async def echo(task: TaskContext, text: str) -> str:
    """Returns the text."""
    return text


@skill("sleep")
async def sleep(task: TaskContext, seconds: float, steps: int = 1) -> float:
    """Sleeps that long in all, divided over the steps `sleep-1`, `sleep-2` …; returns the seconds."""
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"can't sleep {seconds:g} seconds; it takes 0 or more")
    if not 1 <= steps <= STEPS_MAX:
        raise ValueError(f"can't sleep in {steps} steps; it takes 1 to {STEPS_MAX}")

    async def part(number: int) -> None:
        await asyncio.sleep(seconds / steps)
        task.progress(number, steps)

    for number in range(1, steps + 1):
        await task.step(f"sleep-{number}", part, number)
    return seconds
