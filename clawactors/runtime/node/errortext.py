"""What people read of an exception: its text, the line of theirs where it was raised, and a traceback.

1. It never raises, whatever the exception does: properties, `__str__` and `__repr__` of others may raise anything.
2. It is bounded: cyclic causes, thousands of nested groups and messages of megabytes are cut, and the cut is said.
3. The place is the innermost line of the user's own code; only without one it is that of a library.
"""

import os
import sysconfig
import traceback
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from traceback import FrameSummary
from typing import Final

__all__ = ["MESSAGE_MAX", "TRACEBACK_MAX", "all_leaves", "causes_of", "message_of", "traceback_of"]

MESSAGE_MAX: Final = 2000
TRACEBACK_MAX: Final = 16_000
"""Characters of a traceback that are kept with a failed attempt."""

_TEXT_MAX: Final = 100_000
_CAUSES_MAX: Final = 10
_LEAVES_MAX: Final = 1000
_LEAVES_SHOWN: Final = 10
_DEPTH_MAX: Final = 10_000
_NOTES_MAX: Final = 5
_FRAMES_MAX: Final = 30
_FRAMES_READ: Final = 2000

_OWN: Final = str(Path(__file__).resolve().parents[2]) + os.sep
_LIBRARIES: Final = tuple(
    {str(Path(path)) + os.sep for name, path in sysconfig.get_paths().items() if name.endswith(("lib", "stdlib"))}
)


def text_of(error: BaseException) -> str:
    """`Kind: message`, as Python prints it, with notes; at most `MESSAGE_MAX` characters."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{_module(kind)}.{kind.__qualname__}"
    parts = [_said(error), *_notes(error)]
    return f"{name}: {'\n'.join(parts)}".strip().removesuffix(":")[:MESSAGE_MAX]


def message_of(error: BaseException) -> str:
    """Its text and the user's line where it was raised, of a group with its first member; cut at 2,000 characters."""
    text, frames = text_of(error), _frames(error)
    if (first := all_leaves(error)[0]) is not error:
        text, frames = f"{text[: MESSAGE_MAX // 2]}: {text_of(first)}", [*frames, *_frames(first)]
    if frame := _place(frames):
        place = f" ({frame.filename.rsplit('/', 1)[-1]}:{frame.lineno})"
        text = text[: MESSAGE_MAX - len(place)] + place
    return _printable(text)


def traceback_of(error: BaseException) -> str:
    """The lines from the user's code to the error, then its causes and the members of its group, without ours."""
    told: list[str] = []
    size, seen = 0, set[int]()
    for title, each in _chain(error):
        again = id(each) in seen
        seen.add(id(each))
        part = f"{title}{text_of(each)}\n" if again else f"{title}{_stack(each)}{text_of(each)}\n"
        if size + len(part) > TRACEBACK_MAX:
            told.append(part[: max(0, TRACEBACK_MAX - size - 100)] + "\n… the rest is cut\n")
            break
        told.append(part)
        size += len(part)
    return _printable("".join(told))


def all_leaves(error: BaseException) -> list[BaseException]:
    """The single exceptions of a group, or the exception itself; at most a thousand of them."""
    leaves: list[BaseException] = []
    todo = [error]
    for _ in range(_DEPTH_MAX):
        if not todo or len(leaves) >= _LEAVES_MAX:
            break
        each = todo.pop()
        if isinstance(each, BaseExceptionGroup):
            todo.extend(reversed(_members(each)))
        else:
            leaves.append(each)
    return leaves or [error]


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised `from`."""
    cause: BaseException | None = error
    for _ in range(_CAUSES_MAX):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__


def _chain(error: BaseException) -> Iterator[tuple[str, BaseException]]:
    yield "", error
    seen, current = {id(error)}, error
    for _ in range(_CAUSES_MAX):
        cause = current.__cause__
        title = "caused by: "
        if cause is None and not current.__suppress_context__:
            cause, title = current.__context__, "while handling: "
        if cause is None or id(cause) in seen:
            break
        seen.add(id(cause))
        yield f"\n{title}", cause
        current = cause
    if isinstance(error, BaseExceptionGroup):
        leaves = all_leaves(error)
        for number, leaf in enumerate(leaves[:_LEAVES_SHOWN], 1):
            yield f"\nmember {number} of {len(leaves)}: ", leaf
            for cause in list(causes_of(leaf))[1:]:
                yield "\ncaused by: ", cause


def _members(group: BaseExceptionGroup[BaseException]) -> tuple[BaseException, ...]:
    return BaseExceptionGroup.exceptions.__get__(group)  # type: ignore[no-any-return] # a subclass may hide it


def _module(kind: type) -> str:
    """Public classes are known by their short name."""
    return "clawactors" if str(kind.__module__).startswith("clawactors.") else str(kind.__module__)


def _said(error: BaseException) -> str:
    try:
        return str(error)[:_TEXT_MAX]
    except BaseException as another:  # what it raises is its own business
        return f"(its text can't be shown: __str__ raised {type(another).__name__})"


def _notes(error: BaseException) -> list[str]:
    try:
        return [str(note)[:MESSAGE_MAX] for note in list(error.__notes__)[:_NOTES_MAX]]
    except BaseException:  # most have none
        return []


def _frames(error: BaseException) -> list[FrameSummary]:
    try:
        steps = list(traceback.walk_tb(error.__traceback__))[-_FRAMES_READ:]
        frames = list(traceback.StackSummary.extract(iter(steps), lookup_lines=False))
    except Exception:  # a source that can't be read
        return []
    theirs = [frame for frame in frames if not frame.filename.startswith((_OWN, "<frozen"))]
    ours = _module(type(error)) == "clawactors"  # says all by itself
    return theirs if theirs or ours else frames


def _place(frames: list[FrameSummary]) -> FrameSummary | None:
    users = [frame for frame in frames if not _is_library(frame.filename)] or frames
    return users[-1] if users else None


def _stack(error: BaseException) -> str:
    frames = _frames(error)
    if len(frames) > _FRAMES_MAX:  # the user's own come first
        kept = [frame for frame in frames if not _is_library(frame.filename)] or frames
        if len(kept) > _FRAMES_MAX:
            kept = [*kept[: _FRAMES_MAX // 2], *kept[-_FRAMES_MAX // 2 :]]
        head = f"Traceback (most recent call last; {len(frames) - len(kept)} of {len(frames)} lines left out):\n"
        frames = kept
    else:
        head = "Traceback (most recent call last):\n"
    try:
        return head + "".join(f"  {_line(frame)}" for frame in frames) if frames else ""
    except Exception:  # a source that can't be read
        return ""


def _line(frame: FrameSummary) -> str:
    code = f"    {frame.line}\n" if frame.line else ""
    return f'File "{frame.filename}", line {frame.lineno}, in {frame.name}\n{code}'


@cache
def _is_library(filename: str) -> bool:
    return filename.startswith(("<", *_LIBRARIES)) or f"{os.sep}site-packages{os.sep}" in filename


def _printable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()
