"""Skills that say much: large values, streams, print-outs, a secret that slips out."""

import asyncio
import logging
import threading
from typing import Any

from clawactors import Retry, SyncTask, Task, skill


@skill("echo-large")
async def echo_large(task: Task, text: str) -> dict[str, Any]:
    """Returns what it takes, through a step."""
    return {"text": await task.step("same", str, text)}


@skill("counts", retry=Retry(max_retries=0))
async def counts(task: Task, count: int, pause_s: float = 0.001) -> int:
    """Emits numbers."""
    print(f"attempt {task.attempt} counts to {count}")
    for number in range(count):
        await task.emit(number)
        await asyncio.sleep(pause_s)
    return count


@skill("counts-in-thread")
def counts_in_thread(task: SyncTask, count: int) -> int:
    """The same by sync code."""
    for number in range(count):
        task.emit(number)
        threading.Event().wait(0.001)
    return count


@skill("floods")
def floods(task: SyncTask, megabytes: int) -> int:
    """Prints without end."""
    block = "x" * 999 + "\n"
    for _ in range(megabytes * 1000):
        print(block, end="")
    return megabytes


@skill("leaks", secrets=["mail-key"], retry=Retry(max_retries=0))
async def leaks(task: Task) -> None:
    """Lets its secret slip wherever it can."""
    secret = task.secret("mail-key")
    print("printed", secret)
    logging.getLogger("leaks").error("logged %s", secret)
    await task.emit(secret)
    raise RuntimeError(f"{secret} was refused")


@skill("reversed-file")
async def reversed_file(task: Task) -> dict[str, Any]:
    """Turns the bytes of a file around, through the disk."""
    path = await task.file("data").path()
    turned = path.with_name("turned")
    turned.write_bytes(path.read_bytes()[::-1])
    return await task.save_file("turned.bin", turned)
