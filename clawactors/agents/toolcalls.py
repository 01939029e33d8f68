"""One call of a tool: checked, approved where it is risky, taken as a step or a child, its result as text.

Whatever is wrong with a call is told to the model as the result, so that it can do better: an unknown tool, arguments
that don't fit, a denial, an error.
"""

import asyncio
import time
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import msgspec

from clawactors.agents.replies import ToolCall
from clawactors.agents.tools import Tool
from clawactors.kernel.errors import Refused
from clawactors.runtime.node.childfailed import ChildFailed
from clawactors.runtime.node.childrefs import seconds_of
from clawactors.runtime.node.context import TaskContext, children_of
from clawactors.systems.skills import Skill
from clawactors.systems.tasks.jsonvalues import encode

__all__ = ["ToolOutcome", "call_tool"]

_SHOWN: Final = 1000
_ASKED: Final = 1700


class ToolOutcome(msgspec.Struct, frozen=True):
    """What a tool returned, as its step records it."""

    text: str
    seconds: float = 0.0


async def call_tool(
    task: TaskContext, agent: str, tools: Mapping[str, Tool], call: ToolCall, name: str, left_s: float | None = None
) -> ToolOutcome:
    """The result for the model; `name` is that of the step, the child and the approval, `left_s` bounds a child."""
    tool = tools.get(call.name)
    if tool is None:
        return ToolOutcome(f"Error: there is no tool {call.name!r}. Tools: {', '.join(tools) or 'none'}.")
    try:
        params = msgspec.json.decode(call.arguments)
    except msgspec.DecodeError as error:
        return ToolOutcome(f"Error: the arguments are no JSON: {error}. Send one JSON object.")
    if not isinstance(params, dict):
        return ToolOutcome("Error: the arguments are no JSON object.")
    try:
        arguments = tool.arguments(params)
        asks = tool.needs_approval(params)
    except Exception as error:  # what a model writes, and a predicate of the user makes of it
        return ToolOutcome(f"Error: {_told(error)}")
    if asks:
        answer = await task.approve(_question(agent, tool, params), name=f"approve-{name}")
        if not answer:
            why = f": {answer.comment}" if answer.comment else ""
            return ToolOutcome(f"Error: a person denied this call{why}. Do not try it again.")
    if tool.function is None:
        return await _run_skill(task, tool, arguments, name, left_s)
    running = _FunctionCall(tool, task)
    try:
        return await task.step(name, partial(running.make, arguments), retry=tool.retry)
    except Exception as error:  # its last try failed, or its result can't be recorded
        return ToolOutcome(f"Error: {_told(error)}")


def _question(agent: str, tool: Tool, params: dict[str, Any]) -> str:
    """What people are asked. Nobody should approve what can't be seen, so it says where the rest is."""
    shown = msgspec.json.encode(params).decode()
    left = len(shown) - _ASKED
    more = f" … and {left:,} more characters, in the result of the last step of the model" if left > 0 else ""
    return f"{agent[:100]} wants to call {tool.name}({shown[:_ASKED]}{more})"


async def _run_skill(
    task: TaskContext, tool: Tool, params: dict[str, Any], name: str, left_s: float | None
) -> ToolOutcome:
    skill = tool.skill.name if isinstance(tool.skill, Skill) else tool.skill
    limits_s = [each for each in (tool.timeout_s, left_s) if each is not None]
    options: dict[str, Any] = {"timeout_s": min(limits_s)} if limits_s else {}
    try:
        text = _text(await task.run(skill, params, key=name, **options), tool.limit_chars)
    except ChildFailed as failed:
        text = f"Error: {_told(failed)}"
    except Refused as error:
        text = f"Error: {error}"
    return ToolOutcome(text, seconds_of(children_of(task), name))


class _FunctionCall:
    """The tries of one call of a function."""

    def __init__(self, tool: Tool, task: TaskContext) -> None:
        self._tool, self._task, self._tries = tool, task, 0

    async def make(self, arguments: dict[str, Any]) -> ToolOutcome:
        """The result, or the error as text once no try is left."""
        tool, began = self._tool, time.monotonic()
        self._tries += 1
        try:
            async with asyncio.timeout(tool.timeout_s):
                value = await self._value(arguments)
            text = _text(value, tool.limit_chars)
        except Exception as error:
            if tool.retry is not None and self._tries <= tool.retry.max_retries:
                raise
            text = f"Error: {_told(error)}"
        return ToolOutcome(text, round(time.monotonic() - began, 3))

    async def _value(self, arguments: dict[str, Any]) -> Any:
        function: Any = self._tool.function
        if not self._tool.is_async:
            return await asyncio.to_thread(function, **arguments)
        return await (function(self._task, **arguments) if self._tool.takes_task else function(**arguments))


def _text(value: Any, limit: int) -> str:
    text = value if isinstance(value, str) else encode(value).decode()
    if len(text) <= limit:
        return text
    head, tail = limit - limit // 4, limit // 4
    return f"{text[:head]}\n[{len(text) - head - tail:,} characters left out]\n{text[len(text) - tail :]}"


def _told(error: Exception) -> str:
    text = " ".join(str(error).split())[:_SHOWN]
    if isinstance(error, TimeoutError) and not text:
        return "it took too long"
    return text if isinstance(error, Refused | ChildFailed) else f"{type(error).__name__}: {text}"
