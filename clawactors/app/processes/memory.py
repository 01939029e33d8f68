"""The main of a memory process: what was lived through becomes memories, and questions about them are answered.

It is told to be ready before it has read anything: nobody's start waits for it, questions do.
"""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from clawactors.app.processes.start import MemoryStart, main
from clawactors.eventlog.jetstream import JetStreamLog, JetStreamRequests
from clawactors.runtime.actor import ActorContext
from clawactors.runtime.clock import SystemClock

__all__ = ["FOLDER", "serve"]

FOLDER: Final = "memory"
"""Where it keeps rows and index, below the data folder; delete it, and the log brings it back."""

_NICE: Final = 5
"""Tasks go first: what memory does can wait a little, placement can't."""


async def serve(start: MemoryStart, ready: Callable[[], None]) -> None:
    """Remembers and answers, until cancelled; then saves."""
    with contextlib.suppress(OSError):
        os.nice(_NICE)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # vectors are short: more threads only get in the way of others
    async with await JetStreamLog.connect(start.nats_url, f"claw-memory/{start.name}") as log:
        # Only now: numpy and the index take a moment, and are told their threads above.
        from clawactors.memory.actor import MemoryActor, switch_often

        switch_often()
        context = ActorContext(log, SystemClock(), f"memory/{start.name}")
        actor = MemoryActor(context, JetStreamRequests(log.connection), Path(start.data) / FOLDER, start.daily_s)
        await actor.listen()
        ready()
        await actor.serve()


if __name__ == "__main__":
    main(MemoryStart, serve)
