"""A long sleep: `claw up --skills examples/reminder.py`, then
`claw submit remind '{"text": "water the plants", "every": "7d", "times": 4}'`.
"""

from clawactors import Task, skill


@skill("remind")
async def remind(task: Task, text: str, every: str = "7d", times: int = 4) -> str:
    """While it sleeps it holds no slot; a restart of everything, or a node that is gone, changes nothing."""
    for number in range(1, times + 1):
        await task.sleep(every)
        await task.step(f"remind-{number}", say, text, number)
    return f"reminded {times} times"


async def say(text: str, number: int) -> str:
    return f"for the {number}. time: {text}"
