"""The client for code that is not async: notebooks, scripts, web frameworks with threads, pools.

One connection in a thread of its own serves all threads of a process. Its methods are those of `Client`.
"""

import atexit
import os
import sys
import threading
import weakref
from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, NoReturn, Self

from clawactors.app.client import Client
from clawactors.app.discovery import Found, discover
from clawactors.eventlog import Closed, Misconfigured
from clawactors.runtime import client as parts
from clawactors.runtime.client.ref import Ref, TypedRef
from clawactors.runtime.client.sender import DEADLINE_S
from clawactors.runtime.client.syncloop import LoopThread
from clawactors.runtime.client.syncproxy import SyncProxy, add_methods, proxy_class

__all__ = ["SyncClient", "SyncRef", "SyncTypedRef"]

_open: "weakref.WeakSet[SyncClient]" = weakref.WeakSet()


class SyncClient(SyncProxy):
    """`claw = SyncClient.connect()`: for as long as the program runs, or `with` it, or `close` it.

    Any thread may use it, also where an event loop runs, as in notebooks. A process that was forked connects anew.
    """

    def __init__(self, open: Callable[[], Any]) -> None:
        super().__init__(self._connected, lambda link: link.opened)
        _refuse_green_threads()
        self._open, self._lock, self._closed = open, threading.Lock(), False
        self._begin()
        _open.add(self)

    def _begin(self) -> None:
        """Connects in a thread of this process. Raises: what `connect` raises."""
        self._thread: LoopThread[Client] = LoopThread(self._open)
        self._end = weakref.finalize(self, self._thread.stop)
        self._end.atexit = False

    @classmethod
    def connect(
        cls, url: str | None = None, data: str | None = None, *, context: str | None = None, user: str = ""
    ) -> Self:
        """A client of the cluster that `claw` finds with `--nats`, `--data` and `--context`; see `Client.connect`.

        Raises: `Unavailable` (no cluster, no server), `Misconfigured` (password, version, context).
        """
        return cls.of(discover(url, data, context), user=user)

    @classmethod
    def of(cls, found: Found, *, user: str = "", timeout_s: float = DEADLINE_S) -> Self:
        """A client of a server that was found; see `Client.of`. Raises: as that."""
        return cls(lambda: Client.of(found, user=user, timeout_s=timeout_s))

    @property
    def user(self) -> str:
        """Who it acts for, '' for nobody."""
        return self._connected().opened.user

    @property
    def found(self) -> Found:
        """Which server it talks to, and why that one."""
        return self._connected().opened.found

    def close(self) -> None:
        """Fails what still waits, and all later calls, with `Closed`. Order: idempotent."""
        self._closed = True
        self._end.detach()
        self._thread.stop(join=True)

    def __enter__(self) -> Self:
        self._connected()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<SyncClient of {self._thread.opened.found.shown}{', closed' if self._closed else ''}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a SyncClient can't be sent to another process: connect one there, or pass the id of a task")

    def _connected(self) -> LoopThread[Client]:
        """The thread of this process. Raises: `Closed`; after a fork what `connect` raises."""
        thread = self._thread
        if self._closed:
            raise Closed
        if thread.pid == os.getpid():
            return thread
        with self._lock:
            if self._thread.pid != os.getpid():
                _inherited.append(self._thread)
                self._end.detach()
                self._begin()
        return self._thread


_inherited: list[object] = []
"""Of the parent process, after a fork: to close its sockets here would disturb it, so nothing may let go of them."""


def _refuse_green_threads() -> None:
    """Raises: `Misconfigured` where threads are none."""
    for library, module, function in (
        ("gevent", "gevent.monkey", "is_module_patched"),
        ("eventlet", "eventlet.patcher", "is_monkey_patched"),
    ):
        patcher = sys.modules.get(module)
        if patcher is not None and getattr(patcher, function)("threading" if library == "gevent" else "thread"):
            raise Misconfigured(
                f"{library} has replaced the threads of this process, and a SyncClient needs a real one: run workers "
                "with threads (gunicorn: -k gthread), or submit over the HTTP API"
            )


def _close_all() -> None:
    for client in list(_open):
        client.close()


def _after_fork() -> None:
    for client in list(_open):
        client._lock = threading.Lock()  # another thread may have held it


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

add_methods(SyncClient, Client)
SyncRef, SyncTypedRef = proxy_class(Ref), proxy_class(TypedRef)


def __getattr__(name: str) -> Any:
    """The classes of `claw.schedules` and so on, for annotations: `SyncSchedules` stands for `Schedules`."""
    wanted = name.removeprefix("Sync")
    for found in iter_modules(parts.__path__) if wanted != name else ():
        module = import_module(f"{parts.__name__}.{found.name}")
        if isinstance(kind := vars(module).get(wanted), type):
            return proxy_class(kind)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
