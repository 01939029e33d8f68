"""Answers go first: what works in the background asks between its slices whether somebody is being answered.

Threads share one interpreter. Without this a search of five milliseconds takes ten times as long beside consolidation,
for whoever computes is asked to let others go on only now and then, and keeps its place for that long.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["Precedence", "switch_often"]

_SWITCH_S: Final = 0.0005
_LONGEST_S: Final = 0.01
"""So that the background gets on, however many ask."""


class Precedence:
    """`answering` belongs to the loop's thread, `suspend` to all others."""

    def __init__(self) -> None:
        self._answering = 0
        self._quiet = threading.Event()
        self._quiet.set()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """While an answer is computed."""
        self._answering += 1
        self._quiet.clear()
        try:
            yield
        finally:
            self._answering -= 1
            if not self._answering:
                self._quiet.set()

    def suspend(self) -> None:
        """Returns when no answer is being computed, or after a short time."""
        self._quiet.wait(_LONGEST_S)


def switch_often() -> None:
    """Lets this process's threads take turns ten times as often as by default: who answers is never far behind."""
    sys.setswitchinterval(_SWITCH_S)
