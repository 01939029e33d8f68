"""Captures what the code of tasks prints and logs. Its context tells it from the rest of the process.

Steps and threads of the pool belong to their task. Threads that code starts by itself do not, nor do programs that
inherit the streams of the process. Output of no task goes where it went before.
"""

import contextlib
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any, Final, override

from clawactors.runtime.node.output import TaskOutput
from clawactors.runtime.node.secrets import Secrets

__all__ = ["captured", "current_output"]

current_output: Final[ContextVar[Callable[[], TaskOutput] | None]] = ContextVar("current_output", default=None)
"""Returns the output of the task that this context belongs to; None where it belongs to no task."""


class _Routed:
    """Replaces a text stream; writes of no task go to the original stream."""

    def __init__(self, original: Any, source: str) -> None:
        self._original, self._source = original, source

    def write(self, text: str) -> int:
        if (output := current_output.get()) is None or not isinstance(text, str):
            return int(self._original.write(text))
        output().write(self._source, text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if (output := current_output.get()) is None:
            self._original.flush()
        else:
            output().flush(self._source)

    def isatty(self) -> bool:
        return current_output.get() is None and bool(self._original.isatty())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)


class _TaskLog(logging.Handler):
    """Sends the log lines of tasks to their output."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        if (output := current_output.get()) is not None:
            try:
                output().note(self.format(record), record.levelname, record.name)
            except Exception:
                self.handleError(record)


class _Hiding(logging.Filter):
    """Hides secrets in the log of the node."""

    def __init__(self, secrets: Secrets) -> None:
        super().__init__()
        self._secrets = secrets

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self._secrets.hide(record.getMessage()), ()
        if record.exc_info:
            record.exc_text = self._secrets.hide(logging.Formatter().formatException(record.exc_info))
        return True


@contextlib.contextmanager
def captured(secrets: Secrets) -> Iterator[None]:
    """While it lasts, prints and log lines (from level `info`) of tasks go to the output of their task."""
    root, handler = logging.getLogger(), _TaskLog(logging.INFO)
    streams, level = (sys.stdout, sys.stderr), root.level
    levels = [(each, each.level) for each in root.handlers]
    hiding = _Hiding(secrets)
    for each, own in levels:
        each.setLevel(own or level)  # keeps its level although the root logger now passes more
        if secrets:
            each.addFilter(hiding)
    root.addHandler(handler)
    root.setLevel(min(level or logging.INFO, logging.INFO))
    routed: Any = _Routed(streams[0], "stdout"), _Routed(streams[1], "stderr")
    sys.stdout, sys.stderr = routed
    try:
        yield
    finally:
        sys.stdout, sys.stderr = streams
        root.removeHandler(handler)
        root.setLevel(level)
        for each, own in levels:
            each.setLevel(own)
            each.removeFilter(hiding)
