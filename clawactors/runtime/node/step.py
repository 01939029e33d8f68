"""The `step` decorator: a function with the retry policy, the timeout and the undo that it has as a step of a task.

1. Called with a task as its first argument it is a step of that task; else it is the plain function.
2. An undo is a function at the top of its module: after a crash it is found again by its name.
"""

import importlib
import re
import sys
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from functools import update_wrapper
from inspect import unwrap
from typing import Any, Final, NamedTuple, overload

from clawactors.kernel.errors import Refused
from clawactors.runtime.node.fingerprint import fingerprint
from clawactors.runtime.node.naming import StepNames, called
from clawactors.runtime.node.results import as_json
from clawactors.runtime.node.sleep import seconds_of
from clawactors.systems.skills import Skill
from clawactors.systems.skills.returns import as_annotated, returns_of
from clawactors.systems.tasks.journal import RECOVERY
from clawactors.systems.tasks.retry import Retry

__all__ = ["Step", "StepCall", "TaskHandle", "call_of", "find_undo", "home_of", "step", "undo_arguments", "undo_of"]

_LOCAL: Final = "<"  # of `<locals>` and `<lambda>`


class TaskHandle:
    """What code holds of its task: the base of `TaskContext` and `SyncTaskContext`."""

    def step(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """See `TaskContext.step`."""
        raise NotImplementedError


class Step[**P, R]:
    """A function that is taken as a step; see `step`."""

    def __init__(
        self,
        function: Callable[P, R],
        *,
        name: str | None = None,
        retry: Retry | None = None,
        timeout: str | float | None = None,
        undo: Callable[..., Any] | None = None,
    ) -> None:
        if not callable(function):
            raise TypeError(f"a step is a function, not {type(function).__name__}")
        self.function, self.name, self.retry, self.undo = function, name or called(function), retry, undo
        try:
            self.timeout_s = None if timeout is None else seconds_of(timeout)
        except Refused as error:
            raise ValueError(f"step {self.name!r}: timeout: {error}") from None
        if self.timeout_s is not None and not self.timeout_s > 0:
            raise ValueError(f"step {self.name!r}: a timeout is more than 0 s")
        if undo is not None and _LOCAL in getattr(undo, "__qualname__", _LOCAL):
            raise ValueError(
                f"step {self.name!r}: its undo must be a function at the top of its module, because after a crash it "
                "is found by its name"
            )
        update_wrapper(self, function)

    @overload
    def __call__[T](
        self: "Step[P, Coroutine[Any, Any, T]]", task: TaskHandle, /, *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, T]: ...

    @overload
    def __call__(self, task: TaskHandle, /, *args: P.args, **kwargs: P.kwargs) -> Any: ...

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # type: ignore[misc] # as wide as can be said
        """A step of the task that is its first argument; without one, the plain function."""
        if args and isinstance(args[0], TaskHandle):
            return args[0].step(self, *args[1:], **kwargs)
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<step {self.name!r}>"


@overload
def step[**P, R](function: Callable[P, R], /) -> Step[P, R]: ...


@overload
def step[**P, R](
    function: Callable[P, R],
    /,
    *,
    name: str | None = None,
    retry: Retry | None = None,
    timeout: str | float | None = None,
    undo: Callable[..., Any] | None = None,
) -> Step[P, R]: ...


@overload
def step[**P, R](
    *,
    name: str | None = None,
    retry: Retry | None = None,
    timeout: str | float | None = None,
    undo: Callable[..., Any] | None = None,
) -> Callable[[Callable[P, R]], Step[P, R]]: ...


def step(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Makes a function a step: `@step`, `@step(retry=…, timeout=…, undo=…, name=…)` or `step(function, undo=…)`.

    `timeout` bounds one try, in seconds or as in `30s`; `name` stands in the journal in place of the function's.
    `undo(result, *args, **kwargs)` undoes what the step has done: see `TaskContext.compensate`. It has a retry policy
    and a timeout of its own where it is a step itself. Raises: `ValueError` for what can't be kept.
    """
    if function is not None:
        return Step(function, **options)
    return lambda function: Step(function, **options)


def _undo_name(undo: Callable[..., Any], home: Mapping[str, Any]) -> str:
    """What stands on record for the undo: `module:name`, without the module where that is the skill's.

    Raises: `Refused` where it could not be found by that name.
    """
    module = getattr(undo, "__module__", "")
    names = home if module == home.get("__name__") else vars(sys.modules[module]) if module in sys.modules else {}
    path = getattr(undo, "__qualname__", "")
    if "." not in path and names.get(path) is not undo:  # as in `undo = step(function)`
        path = next((name for name, value in names.items() if value is undo), path)
    name = f"{'' if names is home else module}:{path}"
    if find_undo(name, home).function not in (undo, getattr(undo, "function", undo)):
        raise Refused(
            f"{path!r} in module {module!r} is not the undo that was given; give the undo a name of its own there"
        )
    return name


def home_of(skill: Skill | None) -> Mapping[str, Any]:
    """The names of the module that the skill stands in."""
    if skill is None:
        return {}
    module = sys.modules.get(getattr(skill.function, "__module__", None) or "")
    return vars(module) if module is not None else getattr(unwrap(skill.function), "__globals__", {})


def find_undo(name: str, home: Mapping[str, Any]) -> Step[..., Any]:
    """The undo of that name; `home` are the names of the skill's module. Raises: `Refused` where there is none."""
    module, _, path = name.partition(":")
    try:
        top, *rest = path.split(".")
        names = vars(sys.modules.get(module) or importlib.import_module(module)) if module else home
        found = names[top]
        for each in rest:
            found = getattr(found, each)
    except (ImportError, LookupError, AttributeError):
        where = f"module {module!r}" if module else "the skill's module"
        raise Refused(
            f"there is no {path!r} in {where} to undo the step with; restore it, then retry the undo"
        ) from None
    return found if isinstance(found, Step) else Step(found)


def undo_arguments(
    undo: Step[..., Any], home: Mapping[str, Any], step: str, result: Any, made: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the undo of the step of that name is called with, from the record: as the undo annotates it, or the step.

    Raises: `Refused` where a value is not what the undo says.
    """
    args, kwargs = made["args"], made["kwargs"]
    typed = None
    if (function := _undone_by(undo, home, step)) is not None:
        with suppress(Refused):
            its_args, its_kwargs = as_annotated(function, args, kwargs)
            typed = ((returns_of(function).restored(result, "it"), *its_args), its_kwargs)
    return as_annotated(undo.function, (result, *args), kwargs, typed)


def _undone_by(undo: Step[..., Any], home: Mapping[str, Any], name: str) -> Callable[..., Any] | None:
    """The function of the step that names this undo, where one can be found beside the skill or the undo."""
    beside = vars(sys.modules.get(getattr(undo.function, "__module__", None) or "", object))
    found = {
        id(each): each
        for each in (*home.values(), *beside.values())
        if isinstance(each, Step) and undo.function in (each.undo, getattr(each.undo, "function", None))
    }
    own = [each for each in found.values() if each.name == re.split("[@#]", name, maxsplit=1)[0]] or [*found.values()]
    return own[0].function if len(own) == 1 else None


class StepCall(NamedTuple):
    """One call of `TaskContext.step`: what is called under which name, and how."""

    name: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    retry: Retry | None
    timeout_s: float | None
    undo: Callable[..., Any] | None

    @property
    def fingerprint(self) -> str:
        """See `fingerprint`; none of a step of `recover`, whose calls say nothing about those of the code."""
        return "" if self.name.startswith(RECOVERY) else fingerprint(self.function, self.args, self.kwargs)


def call_of(names: StepNames, given: tuple[Any, ...], kwargs: dict[str, Any], branch: str = "") -> StepCall:
    """The call with these arguments: a name, a function and its arguments, or these without a name. Raises: `Refused`.

    `retry` among the arguments by name is the policy of the step.
    """
    named = isinstance(given[0], str)
    function, *args = given[1 if named else 0 :] or (None,)
    retry, timeout_s, undo, base = kwargs.pop("retry", None), None, None, ""
    if isinstance(function, Step):
        retry, timeout_s, undo, base = retry or function.retry, function.timeout_s, function.undo, function.name
        function = function.function
    if not callable(function):
        raise Refused(f"task.step takes a function, or a name and a function, not {repr(given)[:40]}")
    if retry is not None and not isinstance(retry, Retry):
        raise Refused(f"the retry policy of a step is a Retry, not {repr(retry)[:40]}")
    name = given[0] if named else names.next(base or called(function), branch)
    return StepCall(names.prefix + name, function, tuple(args), kwargs, retry, timeout_s, undo)


def undo_of(call: StepCall, home: Mapping[str, Any]) -> dict[str, Any] | None:
    """What has to be on record to undo the step, before it runs; None for a step without undo.

    Raises: `Refused` where it could not be undone after a crash.
    """
    if call.undo is None:
        return None
    name = _undo_name(call.undo, home)
    arguments = {"args": list(call.args), "kwargs": call.kwargs}
    return {
        "function": name,
        "call": as_json(arguments, f"step {call.name!r} has an undo, which needs its arguments; it"),
    }
