"""Skills of a task's whole life; a test gives nodes a copy of this file, and changes it as people change code."""

import asyncio
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

from clawactors import ErrorRule, Retry, SyncTask, Task, skill

CHUNK = 1
"""A changed one makes another call of the same step."""

_SOON = Retry(max_retries=1, wait_s=0.05, jitter=0)


@skill(
    "fails",
    retry=_SOON,
    errors=[
        ErrorRule(kind="quota", text="used up", strategy="give_up"),
        ErrorRule(kind="busy", exit_code=75, strategy="back_off"),
    ],
)
async def fails(task: Task, how: str, until: str = "") -> int:
    """Fails in one way or another, until that file is there."""
    if until and os.path.exists(until):  # noqa: ASYNC240 - made by another process
        return task.attempt
    raise {
        "timeout": TimeoutError("no answer in time"),
        "memory": MemoryError("no room"),
        "permission": PermissionError("not yours"),
        "network": ConnectionError("no route to host"),
        "validation": ValueError("of no use"),
        "unknown": RuntimeError("who knows"),
        "quota": RuntimeError("the quota is used up"),
        "exit 75": SystemExit(75),
    }[how]


@skill("fails-late", retry=Retry(max_retries=2, wait_s=600))
async def fails_late(task: Task) -> None:
    """Fails, and is tried again much later."""
    raise ConnectionError("no route to host")


@skill("fails-apart", isolate=True, memory_mb=400, retry=Retry(max_retries=0))
def fails_apart(task: SyncTask, how: str) -> int:
    """What must not take a node along."""
    match how:
        case "memory":
            return len(bytearray(2**30))
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case _:
            os._exit(3)
    return 0


@skill("hangs-apart", isolate=True, timeout_s=0.5, retry=Retry(max_retries=0))
def hangs_apart(task: SyncTask) -> None:
    """Heeds nothing."""
    threading.Event().wait()


@skill("gated-apart", isolate=True)
def gated_apart(task: SyncTask, mark: str) -> int:
    """Says by which process it runs; its first attempt never ends."""
    Path(f"{mark}-{task.attempt}").write_text(str(os.getpid()))
    if task.attempt == 1:
        threading.Event().wait()
    return task.attempt


@skill("steps-aside")
async def steps_aside(task: Task, mark: str, gate: str) -> list[int]:
    """A step, the wait for a gate, another step."""

    async def one(name: str) -> int:
        with open(mark, "a", encoding="utf-8") as file:  # noqa: ASYNC230 - a line
            file.write(f"{name}\n")
        return task.attempt

    first = await task.step("first", one, "first")
    while not os.path.exists(gate):  # noqa: ASYNC110, ASYNC240 - opened by another process
        await asyncio.sleep(0.01)
    return [first, await task.step("second", one, "second")]


@skill("naps")
async def naps(task: Task, how_long: str) -> list[int]:
    """Sleeps between two steps that tell their attempts."""

    def attempt(_: str) -> int:
        return task.attempt

    before = await task.step("before", attempt, "before")
    await task.sleep(how_long)
    return [before, await task.step("after", attempt, "after")]


_now_ns = time.time_ns


@skill("moves-clock")
async def moves_clock(task: Task, seconds: int) -> None:
    """Lets the clock of its node's process jump, so far from the right time."""
    time.time_ns = lambda: _now_ns() + seconds * 10**9


@skill("asks")
async def asks(task: Task) -> Any:
    """Waits for a person."""
    return await task.signal("go")


@skill("waits")
async def waits(task: Task) -> None:
    """Waits for what never comes."""
    await asyncio.Event().wait()


@skill("copies")
async def copies(task: Task) -> int:
    """A step whose call changes with the code, then the wait for a signal."""
    done = await task.step("copy", _copied, CHUNK)
    await task.signal("go")
    return done


def _copied(chunk: int) -> int:
    return chunk


@skill("counts-slowly")
async def counts_slowly(task: Task, gate: str) -> int:
    """Prints one line, and another when the gate opens."""
    print("first line")
    while not os.path.exists(gate):  # noqa: ASYNC110, ASYNC240 - opened by another process
        await asyncio.sleep(0.01)
    print("last line")
    return 2


@skill("adds-up")
async def adds_up(task: Task) -> dict[str, Any]:
    """What its predecessors returned."""
    return await task.results()
