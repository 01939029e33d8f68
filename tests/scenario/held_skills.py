"""Skills that use all that a node needs rights for."""

import asyncio
from typing import Any

from clawactors import Retry, SyncTask, Task, skill

_LARGE = 300_000


@skill("uses-everything")
async def uses_everything(task: Task, large: str) -> dict[str, Any]:
    """Steps, output, a timer, a signal, an approval, a file, memory, children, a large result of a step and its own."""
    print("begins")
    text = await task.step("large", _repeated, large)
    await task.emit("half")
    task.progress(1, 2)
    await task.sleep(0.3)
    word = await task.signal("go")
    approved = await task.approve("may it?")
    file = await task.save_file("notes.txt", text.encode())
    read = await task.file(file).read()
    await task.remember("the blue door opens at noon", tags=["doors"])
    found = await task.recall("when does the blue door open?")
    child = await task.run("is-sync", {"number": 20})
    others = await asyncio.gather(*(task.run("is-isolated", {"number": number}) for number in range(3)))
    return {
        "word": word,
        "approved": approved.approved,
        "read": len(read),
        "found": [row["text"] for row in found],
        "children": [child, *others],
        "text": text,
    }


async def _repeated(text: str) -> str:
    return (text * (1 + _LARGE // len(text)))[:_LARGE]


@skill("is-sync")
def is_sync(task: SyncTask, number: int) -> int:
    """A step in a thread."""
    print("in a thread")
    return task.step("twice", lambda: 2 * number)


@skill("is-isolated", isolate=True)
def is_isolated(task: SyncTask, number: int) -> int:
    """In a process of its own."""
    print("in a process")
    return number + 1


@skill("fails-once", retry=Retry(max_retries=2, wait_s=0.05))
async def fails_once(task: Task) -> int:
    """Succeeds at the second attempt."""
    if task.attempt == 1:
        raise ConnectionError("not yet")
    return task.attempt


@skill("waits-for-word")
async def waits_for_word(task: Task) -> Any:
    """Answers questions while it waits for a signal."""
    task.answer("how", lambda: "well")
    return await task.signal("go")


@skill("holds-its-slot")
async def holds_its_slot(task: Task) -> int:
    """Stays at work at first, so that its node has it when it dies; later attempts end at once."""
    await task.step("begun", _nothing)
    if task.attempt == 1:
        await asyncio.Event().wait()
    return task.attempt


async def _nothing() -> None:
    return None
