"""The asyncio tasks of one run of a skill's code: which there are, who created them, and whether they only wait.

1. A run is known by a context variable, so a task that its code creates belongs to it wherever it is created. What a
   call of the context starts for itself does not: the call is made `in_run` none.
2. The code only waits when one of its tasks is in a durable wait, and each task without live children is in one too,
   or awaits other tasks of the run or a lock, event or queue of asyncio, which another of them ends; a task that has
   created live ones counts as waiting for them. A task that is in another call of the context does not wait.
3. A task's branch is the path by which it was created: "" is where the code began, "2" its second task, "2.1" the
   first of that one. Replays number by branch, so they never depend on what is faster.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from contextvars import ContextVar
from functools import wraps
from typing import Any, Concatenate, Final, Protocol

from clawactors.runtime.node.awaiting import awaits_only
from clawactors.runtime.node.codecoroutine import CodeCoroutine

__all__ = ["Branch", "CodeTasks", "at_work", "current_run", "follow_tasks", "in_run", "outside_run"]

type _Task = asyncio.Task[Any]


class Branch:
    """A task of the run: its path, how many tasks it has created and how many of them live.

    `waits` and `works` count the durable waits and the other calls of the context that it is in.
    """

    __slots__ = ("children", "created", "path", "waits", "works")

    def __init__(self, path: str) -> None:
        self.path, self.created, self.children = path, 0, 0
        self.waits = self.works = 0


class _Owner(Protocol):
    def on_tasks_changed(self) -> None: ...


class CodeTasks:
    """The tasks of one run. Its owner, a proxy, is told when one of them has ended."""

    def __init__(self, owner: _Owner) -> None:
        self._branches: dict[_Task, Branch] = {}
        self._owner = owner
        self._main = Branch("")
        self.waiting = 0
        """How many durable waits are under way."""
        self.outside_loop = 0
        """How much code of the run is under way that is no asyncio task: in a thread."""
        self.is_suspended = False
        """True once the code has to leave its node: what it awaits raises `TaskSuspended`."""
        self.is_ending = False
        """True once the code has ended: what it left only cleans up, and does not park."""

    def add(self, task: _Task) -> None:
        """The code has created this task."""
        if task.done():
            return
        creator = self._creator()
        creator.created += 1
        creator.children += 1
        path = f"{creator.path}.{creator.created}" if creator.path else str(creator.created)
        self._branches[task] = Branch(path)
        task.add_done_callback(lambda done: self._on_done(done, creator))

    def begin(self, task: _Task) -> None:
        """The code itself runs in this task."""
        if not task.done():
            self._branches[task] = self._main
            task.add_done_callback(lambda done: self._on_done(done, None))

    def _creator(self) -> Branch:
        try:
            task = asyncio.current_task()
        except RuntimeError:
            task = None
        return self._main if task is None else self._branches.get(task, self._main)

    def _on_done(self, task: _Task, creator: Branch | None) -> None:
        self._branches.pop(task, None)
        if creator is not None:
            creator.children -= 1
        self.changed()

    @property
    def path(self) -> str:
        """The path of the task that runs now."""
        return self._creator().path

    def current(self) -> "Branch":
        """The branch of the task that runs now: `works` and `waits` are counted there."""
        return self._creator()

    def name_branch(self, path: str) -> None:
        """Gives the task that runs now a path of its own, which depends on no order; it does not begin with a digit."""
        self._creator().path = path

    def changed(self) -> None:
        """The code may have nothing to do but wait now."""
        with contextlib.suppress(ReferenceError):  # the attempt is over
            self._owner.on_tasks_changed()

    def on_pause(self) -> None:
        """The task that runs now awaits something, maybe another task of the run."""
        branch = self._creator()
        if not branch.waits and not branch.works:
            self.changed()

    @property
    def only_waits(self) -> bool:
        """True while the code does nothing but wait."""
        main = self._main
        if self.is_ending or self.outside_loop > 0 or main.works > 0 or not (self._branches or main.waits):
            return False
        others = list[_Task]()
        for task, branch in self._branches.items():
            if branch.works and branch.waits <= branch.works:
                return False
            if not branch.waits and not branch.children:
                others.append(task)
        return all(awaits_only(task, self._branches) for task in others)

    def live(self) -> list[_Task]:
        """The tasks that have not ended."""
        return list(self._branches)


current_run: Final[ContextVar[CodeTasks | None]] = ContextVar("current_run", default=None)
"""The run that this context belongs to; None outside of the code of skills."""


class _InRun:  # a class, since each step enters it twice: a generator takes twice as long (1.7 us)
    __slots__ = ("_run", "_token")

    def __init__(self, run: CodeTasks | None) -> None:
        self._run = run

    def __enter__(self) -> None:
        self._token = current_run.set(self._run)

    def __exit__(self, *raised: object) -> None:
        with contextlib.suppress(ValueError):  # a coroutine that is thrown away ends in another context
            current_run.reset(self._token)


def in_run(run: CodeTasks | None) -> AbstractContextManager[None]:
    """What is created while it lasts belongs to that run, or to none."""
    return _InRun(run)


def outside_run[**P, T](call: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """A call of the context: the tasks that it creates for itself are none of the code's."""

    @wraps(call)
    async def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        with in_run(None):
            return await call(*args, **kwargs)

    return wrapped


class _OfAttempt(Protocol):
    _attempt: Any


def at_work[S: _OfAttempt, **P, T](
    call: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """A call of the context that is no wait: a parked run is woken first, and does not park meanwhile."""

    @wraps(call)
    async def wrapped(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        attempt = self._attempt
        await attempt.parking.at_work()
        branch = attempt.tasks.current()
        branch.works += 1
        try:
            with in_run(None):
                return await call(self, *args, **kwargs)
        finally:
            branch.works -= 1
            attempt.tasks.changed()

    return wrapped


def follow_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """From now on the loop tells each run of the tasks that its code creates."""
    inner = loop.get_task_factory()
    if getattr(inner, "follows_runs", False):
        return

    def create(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **settings: Any) -> Any:
        context = settings.get("context")
        run = current_run.get() if context is None else context.get(current_run)
        if run is not None and asyncio.iscoroutine(coroutine):
            coroutine = CodeCoroutine(coroutine, run)
        task = inner(loop, coroutine, **settings) if inner else asyncio.Task(coroutine, loop=loop, **settings)
        if run is not None:
            run.add(task)  # type: ignore[arg-type]
        return task

    create.follows_runs = True  # type: ignore[attr-defined]
    loop.set_task_factory(create)
