"""Tells whose output it is that threads, pools and forked processes of a task's code print.

1. A thread, and a call given to a thread pool, belong to the task whose code started them.
2. A fork sends what it prints home, one datagram a write: the locks of its parent are not to be trusted there.
3. Nothing is printed twice by a fork: text that waits is written before.
"""

import asyncio
import contextlib
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from functools import partial
from typing import Any, Final, NamedTuple, Protocol

import msgspec

__all__ = ["OutputSink", "Printed", "current_output", "flush_streams", "put", "release", "told_apart"]

_DATAGRAM_CHARS: Final = 16 << 10
_OURS: Final = ("clawactors.", "concurrent.futures")
"""Where threads come from that serve more than one task."""


class Printed(NamedTuple):
    """A piece of text; "" asks to send what waits of that source. Log lines have a level and a logger."""

    source: str
    text: str
    level: str = ""
    logger: str = ""


class OutputSink(Protocol):
    """The output of one attempt. May be used in any thread."""

    def take(self, printed: Printed) -> bool:
        """False when the attempt has ended: the text belongs elsewhere."""
        ...


current_output: Final[ContextVar[OutputSink | None]] = ContextVar("current_output", default=None)
"""The output of the task that this context belongs to; None where it belongs to no task."""

_pooled: Final[ContextVar[int]] = ContextVar("_pooled", default=0)
_forking: Final[dict[int, OutputSink]] = {}
"""The attempts that have forked and not ended, by the address that a fork knows them by too."""


class _ForkLink:
    """What forks of this process send home through, while output is told apart."""

    reads: socket.socket | None = None
    writes: socket.socket | None = None
    is_fork = False


_link: Final = _ForkLink()


def put(printed: Printed) -> bool:
    """Hands the text to the task of this context; False where that is none, or one that has ended."""
    run = current_output.get()
    if run is None:
        return False
    return _send(_pooled.get() or id(run), printed) if _link.is_fork else run.take(printed)


def _send(key: int, printed: Printed) -> bool:
    text, writes = printed.text, _link.writes
    if writes is None:
        return False
    try:
        for start in range(0, len(text) or 1, _DATAGRAM_CHARS):
            part = printed._replace(text=text[start : start + _DATAGRAM_CHARS].encode(errors="replace").decode())
            writes.send(msgspec.msgpack.encode((key, part)))
    except OSError:  # the node has ended
        return False
    return True


def _receive() -> None:
    """Takes in what forks have sent so far."""
    while _link.reads is not None:
        try:
            message = _link.reads.recv(_DATAGRAM_CHARS * 8)
        except (BlockingIOError, OSError):
            return
        key, printed = msgspec.msgpack.decode(message, type=tuple[int, Printed])
        run = _forking.get(key)
        if run is None or not run.take(printed):
            stream = sys.stderr if printed.source == "stderr" else sys.stdout
            stream.write(printed.text + ("\n" if printed.source == "log" else ""))


def release(run: OutputSink) -> None:
    """The attempt has ended: what its forks have printed is taken in; what they print from now on is the node's."""
    if id(run) in _forking:
        _receive()
        del _forking[id(run)]


def flush_streams() -> None:
    """Writes what waits in the buffers of standard output and error."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # a full disk, or code has closed it
            stream.flush()


def _before_fork() -> None:
    flush_streams()
    if _link.reads is not None and (run := current_output.get()) is not None:
        _forking[id(run)] = run


def _after_fork() -> None:
    if _link.reads is not None:
        _link.is_fork = True
        _link.reads.close()  # else it would hold its own messages when the node has ended
        _link.reads = None


os.register_at_fork(before=_before_fork, after_in_child=_after_fork)


def _run(thread: threading.Thread, run: Callable[[], None]) -> None:
    """Runs the thread's code; what that raises is told where it prints."""
    try:
        run()
    except BaseException:
        threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), thread)))


class _InPool:
    """A call in a process pool, which tells whose it is."""

    def __init__(self, function: Callable[..., Any], key: int) -> None:
        self._function, self._key = function, key

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        _pooled.set(self._key)
        return self._function(*args, **kwargs)


@contextlib.contextmanager
def told_apart() -> Iterator[None]:
    """While it lasts, threads, pools and forks that a task's code starts belong to that task."""
    start, submit, submit_to_process = threading.Thread.start, ThreadPoolExecutor.submit, ProcessPoolExecutor.submit

    def start_thread(self: threading.Thread) -> None:
        origin = getattr(getattr(self, "_target", None), "__module__", None) or ""
        if current_output.get() is not None and not origin.startswith(_OURS):
            self.run = partial(copy_context().run, _run, self, self.run)  # type: ignore[method-assign]
        start(self)

    def submit_call(self: ThreadPoolExecutor, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        given = fn if current_output.get() is None else partial(copy_context().run, fn)
        return submit(self, given, *args, **kwargs)

    def submit_pooled(self: ProcessPoolExecutor, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if (run := current_output.get()) is None:
            return submit_to_process(self, fn, *args, **kwargs)
        _forking[id(run)] = run
        return submit_to_process(self, _InPool(fn, id(run)), *args, **kwargs)

    patched: Any = (threading.Thread, ThreadPoolExecutor, ProcessPoolExecutor)
    patched[0].start, patched[1].submit, patched[2].submit = start_thread, submit_call, submit_pooled
    try:
        with _receiving():
            yield
    finally:
        patched[0].start, patched[1].submit, patched[2].submit = start, submit, submit_to_process


@contextlib.contextmanager
def _receiving() -> Iterator[None]:
    reads, writes = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    reads.setblocking(False)
    _link.reads, _link.writes = reads, writes
    loop = None
    with contextlib.suppress(RuntimeError):
        loop = asyncio.get_running_loop()
        loop.add_reader(reads.fileno(), _receive)
    try:
        yield
    finally:
        if loop is not None:
            loop.remove_reader(reads.fileno())
        _receive()
        _link.reads = _link.writes = None
        reads.close()
        writes.close()
