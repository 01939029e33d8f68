"""Timers that go off by the clock of the log: the port, and its adapter within one process."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from typing import Protocol

import msgspec
from msgspec.structs import replace

__all__ = ["InProcessTimers", "TimerMark", "Timers"]


class TimerMark(msgspec.Struct, frozen=True, gc=False):
    """A timer that was set for `at_ns` (ns since 1970), or that has gone off since (`fired`).

    `kind` and `id` name it: there is one of a name at a time. `version` is that of the aggregate which asked for it,
    `place` where the store holds it.
    """

    kind: str
    id: str
    at_ns: int
    version: int
    fired: bool = False
    place: int = 0


class Timers(Protocol):
    """Timers that go off by the log's clock, though whoever set them is gone."""

    async def set(self, kind: str, id: str, at_ns: int, version: int) -> None:
        """Sets the timer, in place of one with this name; one in the past goes off at once. Raises: `Unavailable`."""
        ...

    async def cancel(self, kind: str, id: str, place: int) -> None:
        """Takes the timer back, unless it was set again behind that place. Raises: `Unavailable`."""
        ...

    def watch(self) -> AsyncGenerator[list[TimerMark]]:
        """First all that are set or have lately gone off, maybe none; then each as it comes. Raises: `Unavailable`."""
        ...


class InProcessTimers:
    """Timers that go off by the given clock, which is looked at often: it may be set by hand."""

    _LOOK_S = 0.005

    def __init__(self, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._now_ns = now_ns
        self._marks: list[TimerMark] = []
        self._open: dict[tuple[str, str], TimerMark] = {}

    async def set(self, kind: str, id: str, at_ns: int, version: int) -> None:
        """Sets the timer, in place of one with this name."""
        mark = TimerMark(kind, id, at_ns, version, place=len(self._marks) + 1)
        self._marks.append(mark)
        self._open[kind, id] = mark

    async def cancel(self, kind: str, id: str, place: int) -> None:
        """Takes the timer back, unless it was set again behind that place."""
        if (mark := self._open.get((kind, id))) is not None and mark.place <= place:
            del self._open[kind, id]

    async def watch(self) -> AsyncGenerator[list[TimerMark]]:
        """First all that are set or have gone off, then each as it comes."""
        seen = len(self._marks)
        yield [mark for mark in self._marks if mark.fired or self._open.get((mark.kind, mark.id)) is mark]
        while True:
            self._go_off()
            if len(self._marks) > seen:
                fresh = self._marks[seen:]
                seen += len(fresh)
                yield fresh
            await asyncio.sleep(self._LOOK_S)

    def _go_off(self) -> None:
        now_ns = self._now_ns()
        for name, mark in list(self._open.items()):
            if mark.at_ns <= now_ns:
                del self._open[name]
                self._marks.append(replace(mark, fired=True, place=len(self._marks) + 1))
