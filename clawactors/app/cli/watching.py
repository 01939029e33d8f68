"""`--watch`: repeats a query; a live screen on a terminal, only the changed lines elsewhere.

1. Ctrl-C is how people end it: exit code 0, and the last screen stays.
2. SIGTERM and SIGHUP leave the terminal as they found it, too.
3. A reader that has left is noticed although nothing is written.
"""

import asyncio
import select
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, Protocol

import msgspec

from clawactors.app.cli.output import Part, emit, is_terminal, plain_lines

__all__ = ["show", "until_ended", "watch"]

_EVERY_S: Final = 0.5


class _Show[A](Protocol):
    def __call__(self, answer: A, /) -> None: ...


async def show[A](options: Any, ask: Callable[[], Awaitable[A]], parts: Callable[[A], Iterable[Part]]) -> int:
    """Prints what `ask` gives, again and again with `--watch`; returns the exit code."""
    if options.watch:
        return await watch(options, ask, parts)
    answer = await ask()
    emit(options, answer, lambda: parts(answer))
    return 0


async def watch[A](
    options: Any,
    ask: Callable[[], Awaitable[A]],
    parts: Callable[[A], Iterable[Part]],
    is_last: Callable[[A], bool] = lambda answer: False,
) -> int:
    """Shows answers until a signal ends it, or until one is the last; returns the exit code."""
    return await until_ended(_watch(options, ask, parts, is_last))


async def until_ended(work: Coroutine[Any, Any, None]) -> int:
    """Runs it until it ends or a signal ends it; returns the exit code."""
    watching = asyncio.ensure_future(work)
    loop, ended_by = asyncio.get_running_loop(), list[signal.Signals]()

    def end(by: signal.Signals) -> None:
        ended_by.append(by)
        watching.cancel()

    for number in _ENDING:
        loop.add_signal_handler(number, end, number)
    try:
        await watching
    except asyncio.CancelledError:
        if not ended_by:
            raise
    finally:
        for number in _ENDING:
            loop.remove_signal_handler(number)
    return 128 + ended_by[0] if ended_by and ended_by[0] != signal.SIGINT else 0


_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def _watch[A](
    options: Any,
    ask: Callable[[], Awaitable[A]],
    parts: Callable[[A], Iterable[Part]],
    is_last: Callable[[A], bool],
) -> None:
    answer = await ask()
    with _screen(options, parts) as show:
        show(answer)
        while not is_last(answer):
            await asyncio.sleep(_EVERY_S)
            if _reader_has_left():
                raise BrokenPipeError
            answer = await ask()
            show(answer)


def _screen[A](options: Any, parts: Callable[[A], Iterable[Part]]) -> AbstractContextManager[_Show[A]]:
    if options.json:
        return nullcontext(_Changes(_json_lines))
    if is_terminal(sys.stdout):
        from clawactors.app.cli.terminal import live_screen

        return live_screen(parts, sys.stdout)
    return nullcontext(_Changes(lambda answer: [line.encode(errors="replace") for line in plain_lines(parts(answer))]))


class _Changes:
    """Prints the lines of an answer that the one before did not have."""

    def __init__(self, lines: Callable[[Any], Sequence[bytes]]) -> None:
        self._lines, self._shown = lines, frozenset[bytes]()

    def __call__(self, answer: Any, /) -> None:
        lines = self._lines(answer)
        sys.stdout.flush()
        sys.stdout.buffer.writelines(line + b"\n" for line in lines if line not in self._shown)
        sys.stdout.buffer.flush()
        self._shown = frozenset(lines)


def _json_lines(answer: Any) -> list[bytes]:
    """One document a row, where the answer has several."""
    rows = answer if isinstance(answer, list) else [answer]
    return [msgspec.json.encode(row) for row in rows]


def _reader_has_left() -> bool:
    """True where standard output is a pipe that nobody reads any more, or a terminal that is gone."""
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
