"""Children as sync code handles them, in a thread or a process of its own: each call goes over the bridge as JSON."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from clawactors.runtime.node.childfailed import ChildFailed
from clawactors.runtime.node.childrefs import given_refs, restored
from clawactors.systems.skills import asked_of
from clawactors.systems.skills.returns import JSON, Returns
from clawactors.systems.tasks.events import TaskError

if TYPE_CHECKING:
    from clawactors.runtime.node.bridge import Bridge
    from clawactors.systems.skills import Skill, SkillCall

__all__ = ["CHILD_CALLS", "SyncChildRef", "gather_children", "outcome_of", "submit_child"]

CHILD_CALLS: Final = frozenset(("submit_child", "child_outcome", "child_outcomes", "cancel_child"))
"""Methods of `TaskChildren` that sync code calls."""


class SyncChildRef:
    """A child that was submitted, for sync code."""

    def __init__(self, bridge: "Bridge", id: str, returns: Returns | None) -> None:
        self._bridge, self.id, self.returns = bridge, id, returns or JSON

    def __repr__(self) -> str:
        return f"<child {self.id}>"

    def result(self) -> Any:
        """Waits for its result. Raises: `ChildFailed` when it ended without one."""
        return restored(self.id, self.returns, _value_of(self._bridge.call("child_outcome", self.id)))

    def cancel(self) -> None:
        """Cancels it; nothing happens where it has ended."""
        self._bridge.call("cancel_child", self.id)


def submit_child(
    bridge: "Bridge",
    function: str,
    skill: "str | Skill | SkillCall[Any]",
    params: Mapping[str, Any] | None,
    options: Mapping[str, Any],
) -> SyncChildRef:
    """As `TaskContext.submit`."""
    name, params, returns = asked_of(function, skill, params)
    return SyncChildRef(bridge, bridge.call("submit_child", name, params, dict(options)), returns)


def gather_children(
    bridge: "Bridge", refs: Sequence[SyncChildRef | Iterable[SyncChildRef]], need: int | None, on_failure: str
) -> list[Any]:
    """As `TaskContext.gather`."""
    children = given_refs(refs, SyncChildRef)
    outcomes = bridge.call("child_outcomes", [ref.id for ref in children], need, on_failure)
    if outcomes["raised"] is not None:
        raise _failure_of(outcomes["raised"])
    return [
        outcome
        and (
            _failure_of(outcome["failed"]) if "failed" in outcome else restored(ref.id, ref.returns, outcome["result"])
        )
        for ref, outcome in zip(children, outcomes["all"], strict=True)
    ]


def _value_of(outcome: dict[str, Any]) -> Any:
    if "failed" in outcome:
        raise _failure_of(outcome["failed"])
    return outcome["result"]


def _failure_of(failed: list[Any]) -> ChildFailed:
    id, status, error = failed
    return ChildFailed(id, status, None if error is None else TaskError(*error))


def outcome_of(value: Any) -> dict[str, Any]:
    """A result, or a failure, as JSON."""
    if not isinstance(value, ChildFailed):
        return {"result": value}
    error = value.error
    return {"failed": [value.id, value.status, error and [error.kind, error.message]]}
