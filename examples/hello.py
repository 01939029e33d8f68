"""A skill of your own: `claw up --skills examples/hello.py`, then `claw submit hello '{"name": "Ada"}' --wait`."""

import asyncio

from clawactors import Retry, Task, skill


@skill("hello", retry=Retry(max_retries=3), timeout_s=60)
async def hello(task: Task, name: str = "world", times: int = 3) -> str:
    """Greets in durable steps: kill the node midway, and another one goes on behind the last step."""
    for number in range(1, times + 1):
        await task.step(f"greet-{number}", greet, name, number)
        task.progress(number, times)
    return f"greeted {name} {times} times"


async def greet(name: str, number: int) -> str:
    await asyncio.sleep(0.2)
    return f"hello, {name}, for the {number}. time"
