"""What an exception says about a failed attempt: its class, its text."""

import asyncio
import traceback

from clawactors.errors import Refused
from clawactors.tasks.events import TaskError

__all__ = ["classify"]

_MESSAGE_MAX = 2000

_CLASSES: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((TimeoutError, asyncio.TimeoutError), "timeout"),
    ((MemoryError,), "memory"),
    ((PermissionError,), "permission"),
    ((ConnectionError,), "network"),
    ((Refused, ValueError, TypeError, LookupError, AttributeError), "validation"),
    ((asyncio.CancelledError,), "cancelled"),
)


def classify(error: BaseException) -> TaskError:
    """The error class and what to tell people; text is cut at 2000 characters."""
    kind = next((name for types, name in _CLASSES if isinstance(error, types)), "unknown")
    text = "".join(traceback.format_exception_only(error)).strip()
    frames = traceback.extract_tb(error.__traceback__)
    if frames:
        text += f" ({frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno})"
    return TaskError(kind, text.encode(errors="backslashreplace").decode()[:_MESSAGE_MAX])
