"""One step of an instance: what it does, for each element if it says so, and how it ended."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from clawactors.kernel.errors import Refused
from clawactors.kernel.time import time_ns
from clawactors.runtime.expressions import Template
from clawactors.runtime.node.attempt.behind import attempt_of
from clawactors.runtime.node.childfailed import ChildFailed
from clawactors.runtime.node.context import TaskContext
from clawactors.runtime.node.sleep import seconds_of
from clawactors.runtime.node.workflows.branches import Branches
from clawactors.runtime.node.workflows.undo import BEGAN, DONE, began, done
from clawactors.runtime.workflows.plan import PlannedStep
from clawactors.systems.workflows.definition import StepUndo, WorkflowStep

__all__ = ["StepRun", "Undoable"]

_ITEMS_MAX: Final = 50_000
_SKILL: Final = "workflow"


class Undoable(msgspec.Struct, frozen=True):
    """The task that undoes a completed step."""

    key: str
    skill: str
    params: dict[str, Any]
    options: dict[str, Any]


class StepRun:
    """`scope` are the variables of its expressions; what it does that can be undone is added to `undoable`."""

    def __init__(
        self, task: TaskContext, planned: PlannedStep, scope: Mapping[str, Any], undoable: list[Undoable]
    ) -> None:
        self._task, self._attempt = task, attempt_of(task)
        self._planned, self._step, self._scope, self._undoable = planned, planned.step, scope, undoable

    async def outcome(self) -> dict[str, Any]:
        """How it ended, as expressions see it. Raises: what makes the workflow fail."""
        step = self._step
        self._attempt.tasks.name_branch(step.id)
        try:
            condition = self._planned.condition
            if condition is not None and not condition.holds(self._scope):
                return _ended("skipped")
            if self._planned.items is not None:
                return await self._each()
            return _ended("completed", await self._do(step.id, self._scope))
        except Exception as error:
            told = _told(step.id, error)
            if step.on_failure == "continue":
                return _ended("failed", error=str(told))
            raise told from None

    async def _each(self) -> dict[str, Any]:
        step, items = self._step, self._items()
        results: list[Any] = [None] * len(items)
        failures: list[str] = []
        at_once, begun = step.parallel or len(items), 0
        async with Branches[int, tuple[Any, str]]() as branches:
            while branches or begun < len(items):
                while begun < len(items) and len(branches) < at_once:
                    branches.start(begun, self._item(begun, items[begun]))
                    begun += 1
                number, (results[number], error) = await branches.next()
                failures += [error] if error else []
        return _ended("failed" if failures else "completed", results, failures[0] if failures else None)

    def _items(self) -> list[Any]:
        source = self._planned.items
        items = source.fill(self._scope) if isinstance(source, Template) else source and source.evaluate(self._scope)
        if not isinstance(items, list):
            raise Refused(f"for_each takes a list, not {msgspec.json.encode(items).decode()[:60]}")
        if len(items) > _ITEMS_MAX:
            raise Refused(f"for_each takes {_ITEMS_MAX} elements at most, not {len(items)}")
        return items

    async def _item(self, number: int, item: Any) -> tuple[Any, str]:
        """The result for one element, or why there is none."""
        step = self._step
        key = f"{step.id}[{number}]"
        try:
            return await self._do(key, {**self._scope, step.as_: item, "index": number}), ""
        except Exception as error:
            told = _told(key, error)
            if step.on_failure == "continue":
                return None, str(told)
            raise told from None

    async def _do(self, key: str, scope: Mapping[str, Any]) -> Any:
        task, step = self._task, self._step
        argument, settings = self._planned.argument.fill(scope), self._planned.settings.fill(scope)
        match step.does:
            case "skill":
                return await self._child(key, step.skill or "", argument, settings, scope)
            case "workflow":
                version = {"version": step.version} if step.version else {}
                params = {"workflow": step.workflow, "params": argument, **version}
                return await self._child(key, _SKILL, params, settings, scope)
            case "sleep":
                return await task.sleep(argument)
            case "until":
                return await task.sleep(self._seconds_until(argument))
            case "signal":
                return await task.signal(argument, settings.get("timeout"))
            case "approve":
                answer = await task.approve(
                    argument,
                    by=settings.get("by", ()),
                    timeout=settings.get("timeout"),
                    default=step.default,
                    remind=step.remind,
                    name=key,
                )
                return msgspec.to_builtins(answer)
            case _:
                return argument

    def _seconds_until(self, time: Any) -> float:
        try:
            until_ns = time_ns(str(time))
        except ValueError as error:
            raise Refused(f"until: {error}") from None
        return max(0.0, (until_ns - self._attempt.context.time.now_ns()) / 1e9)

    # Children

    async def _child(
        self, key: str, skill: str, params: dict[str, Any], settings: Mapping[str, Any], scope: Mapping[str, Any]
    ) -> Any:
        undo, options = self._step.undo, {"name": key, **_options(self._step, settings)}
        if undo is None:
            return await self._run(key, skill, params, options)
        token = await self._task.step(key + BEGAN, began, key)
        result = await self._run(f"{key} {token}", skill, params, options)
        filled = self._planned.undo_params.fill({**scope, "result": result}) if self._planned.undo_params else {}
        undo_options = _undo_options(undo)
        undo_key = await self._task.step(key + DONE, done, key, token, undo.skill, filled, undo_options)
        self._undoable.append(Undoable(undo_key, undo.skill, filled, {"name": f"undo {key}", **undo_options}))
        return result

    async def _run(self, key: str, skill: str, params: dict[str, Any], options: Any) -> Any:
        ref = await self._task.submit(skill, params, key=key, **options)
        try:
            return await ref
        except asyncio.CancelledError:
            attempt = self._attempt
            # The workflow goes on without it, or is cancelled and undoes what is done before its children are cancelled
            if not attempt.is_stopping or (attempt.phase.reason == "cancel" and self._undoable):
                await ref.cancel()
            raise


def _ended(status: str, result: Any = None, error: str | None = None) -> dict[str, Any]:
    return {"status": status, "result": result, "error": error}


def _told(key: str, error: Exception) -> Exception:
    """The error with the name of the step; a retry of the workflow would lead to it again."""
    text = f"step {key!r}: {error}" if not str(error).startswith("step '") else str(error)
    if isinstance(error, ChildFailed):
        error.args = (text,)
        return error
    return Refused(text)


def _options(step: WorkflowStep, settings: Mapping[str, Any]) -> dict[str, Any]:
    given = {
        "max_retries": step.retry,
        "timeout_s": seconds_of(settings["timeout"]) if "timeout" in settings else None,
        "priority": step.priority,
        "requires": settings.get("requires"),
        "affinity": settings.get("affinity"),
        "type": "workflow" if step.workflow else None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _undo_options(undo: StepUndo) -> dict[str, Any]:
    given = {"max_retries": undo.retry, "timeout_s": None if undo.timeout is None else seconds_of(undo.timeout)}
    return {name: value for name, value in given.items() if value is not None}
