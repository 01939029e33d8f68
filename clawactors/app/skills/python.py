"""`python`: calls functions that were allowed by name when the node was started, and nothing else."""

import asyncio
import importlib
import inspect
import re
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, Final

from clawactors.eventlog import Misconfigured
from clawactors.kernel.errors import Refused
from clawactors.runtime.node.context import TaskContext
from clawactors.runtime.node.threads import DaemonThreads
from clawactors.systems.skills import Skill, skill

__all__ = ["python_skill"]

_NAME: Final = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_CALL: Final = re.compile(rf"{_NAME}:{_NAME}")
_RULE: Final = re.compile(rf"{_NAME}:(?:{_NAME}|\*)")


def python_skill(allowed: Iterable[str] = ()) -> Skill:
    """The skill for an allow-list of `module:function`, or `module:*` for all public functions that the module defines.

    Raises: `Misconfigured` for an entry that is neither.
    """
    rules = frozenset(allowed)
    for rule in sorted(rules):
        if not _RULE.fullmatch(rule):
            raise Misconfigured(
                f"can't allow {rule!r}: write module:function, module:* for all of a module, or shell for any program"
            )
    threads = DaemonThreads("python")

    @skill("python")
    async def python(
        task: TaskContext, call: str, args: list[Any] | None = None, kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Calls an allowed function; sync ones run in a thread."""
        if not _is_allowed(call, rules):
            raise Refused(f"{call!r} is not on this node's allow-list; start the node with --allow {call}")

        def run() -> Any:
            function = _find(call)
            if call not in rules:
                _check_public(call, function)
            try:
                return function(*(args or ()), **(kwargs or {}))
            except StopIteration as error:  # it can't cross from a thread into the event loop
                raise RuntimeError(f"{call} raised StopIteration") from error

        result = await asyncio.get_running_loop().run_in_executor(threads, run)
        return await result if inspect.isawaitable(result) else result

    return python


def _is_allowed(call: str, rules: frozenset[str]) -> bool:
    return bool(_CALL.fullmatch(call)) and (call in rules or f"{call.partition(':')[0]}:*" in rules)


def _find(call: str) -> Callable[..., Any]:
    name, _, path = call.partition(":")
    try:
        found: Any = importlib.import_module(name)
    except Exception as error:  # a module may raise anything while it is imported
        raise Refused(f"can't import {name}: {type(error).__name__}: {error}") from error
    for part in path.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise Refused(f"{name} has no {path}") from None
    if not callable(found):
        raise Refused(f"{call} is not a function")
    return found  # type: ignore[no-any-return]


def _check_public(call: str, function: Callable[..., Any]) -> None:
    """`module:*` opens what the module means to offer, not what it happens to import."""
    name, _, path = call.partition(":")
    module: ModuleType = importlib.import_module(name)
    offered = getattr(module, "__all__", None)
    if offered is None:
        public = not path.startswith("_") and getattr(function, "__module__", None) == name
    else:
        public = path in offered
    if not (public and inspect.isroutine(function) and "." not in path):
        raise Refused(f"{name}:* allows the public functions that {name} defines, and {path} is none of them")
