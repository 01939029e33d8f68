"""Timers that fire by the clock of the log: the port, and its adapter within one process."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable
from heapq import heappop, heappush
from typing import Protocol

import msgspec
from msgspec.structs import replace

__all__ = ["InProcessTimers", "TimerMark", "Timers"]


class TimerMark(msgspec.Struct, frozen=True, gc=False):
    """A timer that was set for `at_ns` (ns since 1970), or that has fired (`fired`).

    `kind` and `id` name it; names are unique. `version` is that of the aggregate that set it, `place` is its sequence
    in the store.
    """

    kind: str
    id: str
    at_ns: int
    version: int
    fired: bool = False
    place: int = 0


class Timers(Protocol):
    """Timers that fire by the log's clock, even if the process that set them is gone."""

    async def set(self, kind: str, id: str, at_ns: int, version: int) -> None:
        """Sets the timer and replaces one with this name; a timer in the past fires at once. Raises: `Unavailable`."""
        ...

    async def cancel(self, kind: str, id: str, place: int) -> None:
        """Cancels the timer, unless it was set again after that place. Raises: `Unavailable`."""
        ...

    def watch(self) -> AsyncGenerator[list[TimerMark]]:
        """First all timers that are set or have fired recently, maybe none; then each change. Raises: `Unavailable`."""
        ...


class InProcessTimers:
    """Timers that fire by the given clock, which is polled: a test may set it, and call `notify`."""

    _LOOK_S = 0.005

    def __init__(self, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._now_ns = now_ns
        self._marks: list[TimerMark] = []
        self._open: dict[tuple[str, str], TimerMark] = {}
        self._order: list[tuple[int, int]] = []
        """Time and place of marks that may be open, soonest first."""
        self._looks: list[asyncio.Event] = []

    async def set(self, kind: str, id: str, at_ns: int, version: int) -> None:
        """Sets the timer and replaces one with this name."""
        mark = TimerMark(kind, id, at_ns, version, place=len(self._marks) + 1)
        self._marks.append(mark)
        self._open[kind, id] = mark
        heappush(self._order, (at_ns, mark.place))
        self.notify()

    async def cancel(self, kind: str, id: str, place: int) -> None:
        """Cancels the timer, unless it was set again after that place."""
        if (mark := self._open.get((kind, id))) is not None and mark.place <= place:
            del self._open[kind, id]

    async def watch(self) -> AsyncGenerator[list[TimerMark]]:
        """First all timers that are set or have fired, then each change."""
        seen = len(self._marks)
        yield [mark for mark in self._marks if mark.fired or self._open.get((mark.kind, mark.id)) is mark]
        look = asyncio.Event()
        self._looks.append(look)
        try:
            while True:
                self._go_off()
                if len(self._marks) > seen:
                    fresh = self._marks[seen:]
                    seen += len(fresh)
                    yield fresh
                look.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._LOOK_S):
                        await look.wait()
        finally:
            self._looks.remove(look)

    def notify(self) -> None:
        """The clock may have moved: who watches looks at once."""
        for look in self._looks:
            look.set()

    @property
    def next_ns(self) -> int | None:
        """When the next timer goes off, None where none is set."""
        while self._order:
            at_ns, place = self._order[0]
            mark = self._marks[place - 1]
            if self._open.get((mark.kind, mark.id)) is mark:
                return at_ns
            heappop(self._order)
        return None

    def _go_off(self) -> None:
        now_ns = self._now_ns()
        while (at_ns := self.next_ns) is not None and at_ns <= now_ns:
            mark = self._marks[heappop(self._order)[1] - 1]
            del self._open[mark.kind, mark.id]
            self._marks.append(replace(mark, fired=True, place=len(self._marks) + 1))
