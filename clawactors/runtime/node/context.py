"""What the code of a skill holds: `task.step(…)`, `task.sleep(…)`, `task.emit(…)`, `task.cancelled` …

It is for async code; for sync code see `SyncTaskContext`.
"""

import weakref
from collections.abc import Awaitable, Buffer, Callable, Coroutine, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Unpack, overload

from clawactors.runtime.memoryoptions import NoteOptions, RecallOptions
from clawactors.runtime.node.approvals import ApprovalAnswer, TaskApprovals
from clawactors.runtime.node.childrefs import ChildRef
from clawactors.runtime.node.children import OnFailure, TaskChildren
from clawactors.runtime.node.longlife import LongLife
from clawactors.runtime.node.step import Step
from clawactors.runtime.output import OUT
from clawactors.systems.tasks.approvalevents import UnansweredAs
from clawactors.systems.tasks.options import TaskOptions
from clawactors.systems.tasks.retry import Retry
from clawactors.systems.tasks.spec import OnParentCancel

if TYPE_CHECKING:
    from clawactors.systems.skills import Skill, SkillCall

__all__ = ["TaskContext", "children_of"]


class TaskContext(LongLife):
    """The task, for async code."""

    @cached_property
    def _children(self) -> TaskChildren:
        return TaskChildren(weakref.proxy(self._attempt))

    @cached_property
    def _approvals(self) -> TaskApprovals:
        return TaskApprovals(weakref.proxy(self._attempt))

    @property
    def id(self) -> str:
        """The task's id."""
        return self._attempt.id

    @property
    def attempt(self) -> int:
        """1 for the first attempt; each time that the code begins from its first line adds one."""
        return self._attempt.journal.state.life.tries

    @property
    def cancelled(self) -> bool:
        """True once the code should end: the task was cancelled, or runs elsewhere."""
        attempt = self._attempt
        attempt.code_was_told = attempt.code_was_told or attempt.is_stopping
        return attempt.is_stopping

    @overload
    async def step[**P, T](
        self, function: Step[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> T: ...

    @overload
    async def step[**P, T](self, function: Step[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T: ...

    @overload
    async def step[**P, T](self, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T: ...

    @overload
    async def step[**P, T](self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T: ...

    @overload
    async def step[T](
        self, name: str, function: Callable[..., Awaitable[T]], /, *args: Any, retry: Retry | None = None, **kwargs: Any
    ) -> T: ...

    @overload
    async def step[T](
        self, name: str, function: Callable[..., T], /, *args: Any, retry: Retry | None = None, **kwargs: Any
    ) -> T: ...

    async def step(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Runs the function once in the life of the task and returns its result, then and on every resume.

        It is named after the function: `charge`, `charge#2` …, in the order of the calls; a text before the function is
        its name instead. The result is as its record gives it, on the first run too. A resume has to use the same
        function and arguments for the name, or the task is blocked with the reason. Sync functions run in a thread.
        The policy is that of a `@step`, or `retry=`. Order: at least once; recorded exactly once.
        """
        return await self._attempt.steps.take((function, *args), kwargs)

    def plan(self, steps: Iterable[str | Callable[..., Any]]) -> None:
        """Declares the steps to come, by name or function: progress is the share that is done. Replaces a plan."""
        self._attempt.values.plan(steps)

    async def compensate(self, reason: str = "") -> list[str]:
        """Undoes the done steps, the last one first; returns the names of those that could not be undone.

        Then the code returns or raises. If its node is lost, another one undoes the rest and the task ends as `failed`.
        """
        return await self._attempt.steps.compensate(reason)

    async def sleep(self, how_long: str | float) -> None:
        """Sleeps for `7d`, `1h30m` or a number of seconds; goes on wherever a slot is free then.

        The end is decided once. From one second on, the slot is free while the code does nothing but wait: it stays in
        memory and goes on in place. Where its node ends meanwhile, this raises `TaskSuspended`.
        Raises: `Refused` where that is not a duration.
        """
        await self._attempt.sleeps.sleep(how_long)

    async def signal(self, name: str, timeout: str | float | None = None) -> Any:  # noqa: ASYNC109 # no scope lasts as long
        """The payload of the next signal of that name: the first call returns the first one that was sent, and so on.

        Signals are kept from the submission on. Where there is none, the code waits: after 0.2 s its slot is free, as
        with `sleep`.
        Raises: `TimeoutError` when none arrived within `timeout`, seconds or as in `1h`, counted from the first time
        that the code came here; a signal that arrives later is there for the next call.
        """
        return await self._attempt.signals.take(name, timeout)

    async def run(
        self,
        skill: "str | Skill | SkillCall[Any]",
        params: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        on_parent_cancel: OnParentCancel = "cancel",
        **options: Unpack[TaskOptions],
    ) -> Any:
        """Runs a child, a task of its own on any node, and returns its result, typed if `skill` is one.

        The same place in the code finds the same child on every resume; `key` names it instead, and must be unique
        within the task. When this task ends without a result its children are cancelled, unless `on_parent_cancel` is
        "leave". User and priority are those of this task. `asyncio.gather` and `TaskGroup` run many side by side.
        Raises: `ChildFailed` when the child ended without a result; `Refused` (parameters that don't fit, more than 32
        levels, more than 100,000 children).
        """
        return await self._children.run(skill, params, {"key": key, "on_parent_cancel": on_parent_cancel, **options})

    async def submit(
        self,
        skill: "str | Skill | SkillCall[Any]",
        params: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        on_parent_cancel: OnParentCancel = "cancel",
        **options: Unpack[TaskOptions],
    ) -> ChildRef:
        """Submits a child as `run` does, and returns a handle on it: `await ref` is its result, `ref.cancel()` ends it.

        A child that nobody waits for outlives a task that completes. Raises: as `run`, but for `ChildFailed`.
        """
        wanted = {"key": key, "on_parent_cancel": on_parent_cancel, **options}
        return await self._children.submit("submit", skill, params, wanted)

    async def gather(
        self, *refs: ChildRef | Iterable[ChildRef], need: int | None = None, on_failure: OnFailure = "cancel"
    ) -> list[Any]:
        """The results of children in the order of `refs`, a list or one by one, once `need` (or all) have completed.

        When so many can't complete any more: "cancel" cancels the others and raises, "wait" waits for the others and
        raises, "ignore" waits and returns. What becomes of the others once `need` have completed follows the same
        word; "ignore" leaves them running. In the list stand `None` for a child that had not ended, and the
        `ChildFailed` of one that failed. Raises: `ChildFailed` of the first that failed; `Refused`.
        """
        return await self._children.gather_refs(refs, need, on_failure)

    async def approve(
        self,
        question: str,
        *,
        by: Iterable[str] = (),
        timeout: str | float | None = None,  # noqa: ASYNC109 # no scope lasts as long
        default: UnansweredAs = "deny",
        remind: str | float | None = None,
        name: str | None = None,
    ) -> ApprovalAnswer:
        """Asks people, waits for the first answer and returns it: true where they approved, with `by` and `comment`.

        `claw approvals` lists what is asked; `claw approve ID` and `claw deny ID` answer it. `by` are the users who may
        answer, anybody if empty. When nobody has within `timeout` (seconds or as in `2d`), `default` is the answer;
        without one it waits for ever. `remind`: every so often the question is raised again. The question has a name,
        `approval`, `approval#2` …, or the one given here. Raises: `Refused`.
        """
        return await self._approvals.ask(question, by, timeout, default, remind, name)

    async def emit(self, chunk: Any, stream: str = OUT) -> None:
        """Emits a piece of output, any JSON up to 256 KB, for readers of `Ref.stream`.

        Pieces are sent together every few ms, in order; it waits only where the server is slower than the code. They
        are kept for seven days and are not part of the task's history: the next attempt emits again.
        Raises: `Refused` (not JSON, too large, more than 64 MB in all).
        """
        await self._attempt.values.output().emit(chunk, stream)

    async def store(self, body: Buffer) -> dict[str, Any]:
        """Stores bytes; returns a reference for results, `{"blob": …, "bytes": …}`, which `Client.blob` reads."""
        return await self._attempt.values.store_blob(body)

    def secret(self, name: str) -> str:
        """A secret that the skill asks for (`@skill(…, secrets=[…])`) and its node holds. Raises: `Refused`."""
        return self._attempt.values.secret(name)

    async def remember(self, text: str, *, tags: Iterable[str] = (), **more: Unpack[NoteOptions]) -> str:
        """Remembers the text for the user of the task; durable when it returns the memory's id.

        A repeat on a resume changes nothing; other words for the same `key=` replace what it stood for. It counts as
        derived from what the task has recalled, unless `derived_from=()` says that it is not. Raises: `Refused`.
        """
        return await self._attempt.memories.remember(text, tags, **more)

    async def recall(self, text: str, *, limit: int = 5, **wanted: Unpack[RecallOptions]) -> list[dict[str, Any]]:
        """The memories that match best, as rows with `text`, `excerpt`, `score`, `sources` …

        They are those of the task's user and of nobody; `owner=` names another user, who has to share them.
        Raises: `Refused`; `Unavailable` where memory does not answer. The next attempt may find more: make it a step,
        `await task.step("recall", task.recall, question)`, where the code depends on the answer.
        """
        return await self._attempt.memories.recall(text, limit, **wanted)

    async def context(
        self, text: str, *, tokens: int = 2000, count: Any = None, **wanted: Unpack[RecallOptions]
    ) -> dict[str, Any]:
        """What memory holds, packed into a `text` of at most `tokens` tokens; options as of `Memories.context`."""
        return await self._attempt.memories.context(text, tokens, count, **wanted)

    async def ask_memory(self, name: str, /, **question: Any) -> dict[str, Any]:
        """The answer to a question of `clawactors.memory.process.questions`. Raises: `NotFound`; as `recall`."""
        return await self._attempt.memories.ask(name, **question)

    async def results(self) -> dict[str, Any]:
        """The results of the tasks that this one comes `after`, by id, in that order.

        Tasks that ended without a result, as is possible with `on_dead="run"`, are left out.
        """
        return await self._attempt.predecessors.results()

    def progress(self, done: float, total: float = 1.0) -> None:
        """Reports progress, `done` of `total`; visible with the next recorded step and the next heartbeat."""
        self._attempt.values.report_progress(done, total)

    def heartbeat(self) -> None:
        """A sign of life, for skills with `heartbeat_s`: an attempt that gives none for so long fails."""
        self._attempt.heartbeat.beat()


def children_of(context: TaskContext) -> TaskChildren:
    """The children of the task, for the bridges of sync code."""
    return context._children
