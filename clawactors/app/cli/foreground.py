"""A command that works until it is told to stop: Ctrl-C or SIGTERM ends it in good order, a second one hurries."""

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Final, Self

from clawactors.app.cli.output import note
from clawactors.app.cli.problem import INTERRUPTED

__all__ = ["NOT_SEEN", "Signals"]

NOT_SEEN: Final = (
    "whether this server syncs before it acknowledges can't be seen from here: "
    "without `sync_interval: always` in its jetstream block a power cut can lose acknowledged work"
)

_NUMBERS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """The wish to stop. `stopping` is set by the first signal, `hurry` is called by the second, the third just ends."""

    def __init__(self, hurry: Callable[[], None]) -> None:
        self.stopping = asyncio.Event()
        self._hurry, self._count = hurry, 0

    def __enter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for number in _NUMBERS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                loop.add_signal_handler(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        for number in _NUMBERS:
            loop.remove_signal_handler(number)

    async def cancel(self, work: "asyncio.Future[None]") -> None:
        """Cancels the work when the wish comes."""
        await self.stopping.wait()
        work.cancel()

    def _on_signal(self) -> None:
        self._count += 1
        if self._count == 1:
            note("stopping; once more to hurry")
            self.stopping.set()
        elif self._count == 2:
            self._hurry()
        else:
            os._exit(INTERRUPTED)  # the kernel ends the children with it
