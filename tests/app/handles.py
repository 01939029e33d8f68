"""A task's handle without a node: steps go into a journal in memory, and a test may end the process at any point."""

import inspect
import json
from collections.abc import Buffer, Callable
from typing import Any, Literal

type Point = Literal["before", "after"]


class Killed(BaseException):
    """The process is gone: no code of it catches this."""


class Journal:
    """What is on record of a task; handles of later attempts share it. `kill_at` ends an attempt by raising."""

    def __init__(self, kill_at: Callable[[Point, str], bool] = lambda point, name: False) -> None:
        self.kill_at = kill_at
        self.results: dict[str, Any] = {}
        self.progress = 0.0

    def reach(self, point: Point, name: str) -> None:
        if self.kill_at(point, name):
            raise Killed(f"{point} {name}")

    def record(self, name: str, result: Any) -> Any:
        self.results[name] = json.loads(json.dumps(result))
        return self.results[name]


class _Handle:
    cancelled = False

    def __init__(self, journal: Journal | None = None, id: str = "t-1", attempt: int = 1) -> None:
        self.journal, self.id, self.attempt = journal or Journal(), id, attempt
        self._used: set[str] = set()
        self.stored: list[bytes] = []

    def progress(self, done: float, total: float = 1.0) -> None:
        self.journal.progress = done / total

    def _begin(self, name: str) -> bool:
        assert name not in self._used, f"the step name {name} is used twice"
        self._used.add(name)
        if name not in self.journal.results:
            self.journal.reach("before", name)
            return False
        return True


class SyncHandle(_Handle):
    """For sync skills."""

    def step(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        if self._begin(name):
            return self.journal.results[name]
        result = function(*args)
        self.journal.reach("after", name)
        return self.journal.record(name, result)


class AsyncHandle(_Handle):
    """For async skills."""

    async def store(self, body: Buffer) -> dict[str, Any]:
        self.stored.append(bytes(body))
        return {"blob": f"stored-{len(self.stored)}", "bytes": len(self.stored[-1])}

    async def step(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        if self._begin(name):
            return self.journal.results[name]
        result = function(*args)
        if inspect.isawaitable(result):
            result = await result
        self.journal.reach("after", name)
        return self.journal.record(name, result)
