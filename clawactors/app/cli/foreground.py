"""Stop signals of a foreground command: the first Ctrl-C or SIGTERM stops it cleanly, the second forces it."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from typing import Final, Self

from clawactors.app.cli.output import note
from clawactors.app.problem import INTERRUPTED

__all__ = ["NOT_SEEN", "StopSignals"]

NOT_SEEN: Final = (
    "whether this server syncs before it acknowledges can't be seen from here: "
    "without `sync_interval: always` in its jetstream block a power cut can lose acknowledged work"
)

_NUMBERS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignals:
    """`stopping` is set by the first signal, `force` is called by the second, the third ends the process.

    `told` is called at the first one.
    """

    def __init__(self, force: Callable[[], None], told: Callable[[], None] = lambda: None) -> None:
        self.stopping = asyncio.Event()
        self._force, self._told, self._count = force, told, 0

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
        """Cancels the work on the first signal."""
        await self.stopping.wait()
        work.cancel()

    def _on_signal(self) -> None:
        self._count += 1
        if self._count == 1:
            self._told()
            self.stopping.set()  # before anything is written: the terminal may be what has gone
            with contextlib.suppress(OSError):
                note("Stopping. Press Ctrl-C again to force.")
        elif self._count == 2:
            self._force()
        else:
            os._exit(INTERRUPTED)  # the kernel ends the children with it
