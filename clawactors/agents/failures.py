"""How a run of an agent fails, in classes that the rules for errors know: `claw why` says what to do."""

from typing import Any, Final

__all__ = [
    "ENDS",
    "AgentRepeats",
    "BudgetSpent",
    "ContextTooLong",
    "ModelQuotaUsed",
    "ModelRefused",
    "ModelUnavailable",
    "UnfitAnswer",
    "failure_of",
]

ENDS: Final = {"BudgetSpent": "budget", "AgentRepeats": "repeats", "UnfitAnswer": "answer", "ContextTooLong": "context"}
"""The class of each end of a run after which it is not tried again, which would only be paid again."""

_SHOWN: Final = 300
_TOO_LONG: Final = ("context_length", "context length", "context window", "maximum context", "too many tokens")
_NO_MONEY: Final = ("insufficient_quota", "insufficient credit", "billing")


class ModelUnavailable(ConnectionError):
    """The endpoint can't be reached, or what came is no reply. It is tried again."""


class ModelRefused(Exception):
    """The endpoint answered with an error; `status_code` decides whether it is tried again.

    `retry_after_s` is how long the endpoint asks to wait, 0 where it does not say.
    """

    def __init__(self, status_code: int, message: str, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.status_code, self.retry_after_s = status_code, retry_after_s


class ModelQuotaUsed(PermissionError):
    """The account has no money left; the task waits for a person."""


class ContextTooLong(Exception):
    """The messages don't fit the model, even after the results of tools were shortened."""


class BudgetSpent(Exception):
    """The run has used up its budget."""


class AgentRepeats(Exception):
    """The model makes the same call with the same result again and again."""


class UnfitAnswer(Exception):
    """The last answer is not of the type that was asked for, after one more try."""


def failure_of(status: int, answer: Any, retry_after_s: float = 0.0) -> Exception:
    """The error that an endpoint means by its status and what it says."""
    said = _said(answer)
    text = f"the model endpoint answered {status}: {said}" if said else f"the model endpoint answered {status}"
    words = said.lower()
    if status in (400, 413, 422) and any(each in words for each in _TOO_LONG):
        return ContextTooLong(text)
    if status == 402 or (status == 429 and any(each in words for each in _NO_MONEY)):
        return ModelQuotaUsed(f"{text}; pay, or use another endpoint, then claw retry ID")
    return ModelRefused(status, text, retry_after_s)


def _said(answer: Any) -> str:
    if isinstance(answer, dict):
        error = answer.get("error", answer)
        if isinstance(error, dict):
            parts = [error.get(name) for name in ("message", "code", "type")]
            answer = "; ".join(str(each) for each in parts if each) or str(error)
        else:
            answer = error
    return " ".join(str(answer or "").split())[:_SHOWN]
