"""Answers take precedence: background work checks between its slices whether a question is being answered.

All threads share one interpreter. Without this, a search of five milliseconds takes ten times as long beside
consolidation, because a computing thread is asked to release the interpreter only now and then.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["Precedence", "switch_often"]

_SWITCH_S: Final = 0.0005
_SUSPEND_MAX_S: Final = 0.01
"""Bounds the wait, so that background work progresses under constant load."""


class Precedence:
    """Call `answering` in the loop's thread only, and `suspend` in other threads."""

    def __init__(self) -> None:
        self._answering = 0
        self._idle = threading.Event()
        self._idle.set()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Marks that an answer is being computed."""
        self._answering += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._answering -= 1
            if not self._answering:
                self._idle.set()

    def suspend(self) -> None:
        """Waits until no answer is being computed, at most 10 ms."""
        self._idle.wait(_SUSPEND_MAX_S)


def switch_often() -> None:
    """Lets the threads of this process switch ten times as often as by default, so that answers wait less."""
    sys.setswitchinterval(_SWITCH_S)
