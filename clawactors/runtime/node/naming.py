"""Names that steps get by themselves: `charge`, `charge#2`, `charge#3` …

Numbers are counted per branch of the code, so that branches that run side by side never swap records; the main branch
is "". The order of calls within a branch has to be the same on every resume.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from clawactors.kernel.errors import Refused

__all__ = ["StepNames", "called", "planned"]


class StepNames:
    """The names given so far, in one run of the code."""

    def __init__(self) -> None:
        self._given: dict[str, int] = {}
        self.prefix = ""
        """What the names of all steps begin with at the moment."""

    def next(self, base: str, branch: str = "") -> str:
        """The next name for a step that calls `base`."""
        name = f"{base}@{branch}" if branch else base
        count = self._given[name] = self._given.get(name, 0) + 1
        return name if count == 1 else f"{name}#{count}"


def called(function: Callable[..., Any]) -> str:
    """What people call the function: its name, or that of its class."""
    while isinstance(function, partial):
        function = function.func
    name = getattr(function, "__name__", None)
    return name if isinstance(name, str) and name else type(function).__name__


def planned(step: str | Callable[..., Any]) -> str:
    """The name of a declared step: a text, or what its first call will be named."""
    if not isinstance(step, str) and not callable(step):
        raise Refused(f"a planned step is a name or a function, not {repr(step)[:40]}")
    return step if isinstance(step, str) else getattr(step, "name", None) or called(step)
