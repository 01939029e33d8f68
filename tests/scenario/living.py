"""Skills for scenarios of a task's whole life; nodes load them from this file."""

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

from clawactors import Retry, SyncTask, Task, skill, step

FEW = 2


def _leave_trace(path: str, *words: object) -> None:
    line = " ".join(map(str, words)).encode() + b"\n"
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line)
    finally:
        os.close(file)


class Steps:
    """Steps that leave a trace and say in their results which attempt they come from."""

    def __init__(self, task: Task | SyncTask, trace: str, size: int = 0) -> None:
        self.task, self.trace, self.size = task, trace, size

    def one(self, name: str) -> dict[str, Any]:
        _leave_trace(self.trace, self.task.id, name, self.task.attempt)
        return {"attempt": self.task.attempt, "text": "x" * self.size}


@skill("plods", retry=Retry(max_retries=20, wait_s=0.1, cap_s=1))
async def plods(task: Task, trace: str, steps: int = 4, seconds: float = 0.05, size: int = 0) -> int:
    """Steps, with a little time between them."""
    does = Steps(task, trace, size)
    for number in range(steps):
        await task.step(f"s{number}", does.one, f"s{number}")
        await asyncio.sleep(seconds)
    return task.attempt


@skill("plods-few", concurrency=FEW)
async def plods_few(task: Task, trace: str, steps: int = 2, seconds: float = 0.05) -> int:
    """The same, by few at once."""
    return await plods(task, trace, steps, seconds)


@skill("plods-in-thread")
def plods_in_thread(task: SyncTask, trace: str, steps: int = 4) -> int:
    """The same by sync code."""
    does = Steps(task, trace)
    for number in range(steps):
        task.step(f"s{number}", does.one, f"s{number}")
    return task.attempt


@skill("stumbles", retry=Retry(max_retries=5, wait_s=0.2, factor=1, jitter=0))
async def stumbles(task: Task, trace: str, times: int = 2) -> int:
    """A step, then as many failed attempts, then another step."""
    does = Steps(task, trace)
    await task.step("first", does.one, "first")
    if task.attempt <= times:
        raise ConnectionError("not yet")
    await task.step("last", does.one, "last")
    return task.attempt


@skill("dies", retry=Retry(max_retries=0))
async def dies(task: Task, trace: str) -> int:
    """Dies the first time, and lives when it is made to go once more."""
    does = Steps(task, trace)
    await task.step("first", does.one, "first")
    if task.attempt == 1:
        raise ConnectionError("it died")
    return task.attempt


@skill("naps")
async def naps(task: Task, trace: str, how_long: str = "1s") -> int:
    """A step, a sleep without a slot, another step."""
    does = Steps(task, trace)
    await task.step("before", does.one, "before")
    await task.sleep(how_long)
    await task.step("after", does.one, "after")
    return task.attempt


@skill("asks")
async def asks(task: Task, trace: str, limit: str = "1h") -> list[Any]:
    """A step, then a signal or the end of the patience, then another step."""
    does = Steps(task, trace)
    await task.step("before", does.one, "before")
    try:
        answer = await task.signal("go", timeout=limit)
    except TimeoutError:
        answer = "nothing came"
    await task.step("after", does.one, "after")
    return [answer, task.attempt]


def take_back(_: Any, name: str) -> None:
    """Undoes a step."""


@skill("trips", on_failure="compensate", retry=Retry(max_retries=0))
async def trips(task: Task, trace: str) -> None:
    """Steps that can be undone, a sleep without a slot, and no good end."""
    book = step(undo=take_back)(Steps(task, trace).one)
    await task.step("room", book, "room")
    await task.step("car", book, "car")
    await task.sleep("1s")
    await task.step("seat", book, "seat")
    raise ConnectionError("no train")


@skill("cleans")
async def cleans(task: Task, trace: str) -> None:
    """Waits for what never comes, and cleans up."""
    try:
        await asyncio.gather(task.signal("never"), task.sleep("1h"))
    finally:
        await task.step("release", Steps(task, trace).one, "release")


@skill("consents")
async def consents(task: Task, trace: str, limit: str = "1h") -> list[Any]:
    """Asks people, then a step."""
    answer = await task.approve("go on?", timeout=limit, remind=1)
    await task.step("after", Steps(task, trace).one, "after")
    return [answer.approved, answer.comment]


@skill("fans")
async def fans(task: Task, trace: str, count: int) -> int:
    """Has so many children, which sleep."""
    refs = [await task.submit("naps", {"trace": trace}) for _ in range(count)]
    return len(await task.gather(refs))


@skill("gathers")
async def gathers(task: Task, count: int) -> int:
    """Takes so many numbers; how many of them were out of order."""
    return sum([await task.signal("go") != number for number in range(count)])


@skill("waits-alone", concurrency=1)
async def waits_alone(task: Task, mark: str) -> None:
    """Waits for what never comes, one at a time."""
    _leave_trace(mark, task.id)
    await asyncio.Event().wait()


@skill("waits")
async def waits(task: Task, mark: str) -> None:
    """Waits for what never comes."""
    _leave_trace(mark, os.getpid())
    await asyncio.Event().wait()


@skill("waits-in-thread")
def waits_in_thread(task: SyncTask, mark: str) -> None:
    """Looks now and then whether it should end."""
    Path(mark).write_text(str(os.getpid()))
    while not task.cancelled:
        threading.Event().wait(0.01)


@skill("waits-isolated", isolate=True)
def waits_isolated(task: SyncTask, mark: str) -> None:
    """Waits in a process of its own, and heeds nothing."""
    Path(mark).write_text(str(os.getpid()))
    while True:
        threading.Event().wait(60)
