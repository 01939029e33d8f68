"""Measures the server's clock for the time of the log, and tells what is wrong with clocks."""

import asyncio
import contextlib
import logging
from typing import Final

from clawactors.eventlog import Unavailable
from clawactors.eventlog.requests import Requests
from clawactors.runtime.context import ActorContext
from clawactors.runtime.control.timers import TimerKeeper
from clawactors.runtime.logtime import MOMENT_NS, off_by
from clawactors.runtime.questions import Questions, begin_time

__all__ = ["LogTimeKeeper"]

_EVERY_S: Final = 5.0

_log = logging.getLogger(__name__)


class LogTimeKeeper:
    """`serve` measures now and then, and has `timers` look whenever it did."""

    def __init__(self, context: ActorContext, requests: Requests, timers: TimerKeeper) -> None:
        self._log, self._time, self._timers = context.log, context.time, timers
        self._questions = Questions(requests, "control")
        self._told_ns = 0

    async def serve(self) -> None:
        """Measures for ever."""
        while True:
            await asyncio.sleep(_EVERY_S)
            with contextlib.suppress(Unavailable):
                await self.measure()
                self._timers.tick()

    async def begin(self) -> None:
        """Takes the time from another control process, or the server's where none runs. Raises: `Unavailable`."""
        await begin_time(self._questions, self._time)
        await self.measure()

    async def measure(self) -> None:
        """Asks the server. Raises: `Unavailable`."""
        asked_ns = self._time.asking()
        jump_ns = self._time.measure((await self._log.head()).at_ns, asked_ns)
        ahead_ns = self._time.server_ahead_ns
        if jump_ns:
            _log.warning("the time of the log was set %s: the server's clock was, for good", _by(jump_ns))
        elif ahead_ns and abs(ahead_ns - self._told_ns) > MOMENT_NS:
            _log.warning("the server's clock is %s of the time of the log, which goes on as it did", off_by(ahead_ns))
        elif self._told_ns and not ahead_ns:
            _log.info("the server's clock shows the time of the log again")
        self._told_ns = ahead_ns


def _by(ns: int) -> str:
    return f"{'forward' if ns > 0 else 'back'} by {abs(ns) / 1e9:.0f} s"
