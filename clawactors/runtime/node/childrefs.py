"""Children as code holds them: a handle, which knows what the child's skill returns; who they are, and whose."""

import inspect
from collections.abc import Generator, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from clawactors.kernel.errors import Refused
from clawactors.runtime.node.childfailed import ChildFailed
from clawactors.systems.skills.returns import JSON, Returns
from clawactors.systems.tasks.children import child_id
from clawactors.systems.tasks.spec import OnParentCancel, Spec

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt
    from clawactors.runtime.node.children import TaskChildren

__all__ = ["ChildRef", "as_child", "given_refs", "id_of_child", "restored", "seconds_of"]


class ChildRef:
    """A child that was submitted; `await ref` waits for its result."""

    def __init__(self, children: "TaskChildren", id: str, returns: Returns | None) -> None:
        self._children, self.id, self.returns = children, id, returns or JSON

    def __repr__(self) -> str:
        return f"<child {self.id}>"

    def __await__(self) -> Generator[Any, Any, Any]:
        return self.result().__await__()

    async def result(self) -> Any:
        """Its result. Raises: `ChildFailed` when it ended without one."""
        return restored(self.id, self.returns, await self._children.result(self.id))

    async def cancel(self) -> None:
        """Cancels it; nothing happens where it has ended."""
        await self._children.cancel_child(self.id)


def id_of_child(attempt: "Attempt", key: str) -> str:
    """The id of the child with that key, which the code of the attempt has come to."""
    id = child_id(attempt.id, key, attempt.journal.state.life.run)
    attempt.journal.used.add(id)
    return id


def seconds_of(children: "TaskChildren", key: str) -> float:
    """How long the child with that key ran, from its first start to its end; 0 before it has ended."""
    end = children.ends.of_key(key)
    return end.ran_s if end else 0.0


def as_child(attempt: "Attempt", spec: Spec, own: Spec, policy: OnParentCancel) -> Spec:
    """What is asked for, as a child of the task, of which itself `own` was asked."""
    run = attempt.journal.state.life.run
    recalled = tuple(dict.fromkeys((*own.recalled, *attempt.journal.ahead.life.recalled)))
    return replace(
        spec,
        parent=attempt.id,
        depth=own.depth + 1,
        on_parent_cancel=policy,
        parent_run=run if run > 1 else 0,
        recalled=recalled,
    )


def restored(id: str, returns: Returns, value: Any) -> Any:
    """What the skill of that child is annotated with, if the child has a result. Raises: `Refused` where it is not."""
    return value if value is None or isinstance(value, ChildFailed) else returns.restored(value, f"child {id}")


def given_refs[Ref](refs: Sequence[Ref | Iterable[Ref]], kind: type[Ref]) -> list[Ref]:
    """The handles, given as one list or one by one. Raises: `Refused` where they are something else."""
    given: Any = refs  # anything may be given
    if len(refs) == 1 and isinstance(refs[0], Iterable) and not isinstance(refs[0], (str, kind)):
        given = refs[0]
    found = list(given)
    if wrong := [each for each in found if not isinstance(each, kind)]:
        for each in found:
            if inspect.iscoroutine(each):
                each.close()
        raise Refused(
            f"task.gather takes what task.submit returns, not {repr(wrong[0])[:40]}; calls of task.run go to "
            "asyncio.gather"
        )
    return found
