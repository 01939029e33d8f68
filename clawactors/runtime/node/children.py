"""The children that a task's code makes, and what they return.

1. The n-th child of a branch of the code has the same id on every run of the code, so a resume finds it.
2. Nothing is asked of control for a child whose end is on record.
3. Code that waits for some of many takes them in the order of the log, on every run the same.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

from clawactors.kernel.errors import Refused
from clawactors.runtime.node.attempt.journal import load_task, submitted
from clawactors.runtime.node.childends import ChildEnds, FoundEnds
from clawactors.runtime.node.childfailed import ChildFailed
from clawactors.runtime.node.childrefs import ChildRef, as_child, given_refs, id_of_child, restored
from clawactors.runtime.node.codetasks import outside_run
from clawactors.runtime.node.patches import WAY_OUT
from clawactors.runtime.node.submitter import Submitter
from clawactors.runtime.node.syncchildren import outcome_of
from clawactors.systems.skills import Skill, SkillCall, asked_of
from clawactors.systems.tasks import FINAL
from clawactors.systems.tasks.children import DEPTH_MAX, WIDTH_MAX, ChildEnd, end_of
from clawactors.systems.tasks.events import Spec
from clawactors.systems.tasks.options import TaskOptions, unknown_option
from clawactors.systems.tasks.payload import is_reference
from clawactors.systems.tasks.spec import OnParentCancel
from clawactors.systems.tasks.submission import spec_of

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["OnFailure", "TaskChildren"]

type OnFailure = Literal["cancel", "wait", "ignore"]

_OWN_OPTIONS: Final = ("key", "on_parent_cancel")
_ON_FAILURE, _ON_PARENT_CANCEL = ("cancel", "wait", "ignore"), ("cancel", "leave")


class TaskChildren:
    """The children of one attempt; `ends` are those that it knows."""

    def __init__(self, attempt: "Attempt") -> None:
        self._attempt = attempt
        self._keys: set[str] = set()
        self._numbered: dict[str, int] = {}
        self._spec: Spec | None = None
        self._reading = asyncio.Lock()
        self.ends = ChildEnds(attempt)

    # Making them

    @outside_run
    async def run(
        self, skill: "str | Skill | SkillCall[Any]", params: Mapping[str, Any] | None, options: Mapping[str, Any]
    ) -> Any:
        """See `TaskContext.run`."""
        ref = await self.submit("run", skill, params, options)
        try:
            return await ref.result()
        except asyncio.CancelledError:
            if not self._attempt.is_stopping:  # the code itself gives it up: a timeout, or a sibling that failed
                await ref.cancel()
            raise

    async def submit(
        self,
        function: str,
        skill: "str | Skill | SkillCall[Any]",
        params: Mapping[str, Any] | None,
        options: Mapping[str, Any],
    ) -> ChildRef:
        """See `TaskContext.submit`."""
        name, params, returns = asked_of(function, skill, params)
        return ChildRef(self, await self.submit_child(name, params, options), returns)

    @outside_run
    async def submit_child(self, skill: str, params: Mapping[str, Any] | None, options: Mapping[str, Any]) -> str:
        """The id of the child, whose skill has that name."""
        await (attempt := self._attempt).parking.at_work("a child")
        attempt.check()
        id = id_of_child(attempt, self._key_of(options.get("key"), attempt.tasks.current().path))
        if id in self.ends.by_id:
            return id
        self.ends.being_made += 1
        try:
            await self._make(id, skill, params, options)
        finally:
            self.ends.being_made -= 1
        attempt.check()
        return id

    async def _make(self, id: str, skill: str, params: Mapping[str, Any] | None, options: Mapping[str, Any]) -> None:
        attempt, submitter = self._attempt, self.submitter()
        try:
            spec = await self.spec_of(skill, params, options)
            if not attempt.journal.is_written:
                await attempt.write()  # what its parameters were made of is on record before it is there
            await attempt.retry_while_unavailable(lambda: submitter.submit(id, spec))
        except Refused as refusal:
            await self._block_where_it_is_there(id, refusal)
            raise

    async def _block_where_it_is_there(self, id: str, refusal: Refused) -> None:
        """A child with that id, but with another content, was made by an earlier run: a person has to decide."""
        attempt = self._attempt
        there = await attempt.retry_while_unavailable(lambda: load_task(attempt.context, id, at_least=0))
        if there.state.exists:
            await attempt.block(
                f"the journal does not fit the code: {refusal}; give the task its old code back, {WAY_OUT}"
            )

    def submitter(self) -> Submitter:
        """The way to control. Raises: `Refused` where there is none."""
        if (submitter := self._attempt.supplies.submitter) is None:
            raise Refused("this attempt runs without a cluster, so it can't have children")
        return submitter

    def _key_of(self, key: object, path: str) -> str:
        if key is None:
            number = self._numbered[path] = self._numbered.get(path, 0) + 1
            key = f"#{path}/{number}" if path else f"#{number}"
        elif not isinstance(key, str) or not key or key.startswith("#"):
            raise Refused(f"the key of a child is a text that does not begin with '#', not {repr(key)[:40]}")
        if key in self._keys:
            raise Refused(f"the code uses the key {key!r} for two children; keys are unique within a task")
        if len(self._keys) >= WIDTH_MAX:
            raise Refused(f"a task has at most {WIDTH_MAX} children; let children have children")
        self._keys.add(key)
        return key

    async def spec_of(self, skill: str, params: Mapping[str, Any] | None, options: Mapping[str, Any]) -> Spec:
        """What is asked of a child, a task of this one's user and priority. Raises: `Refused`."""
        attempt, own = self._attempt, self._spec or await self._own()
        if own.depth >= DEPTH_MAX:
            raise Refused(
                f"{own.depth} parents stand above this task, and {DEPTH_MAX} is the limit; call the code as a function"
            )
        policy: OnParentCancel = options.get("on_parent_cancel", "cancel")
        if policy not in _ON_PARENT_CANCEL:
            raise Refused(f"on_parent_cancel is one of {', '.join(_ON_PARENT_CANCEL)}, not {repr(policy)[:40]}")
        wanted: dict[str, Any] = {"user": own.user, "priority": own.priority, **options}
        for name in _OWN_OPTIONS:
            wanted.pop(name, None)
        try:
            spec = spec_of(skill, params, **wanted)
        except TypeError as error:
            known = (*_OWN_OPTIONS, *TaskOptions.__annotations__)
            raise unknown_option("run", wanted, known) or error from None
        await self.submitter().check(spec)
        spec = await attempt.retry_while_unavailable(lambda: attempt.supplies.payloads.offload_payload(spec))
        return as_child(attempt, spec, own, policy)

    async def _own(self) -> Spec:
        """What was asked of this task itself; asked for once, however many children are made at a time."""
        async with self._reading:
            if self._spec is None:
                attempt = self._attempt
                self._spec = await attempt.retry_while_unavailable(lambda: submitted(attempt)) or Spec(skill="")
        return self._spec

    # What becomes of them

    @outside_run
    async def result(self, id: str) -> Any:
        """The result of that child. Raises: `ChildFailed` when it ended without one."""
        await self._look_again((id,))
        return await self._value_of(await self.ends.of(id))

    async def _look_again(self, ids: Sequence[str]) -> None:
        """Looks whether a person has retried those of them that had failed."""
        attempt = self._attempt
        for id in self.ends.doubtful.intersection(ids):
            known = await attempt.retry_while_unavailable(partial(load_task, attempt.context, id, at_least=-1))
            life = known.state.life
            self.ends.correct(id, end_of(id, known.version, life) if life.status in FINAL else None)

    async def _value_of(self, end: ChildEnd) -> Any:
        self._attempt.note_recalled(end.recalled)
        if end.status != "completed":
            raise ChildFailed(end.id, end.status, end.error)
        result, attempt = end.result, self._attempt
        if end.large:
            load = partial(load_task, attempt.context, end.id, at_least=end.version)
            known = await attempt.retry_while_unavailable(load)
            result = known.state.life.result
        if is_reference(result):
            return await attempt.values.load_payload(result, f"the result of its child {end.id}")
        return result

    async def cancel_child(self, id: str) -> None:
        """Cancels that child, unless it has ended."""
        submitter = self.submitter()
        with contextlib.suppress(Refused):
            await self._attempt.retry_while_unavailable(lambda: submitter.cancel(id))

    async def gather_refs(
        self, refs: Sequence[ChildRef | Iterable[ChildRef]], need: int | None, on_failure: OnFailure
    ) -> list[Any]:
        """See `TaskContext.gather`."""
        children = given_refs(refs, ChildRef)
        values = await self.gather([ref.id for ref in children], need, on_failure)
        return [restored(ref.id, ref.returns, value) for ref, value in zip(children, values, strict=True)]

    @outside_run
    async def gather(self, ids: Sequence[str], need: int | None, on_failure: OnFailure) -> list[Any]:
        """As `gather_refs`, as JSON."""
        wanted: Any = len(ids) if need is None else need  # anything may be given
        if not isinstance(wanted, int) or isinstance(wanted, bool) or not 0 <= wanted <= len(ids):
            raise Refused(f"need is how many of the {len(ids)} children must complete, not {need!r}")
        if on_failure not in _ON_FAILURE:
            raise Refused(f"on_failure is one of {', '.join(_ON_FAILURE)}, not {repr(on_failure)[:40]}")
        await self._look_again(ids)
        found = FoundEnds(ids, wanted)
        while not found.is_decided(on_failure):
            await self.ends.more_than(found.read)
            found.take(self.ends)
        if on_failure == "wait":
            while found.left:
                await self.ends.more_than(found.read)
                found.take(self.ends)
        elif on_failure == "cancel":
            await asyncio.gather(*(self.cancel_child(id) for id in found.left))
        if on_failure != "ignore" and found.completed < wanted:
            raise ChildFailed(found.failed[0].id, found.failed[0].status, found.failed[0].error)
        return [await self._value_or_failure(found.ends[id]) if id in found.ends else None for id in ids]

    async def _value_or_failure(self, end: ChildEnd) -> Any:
        try:
            return await self._value_of(end)
        except ChildFailed as failed:
            return failed

    # What sync code asks for, as JSON

    async def child_outcome(self, id: str) -> dict[str, Any]:
        """How that child ended."""
        await self._look_again((id,))
        return outcome_of(await self._value_or_failure(await self.ends.of(id)))

    async def child_outcomes(self, ids: Sequence[str], need: int | None, on_failure: OnFailure) -> dict[str, Any]:
        """What `gather` returns or raises."""
        try:
            values = await self.gather(ids, need, on_failure)
        except ChildFailed as failed:
            return {"raised": outcome_of(failed)["failed"], "all": []}
        return {"raised": None, "all": [value if value is None else outcome_of(value) for value in values]}
