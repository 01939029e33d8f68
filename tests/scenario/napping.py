"""Skills for scenarios of timers; nodes load them from this file."""

from clawactors import Retry, SyncTask, Task, skill


@skill("nap")
async def nap(task: Task, how_long: str) -> int:
    """Sleeps once; gives the attempt in which it woke."""
    await task.sleep(how_long)
    return task.attempt


@skill("nap-sync")
def nap_sync(task: SyncTask, how_long: str) -> int:
    """The same in a thread."""
    task.sleep(how_long)
    return task.attempt


@skill("stumble", retry=Retry(max_retries=3, wait_s=2, factor=1, jitter=0))
async def stumble(task: Task) -> int:
    """Fails in its first attempt."""
    if task.attempt == 1:
        raise ConnectionError("the first time never works")
    return task.attempt
