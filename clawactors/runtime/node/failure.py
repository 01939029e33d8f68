"""Classifies an exception: its error class, its text, and the strategy of what to do about it."""

import traceback
from collections.abc import Iterable, Iterator

from clawactors.systems.tasks.events import TaskError
from clawactors.systems.tasks.failures import STRATEGIES, ErrorRule, Strategy, kind_of, told

__all__ = ["FailureReport", "classify", "message_of"]

_MESSAGE_MAX = 2000
_CAUSES_MAX = 10


class FailureReport(Exception):
    """A failure that was classified where it happened, in another process."""

    def __init__(self, error: TaskError, strategy: Strategy) -> None:
        super().__init__(error.message)
        self.error, self.strategy = error, strategy


def classify(error: BaseException, rules: Iterable[ErrorRule] = ()) -> tuple[TaskError, Strategy]:
    """The error class with its text for people, and the strategy for that class."""
    if isinstance(error, FailureReport):
        return error.error, error.strategy
    rules = tuple(rules)
    verdicts = {kind_of(map(told, _causes(leaf)), rules) for leaf in _leaves(error)}
    kind, strategy = verdicts.pop() if len(verdicts) == 1 else ("unknown", STRATEGIES["unknown"])
    return TaskError(kind, message_of(error)), strategy


def message_of(error: BaseException) -> str:
    """Its text and where it was raised; cut at 2,000 characters."""
    if isinstance(error, FailureReport):
        return error.error.message
    text = "".join(traceback.format_exception_only(error)).strip()
    frames = traceback.extract_tb(error.__traceback__)
    if frames:
        text += f" ({frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno})"
    return text.encode(errors="backslashreplace").decode()[:_MESSAGE_MAX]


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """The single exceptions of a group, or the exception itself."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaves(each)
    else:
        yield error


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised `from`."""
    cause: BaseException | None = error
    for _ in range(_CAUSES_MAX):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__
