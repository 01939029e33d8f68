"""Captures what the code of tasks prints and logs. Its context tells it from the rest of the process.

Steps belong to their task, and so do threads, thread pools and forked processes that its code starts (see `spawned`).
What programs print that inherit the streams of the process, and what is printed after the end of the attempt, goes
where output of no task goes: where it went before, to the log of the node.
"""

import contextlib
import logging
import sys
from collections.abc import Buffer, Callable, Iterable, Iterator
from typing import Any, Final, override

from clawactors.runtime.node.secrets import Secrets
from clawactors.runtime.node.spawned import Printed, current_output, put, told_apart

__all__ = ["capture_again", "captured"]

_log = logging.getLogger(__name__)
_OWN: Final = "clawactors."
_keeping: Final[list[Callable[[], None]]] = []


def capture_again() -> None:
    """Restores what the code of an earlier task took away: logging is configured for a whole process at once."""
    for keep in _keeping:
        keep()


class _Routed:
    """Replaces a text stream; writes of no task go to the original stream."""

    def __init__(self, original: Any, source: str) -> None:
        self._original, self._source = original, source

    def write(self, text: Any) -> int:
        if not isinstance(text, str) or (text and not put(Printed(self._source, text))):
            return int(self._original.write(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if not put(Printed(self._source, "")):
            self._original.flush()

    def isatty(self) -> bool:
        return current_output.get() is None and bool(self._original.isatty())

    @property
    def buffer(self) -> Any:
        return _RoutedBytes(self, self._original.buffer)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)


class _RoutedBytes:
    """Takes bytes for a routed stream of text."""

    def __init__(self, text: _Routed, original: Any) -> None:
        self._text, self._original = text, original

    def write(self, body: Buffer) -> int:
        if current_output.get() is None:
            return int(self._original.write(body))
        self._text.write(bytes(body).decode(errors="backslashreplace"))
        return memoryview(body).nbytes

    def flush(self) -> None:
        self._text.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)


class _TaskLog(logging.Handler):
    """Sends the log lines of tasks to their output."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        if current_output.get() is not None:
            try:
                put(Printed("log", self.format(record), record.levelname, record.name))
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

    def keep() -> None:
        if handler in root.handlers and root.level <= logging.INFO and not _log.disabled:
            return
        for each in (*(own for own, _ in levels), handler):
            if each not in root.handlers:
                root.addHandler(each)
        root.setLevel(min(root.level, logging.INFO))
        for name, logger in root.manager.loggerDict.items():
            if name.startswith(_OWN) and isinstance(logger, logging.Logger):
                logger.disabled = False

    routed: Any = _Routed(streams[0], "stdout"), _Routed(streams[1], "stderr")
    sys.stdout, sys.stderr = routed
    _keeping.append(keep)
    try:
        with told_apart():
            yield
    finally:
        _keeping.remove(keep)
        sys.stdout, sys.stderr = streams
        root.removeHandler(handler)
        root.setLevel(level)
        for each, own in levels:
            each.setLevel(own)
            each.removeFilter(hiding)
