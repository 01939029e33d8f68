"""Classifies an exception: its error class, its text and traceback, and the strategy of what to do about it."""

from collections.abc import Iterable

from clawactors.runtime.node.errortext import MESSAGE_MAX, all_leaves, causes_of, traceback_of
from clawactors.runtime.node.errortext import message_of as text_with_place
from clawactors.systems.tasks.events import TaskError
from clawactors.systems.tasks.failures import STRATEGIES, ErrorRule, Strategy, kind_of, told

__all__ = ["FailureReport", "classify", "message_of"]


class FailureReport(Exception):
    """A failure that was classified where it happened, in another process."""

    def __init__(self, error: TaskError, strategy: Strategy) -> None:
        super().__init__(error.message)
        self.error, self.strategy = error, strategy


def classify(error: BaseException, rules: Iterable[ErrorRule] = ()) -> tuple[TaskError, Strategy]:
    """The error class with its text for people, and the strategy for that class. Never raises."""
    if isinstance(error, FailureReport):
        return error.error, error.strategy
    rules, leaves = tuple(rules), all_leaves(error)
    verdicts = {kind_of(map(told, causes_of(leaf)), rules) for leaf in leaves}
    kind, strategy = verdicts.pop() if len(verdicts) == 1 else ("unknown", STRATEGIES["unknown"])
    hint = _why_final(leaves[0], rules) if (kind, strategy) == ("validation", "give_up") else ""
    return TaskError(kind, message_of(error)[: MESSAGE_MAX - len(hint)] + hint, traceback_of(error)), strategy


def message_of(error: BaseException) -> str:
    """Its text and where it was raised; cut at 2,000 characters."""
    return error.error.message if isinstance(error, FailureReport) else text_with_place(error)


def _why_final(error: BaseException, rules: tuple[ErrorRule, ...]) -> str:
    """Libraries raise `ValueError` too: that such an error is final, and how to change that, is said with it."""
    ours = f"{type(error).__module__}.".startswith("clawactors.")
    if ours or any(rule.fits(told(each)) for rule in rules for each in causes_of(error)):
        return ""
    rule = f"ErrorRule(exception={type(error).__qualname__[:200]!r}, kind=…)"
    return f"; not retried, being of class `validation`: @skill(errors=[{rule}]) changes that"
