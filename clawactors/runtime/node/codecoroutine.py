"""The coroutine of each asyncio task of a run: what may reach the code, and what of it may reach the event loop.

1. Where the run has to leave its node, an await of the code raises `TaskSuspended`, not `asyncio.CancelledError`.
2. Beside a durable wait the run is told where a task of it pauses: from then on it may do nothing but wait.
3. `SystemExit` and `KeyboardInterrupt` of the code stay in its task: in asyncio these would end the whole process.
"""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, Protocol, override

__all__ = ["CodeCoroutine", "TaskSuspended", "as_exception"]


class TaskSuspended(BaseException):
    """Unwinds the code of a task that must not go on. No `Exception`, so that code does not swallow it by habit."""


class _SteeredRun(Protocol):
    is_suspended: bool
    waiting: int

    def on_pause(self) -> None: ...


class CodeCoroutine(Coroutine[Any, Any, Any]):
    """A coroutine as a task of the run runs it; whatever else it has is that coroutine's."""

    __slots__ = ("_coroutine", "_run")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], run: _SteeredRun) -> None:
        self._coroutine, self._run = coroutine, run

    @override
    def send(self, value: Any) -> Any:
        """Goes on."""
        try:
            awaited = self._coroutine.send(value)
        except (SystemExit, KeyboardInterrupt) as error:
            raise as_exception(error) from error
        if self._run.waiting:
            self._run.on_pause()
        return awaited

    @override
    def throw(self, raised: Any, value: Any = None, traceback: Any = None) -> Any:
        """Goes on with an error."""
        error = raised if value is None else value
        if self._run.is_suspended and isinstance(error, asyncio.CancelledError):
            error = TaskSuspended()
        try:
            awaited = self._coroutine.throw(error)
        except (SystemExit, KeyboardInterrupt) as ended:
            raise as_exception(ended) from ended
        if self._run.waiting:
            self._run.on_pause()
        return awaited

    @override
    def close(self) -> None:
        """Ends it."""
        self._coroutine.close()

    @override
    def __await__(self) -> Generator[Any, Any, Any]:
        return self._coroutine.__await__()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._coroutine, name)


def as_exception(error: BaseException) -> Exception:
    """The error itself, or a `RuntimeError` with the same text for errors that would end a process or an iteration."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    text = f"the code raised {type(error).__name__}" + (f": {error}" if str(error) else "")
    return RuntimeError(text).with_traceback(error.__traceback__)
