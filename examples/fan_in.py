"""Many tasks, then one that puts their results together: `claw up --skills examples/fan_in.py`, then

    claw submit count '{"text": "to be or not to be"}' --id a
    claw submit count '{"text": "that is the question"}' --id b
    claw submit total --after a,b --wait

`total` starts when both have completed. In a batch (`claw submit --batch`) they may stand in any order.
"""

from clawactors import Task, skill


@skill("count")
async def count(task: Task, text: str) -> int:
    """How many words a text has."""
    return len(text.split())


@skill("total")
async def total(task: Task) -> dict[str, int]:
    """The results of all tasks that it comes after, by id, and their sum."""
    results = await task.results()
    return {**results, "sum": sum(results.values())}
