"""The code of a workflow's instance: begins each step once the steps that it needs are done.

1. A step that is skipped, or that failed and says `on_failure: continue`, counts as done; its result is null.
2. When a step fails, the others are cancelled, then the steps are undone if the definition says so.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from clawactors.kernel.errors import Refused
from clawactors.runtime.node.attempt.behind import attempt_of
from clawactors.runtime.node.childfailed import ChildFailed
from clawactors.runtime.node.context import TaskContext
from clawactors.runtime.node.workflows.branches import Branches
from clawactors.runtime.node.workflows.loading import load_plan, newest_version
from clawactors.runtime.node.workflows.steps import StepRun, Undoable
from clawactors.runtime.node.workflows.undo import DONE, LEFT
from clawactors.runtime.workflows.checks import compile_plan
from clawactors.runtime.workflows.plan import Plan
from clawactors.runtime.workflows.source import DefinitionSource
from clawactors.systems.workflows.definition import params_for

__all__ = ["run_workflow"]

_VERSION: Final = "version"


async def run_workflow(
    task: TaskContext,
    name: str,
    params: Mapping[str, Any],
    version: int | None = None,
    definition: dict[str, Any] | None = None,
) -> Any:
    """The result of one instance of the workflow of that name, or of a definition that is given.

    Without a version it is the newest at the first attempt. Raises: `Refused`, `ChildFailed`.
    """
    attempt = attempt_of(task)
    if definition is not None:
        plan = compile_plan(DefinitionSource(definition, "definition"))
    elif not name:
        raise Refused("which workflow? Give its name as 'workflow', or a definition as 'definition'")
    else:
        if version is None:

            async def newest() -> int:
                return await newest_version(attempt, name)

            version = await task.step(_VERSION, newest)
        plan = await load_plan(attempt, name, version)
    about = {"name": plan.definition.workflow, "version": version, "id": task.id}
    return await _Instance(task, plan, {"params": params_for(plan.definition, params), "workflow": about}).result()


class _Instance:
    def __init__(self, task: TaskContext, plan: Plan, variables: dict[str, Any]) -> None:
        self._task, self._plan, self._variables = task, plan, variables
        self._done: dict[str, dict[str, Any]] = {}
        self._undoable: list[Undoable] = []

    async def result(self) -> Any:
        try:
            await self._steps()
            return self._filled()
        except Exception as error:
            if self._plan.definition.on_failure == "compensate" and (left := await self._undo()):
                error.args = (f"{error}; not undone: {', '.join(left)}",)
            raise

    def _filled(self) -> Any:
        try:
            return self._plan.result.fill(self._scope(self._plan.result_reads))
        except Refused as error:
            raise Refused(f"result: {error}") from None

    async def _steps(self) -> None:
        plan = self._plan
        left = {name: len(each.needs) for name, each in plan.steps.items()}
        followers: dict[str, list[str]] = {}
        for name, each in plan.steps.items():
            for needed in each.needs:
                followers.setdefault(needed, []).append(name)
        async with Branches[str, dict[str, Any]]() as branches:

            def start(name: str) -> None:
                each = plan.steps[name]
                run = StepRun(self._task, each, self._scope(each.reads), self._undoable)
                branches.start(name, run.outcome())

            for name, count in left.items():
                if not count:
                    start(name)
            while branches:
                name, self._done[name] = await branches.next()
                self._task.progress(len(self._done), len(plan.steps))
                for follower in followers.get(name, ()):
                    left[follower] -= 1
                    if not left[follower]:
                        start(follower)

    def _scope(self, reads: Sequence[str]) -> dict[str, Any]:
        """The variables of an expression that refers to these steps."""
        return {**self._variables, "steps": {name: self._done[name] for name in reads if name in self._done}}

    async def _undo(self) -> list[str]:
        """Undoes the completed steps, the last one first; returns those that could not be undone."""
        for each in reversed(self._undoable):
            try:
                await self._task.run(each.skill, each.params, key=each.key, on_parent_cancel=LEFT, **each.options)
            except ChildFailed:
                continue  # the record of the step says so
        return [name.removesuffix(DONE) for name in await self._task.compensate()]
