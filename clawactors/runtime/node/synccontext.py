"""What sync code holds of its task: the methods of `TaskContext` without `await`, each passed on over a `Bridge`.

The code runs in a thread of the node (`ThreadBridge`) or in a process of its own (`ChildBridge`).
"""

import sys
from collections.abc import Buffer, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Unpack, overload

import msgspec

from clawactors.runtime.memoryoptions import NoteOptions, RecallOptions
from clawactors.runtime.node.approvals import ApprovalAnswer
from clawactors.runtime.node.attempt.files import in_step
from clawactors.runtime.node.bridge import Bridge
from clawactors.runtime.node.code import as_exception
from clawactors.runtime.node.failure import message_of
from clawactors.runtime.node.heartbeat import share_of
from clawactors.runtime.node.longlife import SyncLongLife
from clawactors.runtime.node.naming import StepNames, planned
from clawactors.runtime.node.step import Step, call_of, undo_of
from clawactors.runtime.node.steptime import call_within
from clawactors.runtime.node.syncchildren import SyncChildRef, gather_children, submit_child
from clawactors.runtime.output import OUT
from clawactors.runtime.packing import Count, repacked
from clawactors.systems.skills.returns import returns_of
from clawactors.systems.tasks.approvalevents import UnansweredAs
from clawactors.systems.tasks.options import TaskOptions
from clawactors.systems.tasks.retry import Retry
from clawactors.systems.tasks.spec import OnParentCancel

if TYPE_CHECKING:
    from clawactors.runtime.node.children import OnFailure
    from clawactors.systems.skills import Skill, SkillCall

__all__ = ["SyncTaskContext"]


class SyncTaskContext(SyncLongLife):
    """The task, for sync code in a thread or a process of its own: the calls of `TaskContext`, without `await`."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge, self.names = bridge, StepNames()

    @property
    def id(self) -> str:
        """The task's id."""
        return self._bridge.id

    @property
    def attempt(self) -> int:
        """1 for the first attempt; each scheduling adds one."""
        return self._bridge.attempt

    @property
    def cancelled(self) -> bool:
        """True once the code should end; long loops without steps check it."""
        return self._bridge.cancelled

    @overload
    def step[**P, T](self, function: Step[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T: ...

    @overload
    def step[**P, T](self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T: ...

    @overload
    def step[T](
        self, name: str, function: Callable[..., T], /, *args: Any, retry: Retry | None = None, **kwargs: Any
    ) -> T: ...

    def step(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """As `TaskContext.step`; the function runs in this thread, with a timeout in one beside it."""
        bridge, call = self._bridge, call_of(self.names, (function, *args), kwargs)
        name, returns = call.name, returns_of(call.function)
        undo = undo_of(call, bridge.home) if call.undo is not None else None
        done, result = bridge.begin_step(name, call.fingerprint)
        if done:
            return returns.restored(result, f"step {name!r}")
        failures = 0
        while True:
            started_s = bridge.monotonic_s()
            try:
                with in_step():
                    result = call_within(call.timeout_s, call.function, call.args, call.kwargs, name)
            except (Exception, SystemExit, KeyboardInterrupt) as raised:
                error = as_exception(raised)
                if bridge.fail_step(name, error, bridge.monotonic_s() - started_s, call.retry, failures):
                    failures += 1
                    continue
                if error is raised:
                    raise
                raise error from raised
            value = bridge.end_step(name, result, bridge.monotonic_s() - started_s, undo, returns)
            return returns.restored(value, f"step {name!r}")

    def plan(self, steps: Iterable[str | Callable[..., Any]]) -> None:
        """As `TaskContext.plan`."""
        self._bridge.call("plan", [planned(each) for each in steps])

    def compensate(self, reason: str = "") -> list[str]:
        """As `TaskContext.compensate`."""
        raised = sys.exception()
        said = reason or (message_of(raised) if raised is not None else "")
        return self._bridge.call("compensate", said)  # type: ignore[no-any-return]

    def sleep(self, how_long: str | float) -> None:
        """As `TaskContext.sleep`."""
        self._bridge.call("sleep", how_long)

    def signal(self, name: str, timeout: str | float | None = None) -> Any:
        """As `TaskContext.signal`."""
        return self._bridge.call("signal", name, timeout)

    def run(
        self,
        skill: "str | Skill | SkillCall[Any]",
        params: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        on_parent_cancel: OnParentCancel = "cancel",
        **options: Unpack[TaskOptions],
    ) -> Any:
        """As `TaskContext.run`."""
        wanted = {"key": key, "on_parent_cancel": on_parent_cancel, **options}
        return submit_child(self._bridge, "run", skill, params, wanted).result()

    def submit(
        self,
        skill: "str | Skill | SkillCall[Any]",
        params: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        on_parent_cancel: OnParentCancel = "cancel",
        **options: Unpack[TaskOptions],
    ) -> SyncChildRef:
        """As `TaskContext.submit`; `ref.result()` waits for the result."""
        wanted = {"key": key, "on_parent_cancel": on_parent_cancel, **options}
        return submit_child(self._bridge, "submit", skill, params, wanted)

    def gather(
        self, *refs: SyncChildRef | Iterable[SyncChildRef], need: int | None = None, on_failure: "OnFailure" = "cancel"
    ) -> list[Any]:
        """As `TaskContext.gather`."""
        return gather_children(self._bridge, refs, need, on_failure)

    def approve(
        self,
        question: str,
        *,
        by: Iterable[str] = (),
        timeout: str | float | None = None,
        default: UnansweredAs = "deny",
        remind: str | float | None = None,
        name: str | None = None,
    ) -> ApprovalAnswer:
        """As `TaskContext.approve`."""
        users = by if isinstance(by, str) or not isinstance(by, Iterable) else list(by)
        asked = {"by": users, "timeout": timeout, "default": default, "remind": remind, "name": name}
        return msgspec.convert(self._bridge.call("approve", question, **asked), ApprovalAnswer)

    def emit(self, chunk: Any, stream: str = OUT) -> None:
        """As `TaskContext.emit`."""
        self._bridge.call("emit", chunk, stream)

    def store(self, body: Buffer) -> dict[str, Any]:
        """As `TaskContext.store`."""
        return self._bridge.call("store", body)  # type: ignore[no-any-return]

    def secret(self, name: str) -> str:
        """As `TaskContext.secret`."""
        return self._bridge.call("secret", name)  # type: ignore[no-any-return]

    def remember(self, text: str, *, tags: Iterable[str] = (), **more: Unpack[NoteOptions]) -> str:
        """As `TaskContext.remember`."""
        return self._bridge.call("remember", text, tags=tags, **more)  # type: ignore[no-any-return]

    def recall(self, text: str, *, limit: int = 5, **wanted: Unpack[RecallOptions]) -> list[dict[str, Any]]:
        """As `TaskContext.recall`."""
        return self._bridge.call("recall", text, limit=limit, **wanted)  # type: ignore[no-any-return]

    def context(
        self, text: str, *, tokens: int = 2000, count: Count | None = None, **wanted: Unpack[RecallOptions]
    ) -> dict[str, Any]:
        """As `TaskContext.context`."""
        asked = tokens if count is None else 4 * tokens
        reply: dict[str, Any] = self._bridge.call("context", text, tokens=asked, **wanted)
        return reply if count is None else repacked(reply, tokens, count)

    def ask_memory(self, name: str, /, **question: Any) -> dict[str, Any]:
        """As `TaskContext.ask_memory`."""
        return self._bridge.call("ask_memory", name, **question)  # type: ignore[no-any-return]

    def results(self) -> dict[str, Any]:
        """As `TaskContext.results`."""
        return self._bridge.call("results")  # type: ignore[no-any-return]

    def progress(self, done: float, total: float = 1.0) -> None:
        """As `TaskContext.progress`."""
        self._bridge.send("progress", share_of(done, total))

    def heartbeat(self) -> None:
        """As `TaskContext.heartbeat`."""
        self._bridge.send("heartbeat")
