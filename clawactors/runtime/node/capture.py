"""What the code of tasks prints and logs, told from what the rest of the process does: by the context that it runs in.

Steps and threads of the pool belong to their task; a thread that code starts by itself does not, nor do programs that
inherit the process's own streams. What belongs to no task goes where it always went.
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
"""Where the output of this context goes, None where it belongs to no task."""


class _Routed:
    """Stands for a text stream, and is that stream for whatever belongs to no task."""

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
    """Gives the log lines of tasks to their output."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        if (output := current_output.get()) is not None:
            try:
                output().note(self.format(record), record.levelname, record.name)
            except Exception:
                self.handleError(record)


class _Hiding(logging.Filter):
    """Takes secrets out of the node's own log."""

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
    """While it lasts, tasks have their output to themselves; log lines of theirs from `info` on count too."""
    root, handler = logging.getLogger(), _TaskLog(logging.INFO)
    streams, level = (sys.stdout, sys.stderr), root.level
    levels = [(each, each.level) for each in root.handlers]
    hiding = _Hiding(secrets)
    for each, own in levels:
        each.setLevel(own or level)  # they go on as they were, though there is more to log now
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
