"""The way from sync code to its task: through a thread of the node, or from a process of its own."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from clawactors.systems.skills.returns import Returns
from clawactors.systems.tasks.retry import Retry

__all__ = ["Bridge"]


class Bridge(Protocol):
    """The way from sync code to its `TaskContext`, which lives in the event loop of the node."""

    @property
    def id(self) -> str:
        """The task's id."""
        ...

    @property
    def attempt(self) -> int:
        """The number of the attempt."""
        ...

    @property
    def cancelled(self) -> bool:
        """True once the code should end."""
        ...

    @property
    def home(self) -> Mapping[str, Any]:
        """The names of the skill's module."""
        ...

    @property
    def skill(self) -> str:
        """The name of the skill."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that only grow, for durations."""
        ...

    def answer(self, name: str, function: Callable[..., Any]) -> None:
        """As `TaskContext.answer`."""
        ...

    def recovered(self) -> None:
        """As `end_recovery`."""
        ...

    def call(self, method: str, /, *args: Any, **kwargs: Any) -> Any:
        """What that method of the `TaskContext` returns. Raises: what it raises."""
        ...

    def send(self, method: str, /, *args: Any) -> None:
        """Calls a method that returns nothing; it need not have happened yet when this returns."""
        ...

    def begin_step(self, name: str, call: str) -> tuple[bool, Any]:
        """As `Steps.begin`."""
        ...

    def end_step(self, name: str, result: Any, took_s: float, undo: dict[str, Any] | None, returns: Returns) -> Any:
        """As `Steps.end`."""
        ...

    def fail_step(self, name: str, error: Exception, took_s: float, retry: Retry | None, failures: int) -> bool:
        """As `Steps.tries_again`."""
        ...
