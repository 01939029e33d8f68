"""A cron job: `claw up --skills examples/report.py`, then
`claw schedule add daily "30 8 * * 1-5" report '{"of": "sales"}' --zone Europe/Berlin`.
"""

from clawactors import Retry, Task, skill


@skill("report", retry=Retry(max_retries=5, wait_s=10), timeout_s=600)
async def report(task: Task, of: str) -> str:
    """Each time of the cron line is one task, `daily-<time>`, made once whatever is killed meanwhile."""
    rows = await task.step("fetch", fetch, of)
    return await task.step("send", send, of, rows)


async def fetch(of: str) -> list[int]:
    return [len(of), 2, 3]


async def send(of: str, rows: list[int]) -> str:
    return f"sent the report of {of}: {sum(rows)}"
