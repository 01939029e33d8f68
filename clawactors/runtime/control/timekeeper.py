"""Keeps the time of the log as a control process knows it, and shows it to the timers."""

import asyncio
import contextlib
from typing import Final

from clawactors.eventlog import Unavailable
from clawactors.runtime.context import ActorContext
from clawactors.runtime.control.timers import TimerKeeper

__all__ = ["LogTimeKeeper"]

_EVERY_S: Final = 20.0


class LogTimeKeeper:
    """`serve` asks the log for its time now and then: records alone tell too little where few come."""

    def __init__(self, context: ActorContext, timers: TimerKeeper) -> None:
        self._context, self._timers = context, timers

    async def serve(self) -> None:
        """Asks for ever."""
        while True:
            await asyncio.sleep(_EVERY_S)
            with contextlib.suppress(Unavailable):
                await self.ask()

    async def ask(self) -> None:
        """Asks the log. Raises: `Unavailable`."""
        self.observe((await self._context.log.head()).at_ns)

    def observe(self, at_ns: int) -> None:
        """The log has shown this time."""
        self._context.time.observe(at_ns)
        self._timers.show(at_ns)
