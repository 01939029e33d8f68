"""What people mark as skills: functions, partials, methods, objects with `__call__`, decorated functions, generators.

1. A function is async when what it wraps is: `functools.wraps` leaves a sync wrapper that returns a coroutine.
2. Each `yield` of a generator, async or not, is an emitted chunk; what a sync one returns is the result.
"""

import inspect
from collections.abc import Callable, Generator, Mapping
from contextlib import aclosing
from functools import partial
from typing import Any, Final

__all__ = ["call_async", "call_sync", "is_async", "unwrapped"]

_LAYERS_MAX: Final = 50


def unwrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function behind wrappers, partials, methods and `__call__`, which people wrote."""
    for _ in range(_LAYERS_MAX):  # a mock wraps mocks without end
        if isinstance(function, partial):
            function = function.func
        elif inspect.ismethod(function):
            function = function.__func__
        elif (wrapped := getattr(function, "__wrapped__", None)) is not None:
            function = wrapped
        elif not inspect.isroutine(function) and not isinstance(function, type) and callable(function):
            function = type(function).__call__
        else:
            break
    return function


def is_async(function: Callable[..., Any]) -> bool:
    """True for code that runs in the event loop."""
    inner = unwrapped(function)
    return any(inspect.iscoroutinefunction(each) or inspect.isasyncgenfunction(each) for each in (function, inner))


async def call_async(function: Callable[..., Any], task: Any, arguments: Mapping[str, Any]) -> Any:
    """What async code returns; None for an async generator, whose chunks are emitted."""
    result = function(task, **arguments)
    if inspect.isasyncgen(result):
        async with aclosing(result) as chunks:
            async for chunk in chunks:
                await task.emit(chunk)
        return None
    return await result if inspect.isawaitable(result) else result


def call_sync(function: Callable[..., Any], task: Any, arguments: Mapping[str, Any]) -> Any:
    """What sync code returns; the chunks of a generator are emitted."""
    result: Any = function(task, **arguments)
    return _emitted(result, task) if isinstance(result, Generator) else result


def _emitted(chunks: Generator[Any, Any, Any], task: Any) -> Any:
    try:
        while True:
            task.emit(next(chunks))
    except StopIteration as end:
        return end.value
    finally:
        chunks.close()
