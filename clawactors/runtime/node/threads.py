"""Threads for sync code, and the bridge from such a thread to its `TaskContext`."""

import asyncio
import inspect
import queue
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import CancelledError, Executor, Future
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, override

from clawactors.runtime.node.bridged import call_in_node
from clawactors.runtime.node.code import TaskSuspended
from clawactors.runtime.node.recovery import end_recovery
from clawactors.runtime.node.step import home_of

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt
    from clawactors.runtime.node.context import TaskContext
    from clawactors.systems.skills.returns import Returns
    from clawactors.systems.tasks.retry import Retry

__all__ = ["DaemonThreads", "ThreadBridge"]

_IDLE_S = 10.0


class DaemonThreads(Executor):
    """Reuses an idle thread or starts one; how many run is bounded by the node's slots, not here.

    A thread that hangs holds up neither the others nor the end of the process.
    What is called runs in the context of its caller, as with `asyncio.to_thread`.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._idle: list[queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]]] = []
        self._guard = threading.Lock()

    @override
    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        context = copy_context()
        work = (future, lambda: context.run(fn, *args, **kwargs))
        with self._guard:
            inbox = self._idle.pop() if self._idle else None
        if inbox is None:
            inbox = queue.SimpleQueue()
            threading.Thread(target=self._work, args=(inbox,), name=self._name, daemon=True).start()
        inbox.put(work)
        return future

    def _work(self, inbox: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]]) -> None:
        while True:
            try:
                future, call = inbox.get(timeout=_IDLE_S)
            except queue.Empty:
                with self._guard:
                    if inbox not in self._idle:
                        continue  # just given work
                    self._idle.remove(inbox)
                return
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call())
                except BaseException as error:
                    future.set_exception(error)
            del future, call  # an idle thread holds nothing of what it ran
            with self._guard:
                self._idle.append(inbox)


class ThreadBridge:
    """Runs each call in the event loop of the node and waits for it; see `Bridge`."""

    def __init__(self, context: "TaskContext", attempt: "Attempt", loop: asyncio.AbstractEventLoop) -> None:
        self._context, self._attempt, self._loop = context, attempt, loop
        self._thread = 0

    def enter(self) -> None:
        """The thread that calls this is the one of the code."""
        self._thread = threading.get_ident()

    @property
    def id(self) -> str:
        """The task's id."""
        return self._context.id

    @property
    def attempt(self) -> int:
        """The number of the attempt."""
        return self._context.attempt

    @property
    def cancelled(self) -> bool:
        """True once the code should end."""
        return self._context.cancelled

    @property
    def home(self) -> Mapping[str, Any]:
        """The names of the skill's module."""
        return home_of(self._attempt.skill)

    @property
    def skill(self) -> str:
        """The name of the skill."""
        return self._attempt.skill.name if self._attempt.skill else ""

    def answer(self, name: str, function: Callable[..., Any]) -> None:
        """As `TaskContext.answer`."""
        self.call("answer", name, function)

    def recovered(self) -> None:
        """As `end_recovery`."""
        self._wait(end_recovery(self._attempt))

    def monotonic_s(self) -> float:
        """Seconds that only grow, for durations."""
        return self._attempt.clock.monotonic_s()

    def call(self, method: str, /, *args: Any, **kwargs: Any) -> Any:
        """What the method of the `TaskContext` returns. Raises: as that; `TaskSuspended` where the node has ended."""
        return self._wait(call_in_node(self._attempt, self._context, method, args, kwargs))

    def send(self, method: str, /, *args: Any) -> None:
        """Calls a method that is safe in any thread."""
        getattr(self._context, method)(*args)

    def begin_step(self, name: str, call: str) -> tuple[bool, Any]:
        """As `Steps.begin`."""
        return self._wait(self._attempt.steps.begin(name, call))

    def end_step(self, name: str, result: Any, took_s: float, undo: dict[str, Any] | None, returns: "Returns") -> Any:
        """As `Steps.end`."""
        return self._wait(self._attempt.steps.end(name, result, took_s, undo, returns))

    def fail_step(self, name: str, error: Exception, took_s: float, retry: "Retry | None", failures: int) -> bool:
        """As `Steps.tries_again`."""
        return self._wait(self._attempt.steps.tries_again(name, error, took_s, retry, failures))

    def _wait[T](self, coroutine: Coroutine[Any, Any, T]) -> T:
        call = self._called(coroutine, threading.get_ident() == self._thread)
        try:
            return asyncio.run_coroutine_threadsafe(call, self._loop).result()
        except CancelledError:  # of `concurrent.futures`, which is an `Exception`
            raise asyncio.CancelledError from None
        except RuntimeError:
            if not self._loop.is_closed():
                raise
            call.close()  # the node has ended; this thread was left behind
            raise TaskSuspended from None
        finally:
            if inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
                coroutine.close()  # cancelled before it began

    async def _called[T](self, coroutine: Coroutine[Any, Any, T], is_main: bool) -> T:
        """The call; the code in its own thread waits for it meanwhile."""
        tasks = self._attempt.tasks
        tasks.outside_loop -= is_main
        try:
            return await coroutine
        finally:
            tasks.outside_loop += is_main
