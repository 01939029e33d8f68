"""What a model may call: functions, and skills, each with a name, a description and a schema of its arguments."""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from clawactors.agents.schemas import OPEN, parameters_schema
from clawactors.kernel.errors import Refused
from clawactors.runtime.node.step import Step
from clawactors.systems.skills import Skill
from clawactors.systems.skills.callables import is_async, unwrapped
from clawactors.systems.skills.parameters import Conversion
from clawactors.systems.tasks.jsonvalues import said_of
from clawactors.systems.tasks.retry import Retry

__all__ = ["Tool", "as_tools", "tool"]

_UNFIT: Final = re.compile(r"[^a-zA-Z0-9_-]")
_NAME_MAX: Final = 64
_HANDLE: Final = "task"
RESULT_CHARS: Final = 20_000

type Approve = bool | Callable[[Mapping[str, Any]], bool]


class Tool:
    """A function or a skill, as a model sees it; made by `tool`."""

    def __init__(
        self,
        name: str,
        description: str,
        parameters: dict[str, Any],
        *,
        approve: Approve,
        retry: Retry | None,
        timeout_s: float | None,
        limit_chars: int,
        function: Callable[..., Any] | None = None,
        skill: Skill | str = "",
    ) -> None:
        self.name, self.description, self.parameters = name, description, parameters
        self.retry, self.timeout_s, self.limit_chars = retry, timeout_s, limit_chars
        self.function, self.skill, self._approve = function, skill, approve
        self.takes_task = function is not None and _takes_task(function)
        self.is_async = function is not None and is_async(function)
        self._convert = None if function is None else Conversion(function, handle=self.takes_task)

    def __repr__(self) -> str:
        return f"<tool {self.name!r}>"

    def definition(self) -> dict[str, Any]:
        """The tool as requests name it."""
        told = {"name": self.name, "description": self.description, "parameters": self.parameters}
        return {"type": "function", "function": told}

    def needs_approval(self, params: Mapping[str, Any]) -> bool:
        """True where people are asked before it is called with these arguments."""
        return bool(self._approve(params)) if callable(self._approve) else self._approve

    def arguments(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as annotated. Raises: `Refused` that says what does not fit."""
        if isinstance(self.skill, Skill):
            self.skill.arguments(params)  # checked here; the child gets them as JSON
            return dict(params)
        if self._convert is None:
            return dict(params)
        required = self.parameters.get("required", ())
        if missing := [name for name in required if name not in params]:
            raise Refused(f"{self.name} needs {', '.join(missing)}")
        try:
            return self._convert(params)
        except msgspec.ValidationError as error:
            raise Refused(f"{self.name}: {said_of(error, dict(params))}") from None


def tool(
    called: Callable[..., Any] | Skill | str,
    *,
    name: str = "",
    description: str = "",
    approve: Approve = False,
    retry: Retry | None = None,
    timeout_s: float | None = None,
    limit_chars: int = RESULT_CHARS,
    parameters: dict[str, Any] | None = None,
) -> Tool:
    """A function, a skill or the name of a skill as a tool.

    A function runs as a step of the agent's task, a skill as a child task on any node. `approve`: people are asked
    before each call, or before those for whose arguments it returns true. Of a result the model sees `limit_chars`.
    A function whose first parameter is named `task` is async and gets the task. `parameters` is a JSON Schema that
    stands for the one made of annotations. Raises: `TypeError`, `ValueError`.
    """
    more: dict[str, Any] = {"approve": approve, "retry": retry, "timeout_s": timeout_s, "limit_chars": limit_chars}
    if limit_chars < 1 or not (timeout_s is None or timeout_s > 0):
        raise ValueError("limit_chars is 1 or more, and timeout_s more than 0 s")
    if isinstance(called, Skill):
        schema = parameters or parameters_schema(called.function, handle=True)
        words = description or inspect.getdoc(unwrapped(called.function)) or ""
        return Tool(_named(name or called.name), words, schema, skill=called, **more)
    if isinstance(called, str):
        return Tool(_named(name or called), description or f"Runs {called}.", parameters or OPEN, skill=called, **more)
    function: Callable[..., Any] = called
    if isinstance(called, Step):
        function, more["retry"] = called.function, retry or called.retry
        more["timeout_s"] = timeout_s or called.timeout_s
    if not callable(function):
        raise TypeError(f"a tool is a function, a skill or the name of one, not {type(called).__name__}")
    inner = unwrapped(function)
    takes_task = _takes_task(function)
    if takes_task and not is_async(function):
        raise TypeError(f"the tool {inner.__name__} takes the task, so make it `async def`")
    schema = parameters or parameters_schema(function, handle=takes_task)
    words = description or inspect.getdoc(inner) or ""
    shown = name or str(getattr(called, "name", "") or getattr(inner, "__name__", ""))
    return Tool(_named(shown), words, schema, function=function, **more)


def as_tools(given: Iterable[Any]) -> dict[str, Tool]:
    """Tools by name. Raises: `ValueError` where two have one name; as `tool`."""
    tools = dict[str, Tool]()
    for each in given:
        made = each if isinstance(each, Tool) else tool(each)
        if made.name in tools:
            raise ValueError(f"two tools are named {made.name!r}: give one of them tool(…, name=…)")
        tools[made.name] = made
    return tools


def _named(name: str) -> str:
    """The name as endpoints take it."""
    fit = _UNFIT.sub("_", name)[:_NAME_MAX]
    if not fit.strip("_"):
        raise ValueError(f"a tool needs a name of letters, digits, '-' or '_', not {name[:40]!r}: tool(…, name=…)")
    return fit


def _takes_task(function: Callable[..., Any]) -> bool:
    try:
        return next(iter(inspect.signature(function).parameters), "") == _HANDLE
    except (TypeError, ValueError):
        return False
