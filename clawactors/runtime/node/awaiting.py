"""What a paused asyncio task awaits: other tasks, something that only they can end, or the world outside."""

import asyncio
import gc
from collections.abc import Container, Iterator
from types import AsyncGeneratorType, FrameType
from typing import Any, Final

__all__ = ["awaits_only"]

_SYNCHRONISATION: Final = ("asyncio.locks", "asyncio.queues")
_LIBRARIES: Final = ("anyio", "clawactors")
"""What these do with a lock, event or queue may be waiting for the world outside."""

_GENERATOR_STEPS: Final = ("async_generator_asend", "async_generator_athrow")
"""Await an asynchronous generator, and have no attribute that tells which one."""


def awaits_only(task: asyncio.Task[Any], others: Container[Any]) -> bool:
    """True while only those other tasks can let this one go on."""
    ends = getattr(task, "_fut_waiter", None)
    if ends is None or ends.done():
        return False  # it runs, or is about to
    if ends in others:
        return True
    frame, caller = _innermost(task)
    if awaited := _awaited_together(frame, ends):
        return all(each.done() or each in others for each in awaited)
    return frame is not None and _module(frame) in _SYNCHRONISATION and caller not in _LIBRARIES


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _innermost(task: asyncio.Task[Any]) -> tuple[FrameType | None, str]:
    """Where the code of the task waits, and the package that called asyncio for it."""
    innermost, caller = None, ""
    for innermost in _frames(task.get_coro()):
        package = _module(innermost).partition(".")[0]
        caller = caller if package == "asyncio" else package
    return innermost, caller


def _awaited_together(frame: FrameType | None, ends: Any) -> tuple[Any, ...]:
    """The futures that `gather`, `wait` or a `TaskGroup` waits for there; none where it is none of these."""
    if (gathered := getattr(ends, "_children", None)) is not None:
        return tuple(gathered)
    if frame is None or _module(frame) not in ("asyncio.tasks", "asyncio.taskgroups"):
        return ()
    found = frame.f_locals
    return tuple(found.get("fs") or getattr(found.get("self"), "_tasks", None) or ())


def _frames(awaited: Any) -> Iterator[FrameType]:
    """Of the coroutines and generators that await each other, the outermost first."""
    while awaited is not None:
        for kind in ("cr", "gi", "ag"):
            if (frame := getattr(awaited, f"{kind}_frame", None)) is not None:
                yield frame
                awaited = getattr(awaited, "gi_yieldfrom" if kind == "gi" else f"{kind}_await")
                break
        else:
            if type(awaited).__name__ not in _GENERATOR_STEPS:
                return
            awaited = next((each for each in gc.get_referents(awaited) if isinstance(each, AsyncGeneratorType)), None)
