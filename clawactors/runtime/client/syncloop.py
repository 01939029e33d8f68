"""An event loop in a thread of its own, for code that is not async: calls come from any thread, and wait there.

1. Calls that come while the loop works are begun together, in one turn: so commands of many threads travel together.
2. A caller that is interrupted (Ctrl-C) goes on at once, and what it waited for is cancelled.
3. Nobody waits for a thread that is gone: a call after the end, or under way at it, raises `Closed`.
4. What code is told meanwhile (`progress`) runs in the thread that waits.
"""

import asyncio
import contextlib
import contextvars
import os
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from queue import SimpleQueue
from typing import Any, Final, Protocol

from clawactors.eventlog import Closed

__all__ = ["Closing", "LoopThread", "told_to_caller"]

type _Told = tuple[Callable[..., Any], tuple[Any, ...]] | None

_START_S: Final = 10.0
_JOIN_S: Final = 5.0

_caller: contextvars.ContextVar["SimpleQueue[_Told] | None"] = contextvars.ContextVar("_caller", default=None)


class Closing(Protocol):
    """What the loop has opened, and closes at its end."""

    async def aclose(self) -> None:
        """Closes it."""
        ...


def told_to_caller(function: Callable[..., Any]) -> Callable[..., None]:
    """The same function, which runs in the thread whose call waits for what tells it."""

    def tell(*args: Any) -> None:
        caller = _caller.get()
        if caller is None:
            function(*args)
        else:
            caller.put((function, args))

    return tell


class _SyncCall:
    """One call: `run` in the loop, `wait` in the thread that has made it."""

    __slots__ = ("_context", "_error", "_function", "_task", "_told", "_value", "is_over")

    def __init__(self, function: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self._function, self._context = function, contextvars.copy_context()
        self.is_over = False
        self._told: SimpleQueue[_Told] = SimpleQueue()
        self._context.run(_caller.set, self._told)
        self._value: Any = None
        self._error: BaseException | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        self._task = asyncio.Task(self._run(), loop=loop, context=self._context, eager_start=True)

    async def _run(self) -> None:
        try:
            self._value = await self._function()
        except asyncio.CancelledError:
            self._error = Closed()
            raise
        except BaseException as error:  # it is the caller's
            self._error = error
        finally:
            self._end()

    def refuse(self) -> None:
        self._error = Closed()
        self._end()

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _end(self) -> None:
        self.is_over = True
        self._told.put(None)

    def wait(self) -> Any:
        """The value. Raises: what the function raised; what the thread itself is told to, such as Ctrl-C."""
        while (told := self._told.get()) is not None:
            function, args = told
            function(*args)
        if self._error is None:
            return self._value
        try:
            raise self._error
        finally:
            self._error = None  # no cycle of error, traceback and this


class LoopThread[C: Closing]:
    """Opens something in a loop of its own, such as a client: `opened`. A daemon thread, so it keeps no program alive.

    Raises: what `open` raises; `RuntimeError` where no thread can run.
    """

    opened: C

    def __init__(self, open: Callable[[], Awaitable[C]]) -> None:
        self.pid = os.getpid()
        self._lock = threading.RLock()  # garbage is collected anywhere, and what is dropped then is closed by a call
        self._inbox: deque[_SyncCall] = deque()
        self._is_woken = self._closed = False
        self._failure: BaseException | None = None
        self._started: SimpleQueue[bool] = SimpleQueue()
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event
        # The thread holds what it opens, and nobody who uses it: a client that is dropped is closed.
        self._thread = threading.Thread(target=self._main, args=(open,), name="clawactors-client", daemon=True)
        self._thread.start()
        try:
            self._await_start()
        except BaseException:
            self.stop()
            raise

    def _await_start(self) -> None:
        from queue import Empty

        try:
            self._started.get(timeout=_START_S)
        except Empty:
            raise RuntimeError(
                "the thread of this client does not run: uWSGI needs enable-threads, gevent and eventlet can't be used"
            ) from None
        self._started.get()
        if self._failure is not None:
            try:
                raise self._failure
            finally:
                self._failure = None

    def _main(self, open: Callable[[], Awaitable[C]]) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.run(self._serve(open))
        except BaseException as error:  # told to who opens it
            self._failure = error
        finally:
            with self._lock:
                self._closed = True
                left, self._inbox = self._inbox, deque()
            for call in left:
                call.refuse()
            self._started.put(False)
            self._started.put(False)

    async def _serve(self, open: Callable[[], Awaitable[C]]) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._started.put(True)
        opening = asyncio.ensure_future(open())
        stopped = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait((opening, stopped), return_when=asyncio.FIRST_COMPLETED)
        if not opening.done():
            opening.cancel()
        self.opened = await opening
        self._started.put(True)
        try:
            await stopped
        finally:
            await self.opened.aclose()
            await asyncio.sleep(0)  # what waited is told

    def call(self, function: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Runs it in the loop, and waits for what it returns. Raises: what it raises; `Closed`."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("this is the thread of the client's own loop, which can't wait for itself")
        call = _SyncCall(function)
        self._put(call)
        try:
            return call.wait()
        except BaseException:
            if not call.is_over:  # Ctrl-C, or what `progress` raised
                with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                    self._loop.call_soon_threadsafe(call.cancel)
            raise
        finally:
            del call

    def post(self, function: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Runs it in the loop; nobody waits for it."""
        with contextlib.suppress(Closed):
            self._put(_SyncCall(function))

    def _put(self, call: _SyncCall) -> None:
        if self.pid != os.getpid():
            raise Closed  # after a fork the thread is the parent's, and its lock may be held for ever
        with self._lock:
            if self._closed:
                raise Closed
            self._inbox.append(call)
            if self._is_woken:
                return
            self._is_woken = True
        self._loop.call_soon_threadsafe(self._begin)

    def _begin(self) -> None:
        with self._lock:
            self._is_woken = False
            calls, self._inbox = self._inbox, deque()
        for call in calls:
            call.begin(self._loop)

    def stop(self, *, join: bool = False) -> None:
        """Ends the loop, after what it has opened is closed. Order: idempotent."""
        if self.pid != os.getpid():
            return  # after a fork, the thread is the parent's
        with self._lock:
            self._closed = True
        with contextlib.suppress(RuntimeError, AttributeError):  # it has ended, or has never begun
            self._loop.call_soon_threadsafe(self._stop.set)
        if join and threading.current_thread() is not self._thread:
            self._thread.join(_JOIN_S)
