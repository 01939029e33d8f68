"""Skills that remember and recall, in every way code can run."""

from typing import Any

from clawactors import Retry, SyncTask, Task, skill


@skill("note-in-loop", retry=Retry(max_retries=1, wait_s=0.01))
async def note_in_loop(task: Task, text: str) -> dict[str, Any]:
    """Remembers, fails once behind that, remembers again on the next attempt; then asks."""
    id = await task.remember(text, tags=["lab"])
    if task.attempt == 1:
        raise RuntimeError("once more")
    rows = await task.recall(text, tags=["lab"])
    echo = await task.remember(rows[0]["text"].upper())
    packed = await task.step("context", task.context, text, tokens=120)
    return {"id": id, "found": [row["id"] for row in rows], "echo": echo, "packed": packed["text"]}


@skill("note-in-thread")
def note_in_thread(task: SyncTask, text: str) -> dict[str, Any]:
    """The same from a thread."""
    return _noted(task, text)


@skill("note-apart", isolate=True)
def note_apart(task: SyncTask, text: str) -> dict[str, Any]:
    """The same from a process of its own."""
    return _noted(task, text)


def _noted(task: SyncTask, text: str) -> dict[str, Any]:
    id = task.remember(text, tags=["lab"])
    packed = task.context(text, tokens=200, count=len)
    return {"id": id, "found": [row["id"] for row in task.recall(text)], "packed": packed["text"]}
