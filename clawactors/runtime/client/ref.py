"""A handle on one task: what `ClusterClient` can do with an id, as methods."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import TYPE_CHECKING, Any, override

from clawactors.kernel.errors import Refused
from clawactors.kernel.fold import Snapshot
from clawactors.runtime.client.waiting import result_of
from clawactors.runtime.naming import id_of_key, new_id
from clawactors.runtime.output import OUT
from clawactors.systems.tasks import Task
from clawactors.systems.tasks.submission import checked_id

if TYPE_CHECKING:
    from clawactors.runtime.client.client import ClusterClient
    from clawactors.runtime.client.files import FileRow
    from clawactors.runtime.client.redriving import RedriveReport
    from clawactors.runtime.client.streaming import Chunk
    from clawactors.systems.skills.returns import Returns

__all__ = ["Ref", "TypedRef", "task_id"]


class Ref:
    """A handle on one task."""

    def __init__(self, client: "ClusterClient", id: str, *, new: bool = False) -> None:
        self._client, self.id, self._new = client, id, new

    def __repr__(self) -> str:
        return f"<task {self.id}>"

    @property
    def new(self) -> bool:
        """True where the call that returned this handle made the task, False where it found it."""
        return self._new

    async def result(self, timeout_s: float | None = None) -> Any:
        """Waits for the task, at most `timeout_s`, and returns its result.

        Raises: `TaskFailed` when it ended otherwise, `TaskBlocked` when it needs a person,
        `TimeoutError`, `NotFound`, `Refused` (needs a newer release).
        """
        end = self._client.ends.expect(self.id, or_blocked=True)
        try:
            return await result_of(self._client, self.id, end, timeout_s)
        finally:
            self._client.ends.forget(self.id, end)

    def stream(self, name: str = OUT, *, after: int = 0, live: bool = True) -> "AsyncGenerator[Chunk]":
        """Yields what the task emits until it ends, starting after the chunk at position `after`.

        A task that is tried again emits anew: `attempt` tells its chunks apart. With `live` False it ends with what is
        there now. `clawactors.LOG` is the stream of what the code prints and logs. Output is kept for seven days.
        Raises: `NotFound`, `Unavailable`. Order: that of the code; nothing twice, also over a lost connection.
        """
        from clawactors.runtime.client.streaming import follow

        return follow(self._client, self.id, name, after, live=live)

    async def snapshot(self, *, brief: bool = False) -> Snapshot[Task]:
        """The current state of the task; `brief`: without its journal. Raises: `NotFound`, `Unavailable`."""
        return await self._client.snapshot(self.id, brief=brief)

    async def cancel(self, *, undo: bool = False, now: bool = False) -> Snapshot[Task]:
        """Cancels the task; its code cleans up first, unless it is to end `now`. Raises: `NotFound`, `Refused`.

        With `undo`, its done steps are undone first.
        """
        return await self._client.cancel(self.id, undo=undo, now=now)

    async def pause(self) -> Snapshot[Task]:
        """Pauses the task. Raises: `NotFound`, `Refused`."""
        return await self._client.pause(self.id)

    async def resume(self) -> Snapshot[Task]:
        """Resumes a paused task; runs one that waits up to its wait again, if no node has its code in memory.

        Raises: `NotFound`, `Refused`.
        """
        return await self._client.resume(self.id)

    async def retry(self, *, deadline_ns: int | None = None) -> Snapshot[Task]:
        """Retries it. Raises: `NotFound`, `Refused`."""
        return await self._client.retry(self.id, deadline_ns=deadline_ns)

    async def signal(self, name: str, payload: Any = None) -> Snapshot[Task]:
        """Sends it a signal. Raises: `NotFound`, `Refused`."""
        return await self._client.signal(self.id, name, payload)

    async def ask(self, name: str, *args: Any, timeout: str | float = 10.0) -> Any:  # noqa: ASYNC109
        """Asks its code, as `ClusterClient.ask_task`."""
        return await self._client.ask_task(self.id, name, *args, timeout=timeout)

    async def approve(self, name: str = "", comment: str = "") -> Snapshot[Task]:
        """Approves what it asks for. Raises: `NotFound`, `Refused`."""
        return await self._client.approve(self.id, name, comment)

    async def deny(self, name: str = "", comment: str = "") -> Snapshot[Task]:
        """Denies what it asks for. Raises: `NotFound`, `Refused`."""
        return await self._client.deny(self.id, name, comment)

    async def files(self) -> "list[FileRow]":
        """Its files: those it was given, and those it has made. Raises: `NotFound`, `Unavailable`."""
        return await self._client.files.of(self.id)

    async def download(self, name: str, path: str | Path = ".") -> Path:
        """Writes one of its files to `path`, a file or a folder; returns where it is. See `TaskFiles.download`."""
        return await self._client.files.download((await self._client.files.row(self.id, name)).file, path)

    async def fork(self, step: str, *, new_id: str | None = None) -> "Ref":
        """Starts a new task that inherits the steps before this one. Raises: `NotFound`, `Refused`."""
        return await self._client.fork(self.id, step, new_id=new_id)

    async def redrive(self) -> "RedriveReport":
        """Retries it if it is dead. Raises: `NotFound`."""
        [report] = await self._client.redrive(self.id)
        return report

    async def delete(self) -> Snapshot[Task]:
        """Deletes it. Raises: `NotFound`, `Refused`."""
        return await self._client.delete(self.id)

    async def edit(self, **changes: Any) -> Snapshot[Task]:
        """Changes fields of the task before its first run. Raises: `NotFound`, `Refused`."""
        return await self._client.edit(self.id, **changes)


class TypedRef[R](Ref):
    """A handle on a task of a skill that was at hand: its result is of the type that the skill is annotated with."""

    def __init__(self, client: "ClusterClient", id: str, returns: "Returns", *, new: bool = False) -> None:
        super().__init__(client, id, new=new)
        self._returns = returns

    @override
    async def result(self, timeout_s: float | None = None) -> R:
        """As `Ref.result`. Raises also: `Refused` where the result is not what the annotation says."""
        value: R = self._returns.restored(await super().result(timeout_s), f"task {self.id}")
        return value


def task_id(id: str | None, key: str | None) -> str:
    """The id of a new task: the given one, one derived from the key, or a generated one. Raises: `Refused`."""
    if id is not None and key is not None:
        raise Refused("give an id or a key, not both")
    if key is not None:
        if type(key) is not str or not key:
            raise Refused(f"an idempotency key is a text that is not empty, not {key!r}")
        return id_of_key(key)
    return checked_id(id) if id is not None else f"t-{new_id()}"
