"""Skills that behave as the real world does: they leave traces, raise, hang, take their node along."""

import asyncio
import os
import signal
import threading
from typing import Any

from clawactors import Retry, SyncTask, Task, skill


def leave_trace(path: str, *words: object) -> None:
    """Adds one line to a file, whole or not at all, whoever else writes."""
    line = " ".join(map(str, words)).encode() + b"\n"
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line)
    finally:
        os.close(file)


_at_work: set[object] = set()
"""Runs of `work` in this process at this moment."""


@skill("work")
async def work(task: Task, trace: str, steps: int = 5, seconds: float = 0.01) -> dict[str, Any]:
    """Runs steps; each says on disk that it ran, and in its result by which attempt and beside how many others."""

    async def one(number: int) -> dict[str, int]:
        leave_trace(trace, task.id, f"s{number}", task.attempt)
        await asyncio.sleep(seconds)
        return {"attempt": task.attempt, "at_work": len(_at_work)}

    _at_work.add(task)
    try:
        return {"attempt": task.attempt, "steps": [await task.step(f"s{n}", one, n) for n in range(steps)]}
    finally:
        _at_work.discard(task)


@skill("no-op")
async def no_op(task: Task, trace: str) -> dict[str, int]:
    """Does nothing, and says by which attempt."""
    return {"attempt": task.attempt}


@skill("work-in-thread")
def work_in_thread(task: SyncTask, trace: str, steps: int = 5, seconds: float = 0.01) -> dict[str, Any]:
    """The same by sync code."""

    def one(number: int) -> dict[str, int]:
        leave_trace(trace, task.id, f"s{number}", task.attempt)
        threading.Event().wait(seconds)
        return {"attempt": task.attempt}

    return {"attempt": task.attempt, "steps": [task.step(f"s{n}", one, n) for n in range(steps)]}


@skill("naps")
async def naps(task: Task, trace: str, seconds: float) -> dict[str, int]:
    """Takes a step, which says on disk that it ran, and sleeps."""
    await task.step("s0", lambda: leave_trace(trace, task.id, "s0", task.attempt))
    await task.sleep(seconds)
    return {"attempt": task.attempt}


@skill("pauses-late")
async def pauses_late(task: Task, steps: int) -> dict[str, int]:
    """Takes so many steps, then waits for a signal and gives its slot back."""
    for number in range(steps):
        await task.step(f"s{number}", lambda number=number: number)
    await task.signal("go")
    return {"attempt": task.attempt}


@skill("raises", retry=Retry(max_retries=1, wait_s=0.05))
async def raises(task: Task, text: str) -> None:
    """Fails, and fails again."""
    raise RuntimeError(text)


@skill("hangs", timeout_s=0.5, retry=Retry(max_retries=0))
async def hangs(task: Task) -> None:
    """Waits for what never comes."""
    await asyncio.Event().wait()


@skill("hangs-in-thread", timeout_s=0.5, retry=Retry(max_retries=0))
def hangs_in_thread(task: SyncTask) -> None:
    """Waits in a thread, where nothing can end it."""
    threading.Event().wait()


@skill("blocks-the-loop")
async def blocks_the_loop(task: Task, trace: str, seconds: float) -> dict[str, int]:
    """Waits as sync code does, where it should not."""
    leave_trace(trace, task.id, "s0", task.attempt)
    threading.Event().wait(seconds)
    return {"attempt": task.attempt}


@skill("exits")
async def exits(task: Task, after: str = "") -> None:
    """Takes its node along; with `after`, once that step is done."""
    if after:
        await task.step(after, lambda: 1)
    os._exit(3)


@skill("aborts")
def aborts(task: SyncTask) -> None:
    """Dies in a thread as native code does."""
    os.abort()


@skill("is-killed")
async def is_killed(task: Task) -> None:
    """Dies as by the kernel, which has run out of memory."""
    os.kill(os.getpid(), signal.SIGKILL)


@skill("returns")
async def returns(task: Task, what: str) -> Any:
    """Returns what can't be kept."""
    match what:
        case "an object":
            return object()
        case "a circle":
            circle: list[Any] = []
            circle.append(circle)
            return circle
        case "not a number":
            return float("nan")
        case "half a character":
            return "\ud800"
        case "too much":
            return "x" * (65 << 20)
        case "too deep":
            nested: list[Any] = []
            for _ in range(100_000):
                nested = [nested]
            return nested
        case _:
            return {1: what}


@skill("same-step")
async def same_step(task: Task) -> None:
    """Uses one step name twice."""
    await task.step("once", lambda: 1)
    await task.step("once", lambda: 2)


@skill("bad-step")
async def bad_step(task: Task, name: Any) -> None:
    """Uses a step name that is none."""
    await task.step(name, lambda: 1)


@skill("swallows", retry=Retry(max_retries=0))
async def swallows(task: Task) -> str:
    """Catches whatever comes."""
    try:
        await task.step("broken", object)
    except BaseException as error:
        return type(error).__name__
    return "nothing"


@skill("gated")
async def gated(task: Task, trace: str, gate: str) -> dict[str, Any]:
    """One step that ends when the gate of its attempt opens: a file appears."""

    async def one() -> dict[str, int]:
        leave_trace(trace, task.id, "s0", task.attempt)
        while not os.path.exists(f"{gate}-{task.attempt}"):  # noqa: ASYNC110, ASYNC240 - opened by another process
            await asyncio.sleep(0.01)
        return {"attempt": task.attempt}

    return {"attempt": task.attempt, "steps": [await task.step("s0", one)]}


@skill("gated-in-thread")
def gated_in_thread(task: SyncTask, trace: str, gate: str) -> dict[str, Any]:
    """The same by sync code."""

    def one() -> dict[str, int]:
        leave_trace(trace, task.id, "s0", task.attempt)
        while not os.path.exists(f"{gate}-{task.attempt}"):
            threading.Event().wait(0.01)
        return {"attempt": task.attempt}

    return {"attempt": task.attempt, "steps": [task.step("s0", one)]}
