"""Making tasks and waiting for them, with the types of the skill where it is at hand."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Unpack, cast, overload

from msgspec.structs import replace

from clawactors.runtime.client.bulk import BulkChanges
from clawactors.runtime.client.ref import Ref, TypedRef, task_id
from clawactors.runtime.client.submitting import Batch, Submission, TaskRequest, submit, submit_many, submit_one
from clawactors.runtime.client.waiting import result_of
from clawactors.systems.tasks.events import Spec
from clawactors.systems.tasks.options import TaskOptions, unknown_option
from clawactors.systems.tasks.submission import delayed, spec_of

if TYPE_CHECKING:  # a command imports no skills
    from clawactors.runtime.client.client import ClusterClient
    from clawactors.runtime.files import FileSource
    from clawactors.systems.skills import Skill, SkillCall, TypedSkill
    from clawactors.systems.skills.returns import Returns
    from clawactors.systems.tasks.files import StoredFile

__all__ = ["TaskMaking"]


class TaskMaking(BulkChanges):
    """The part of the client that makes tasks.

    A skill is given by its name, as the skill itself, or as a call of it, `fetch.call(url=…)`; type checkers then know
    the result, and of a call its arguments too.
    """

    @overload
    async def submit[R](
        self,
        skill: "SkillCall[R]",
        *,
        id: str | None = None,
        key: str | None = None,
        delay_s: float | None = None,
        files: "Mapping[str, FileSource | StoredFile] | None" = None,
        **options: Unpack[TaskOptions],
    ) -> TypedRef[R]: ...

    @overload
    async def submit[R](
        self,
        skill: "TypedSkill[..., R]",
        params: Mapping[str, Any] | None = None,
        *,
        id: str | None = None,
        key: str | None = None,
        delay_s: float | None = None,
        files: "Mapping[str, FileSource | StoredFile] | None" = None,
        **options: Unpack[TaskOptions],
    ) -> TypedRef[R]: ...

    @overload
    async def submit(
        self,
        skill: str,
        params: Mapping[str, Any] | None = None,
        *,
        id: str | None = None,
        key: str | None = None,
        delay_s: float | None = None,
        files: "Mapping[str, FileSource | StoredFile] | None" = None,
        **options: Unpack[TaskOptions],
    ) -> Ref: ...

    async def submit(
        self,
        skill: "str | Skill | SkillCall[Any]",
        params: Mapping[str, Any] | None = None,
        *,
        id: str | None = None,
        key: str | None = None,
        delay_s: float | None = None,
        files: "Mapping[str, FileSource | StoredFile] | None" = None,
        **options: Unpack[TaskOptions],
    ) -> Ref:
        """Submits a task; the same id (or idempotency key) and content again returns the existing task.

        With `delay_s` it starts after that many seconds; a repeated submission does not change the start.
        `files`, by name, are stored first, and stand in the parameters: see `TaskContext.file`.
        Raises: `Refused` (malformed, parameters that don't fit, id taken by another task, predecessors not there),
        `TypeError` for an unknown option.
        """
        spec, returns = _asked("submit", skill, params, self._for_user(options))
        if files:
            spec = await self._with_files(spec, files)
        if delay_s is not None:
            spec = delayed(spec, delay_s, await self.now_ns())
        await self.skills.check(spec)
        spec = await self.payloads.offload_payload(spec)
        made = task_id(id, key)
        new = (await submit(self._whole, made, spec, delayed=delay_s is not None)).changed
        return (
            Ref(self._whole, made, new=new) if returns is None else TypedRef[Any](self._whole, made, returns, new=new)
        )

    @overload
    async def run[R](
        self,
        skill: "SkillCall[R]",
        *,
        id: str | None = None,
        key: str | None = None,
        wait_s: float | None = None,
        files: "Mapping[str, FileSource | StoredFile] | None" = None,
        **options: Unpack[TaskOptions],
    ) -> R: ...

    @overload
    async def run[R](
        self,
        skill: "TypedSkill[..., R]",
        params: Mapping[str, Any] | None = None,
        *,
        id: str | None = None,
        key: str | None = None,
        wait_s: float | None = None,
        files: "Mapping[str, FileSource | StoredFile] | None" = None,
        **options: Unpack[TaskOptions],
    ) -> R: ...

    @overload
    async def run(
        self,
        skill: str,
        params: Mapping[str, Any] | None = None,
        *,
        id: str | None = None,
        key: str | None = None,
        wait_s: float | None = None,
        files: "Mapping[str, FileSource | StoredFile] | None" = None,
        **options: Unpack[TaskOptions],
    ) -> Any: ...

    async def run(
        self,
        skill: "str | Skill | SkillCall[Any]",
        params: Mapping[str, Any] | None = None,
        *,
        id: str | None = None,
        key: str | None = None,
        wait_s: float | None = None,
        files: "Mapping[str, FileSource | StoredFile] | None" = None,
        **options: Unpack[TaskOptions],
    ) -> Any:
        """Submits and returns the result: `submit` and `Ref.result` in one, waiting for `wait_s` at most.

        Raises: as these two, so `TaskFailed` when the task ended without a result, `TaskBlocked`, `TimeoutError`.
        """
        id = task_id(id, key)
        spec, returns = _asked("run", skill, params, self._for_user(options))
        if files:
            spec = await self._with_files(spec, files)
        await self.skills.check(spec)
        spec = await self.payloads.offload_payload(spec)
        await self.ends.ready()
        end = self.ends.expect(id, registered=True, or_blocked=True)
        try:
            outcome = await submit(self._whole, id, spec, awaits=True)
            self.ends.on_made(id, may_have_ended=not outcome.changed or outcome.repeats)
            result = await result_of(self, id, end, wait_s)
            return result if returns is None else returns.restored(result, f"task {id}")
        finally:
            self.ends.forget(id, end)

    async def submit_one(self, request: TaskRequest) -> Submission:
        """Submits a task, a `TaskRequest(id, spec_of(…))`, and returns its row; says whether it was there before.

        Raises: as `submit`.
        """
        return await submit_one(self._whole, request)

    async def submit_many(self, requests: Sequence[TaskRequest]) -> Batch:
        """Submits many tasks, each a `TaskRequest(id, spec_of(…))`; counts repeats, lists refusals.

        A refusal affects only the tasks that depend on it. Predecessors may stand anywhere in the batch.
        Returns: how many were made and how many were there, and the refusals. Raises: `Unavailable`.
        """
        return await submit_many(self._whole, requests)

    async def _with_files(self, spec: Spec, files: "Mapping[str, FileSource | StoredFile]") -> Spec:
        from clawactors.runtime.client.files import with_files

        return replace(spec, params=await with_files(self.payloads.blobs, spec.params, files))

    def _for_user(self, options: TaskOptions) -> TaskOptions:
        """A task that names no user is for the one that this client acts for."""
        return {"user": self.user, **options} if self.user else options

    @property
    def _whole(self) -> "ClusterClient":
        return cast("ClusterClient", self)


def _asked(
    function: str, skill: "str | Skill | SkillCall[Any]", params: Mapping[str, Any] | None, options: TaskOptions
) -> "tuple[Spec, Returns | None]":
    """What is asked for, and what its result is made. Raises: as `_spec_of`."""
    if isinstance(skill, str):
        return _spec_of(function, skill, params, options), None
    from clawactors.systems.skills import asked_of

    name, params, returns = asked_of(function, skill, params)
    return _spec_of(function, name, params, options), returns


def _spec_of(function: str, skill: str, params: Mapping[str, Any] | None, options: TaskOptions) -> Spec:
    """What is asked for. Raises: `Refused`; `TypeError` that names the function which the caller has called."""
    try:
        if params is None and not options and type(skill) is str:
            return _plain_spec(skill)
        return spec_of(skill, params, **options)
    except TypeError as error:
        own = ("id", "key", "delay_s" if function == "submit" else "wait_s")
        raise unknown_option(function, options, (*own, *TaskOptions.__annotations__)) or error from None


@lru_cache(maxsize=256)
def _plain_spec(skill: str) -> Spec:
    """What is asked for where nothing but the skill is. It leaves this process as bytes only, so it may be shared."""
    return spec_of(skill)
