"""Retries: `claw up --skills examples/flaky.py`, then `claw submit fetch '{"url": "https://example.org"}' --wait`."""

from clawactors import ErrorRule, Retry, Task, skill


@skill(
    "fetch",
    retry=Retry(max_retries=3, wait_s=1),  # the whole attempt again after 1, 2 and 4 s, then it is dead
    errors=[
        ErrorRule(kind="quota", text="quota .* used up", strategy="ask")
    ],  # that needs a person: the task is blocked
)
async def fetch(task: Task, url: str, failures: int = 2) -> str:
    """A step that fails a few times is tried again where it is; the steps before it are not touched."""
    answers = iter([*("reset",) * failures, "hello"])

    async def get(url: str) -> str:
        answer = next(answers)
        if answer == "reset":
            raise ConnectionResetError(f"{url} hung up")
        return answer

    return await task.step("get", get, url, retry=Retry(5, wait_s=0.1))
