"""Daemon threads for sync code: one that hangs holds up neither the others nor the end of the process."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextvars import copy_context
from typing import Any, override

__all__ = ["DaemonThreads"]

_IDLE_S = 10.0


class DaemonThreads(Executor):
    """Reuses an idle thread or starts one; how many run is bounded by the node's slots, not here.

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
            with self._guard:
                self._idle.append(inbox)
