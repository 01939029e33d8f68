"""The main of a memory process: past tasks, chats and notes become memories, and it answers questions about them.

It reports ready before it has read the log: no start waits for it, but questions do.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from clawactors.app.archive import archive_of, archived_log
from clawactors.app.processes.firststart import once_made, patience_of
from clawactors.app.processes.past import build_in_process
from clawactors.app.processes.start import MemoryStart, log_as_set, main
from clawactors.eventlog.endpoint import INBOX
from clawactors.eventlog.jetstream import Connection, JetStreamLeases, JetStreamLog, JetStreamRequests
from clawactors.kinds import KINDS
from clawactors.memory.models.settings import read_config
from clawactors.runtime.clock import SystemClock
from clawactors.runtime.context import ActorContext
from clawactors.runtime.settings import LiveSettings, ReportEndpoint

__all__ = ["FOLDER", "serve"]

FOLDER: Final = "memory"
"""The folder of rows and index below the data folder; it can be deleted and is rebuilt from the log."""

_PRINCIPAL: Final = "memory"
"""As whom it asks control to submit tasks."""

_NICE: Final = 5
"""Tasks take precedence: memory can wait a little, placement cannot."""


async def serve(start: MemoryStart, ready: Callable[[], None]) -> None:
    """Ingests the log and answers questions until cancelled, then saves."""
    with contextlib.suppress(OSError):
        os.nice(_NICE)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # vectors are short: more threads would only slow others down
    name, inbox = f"claw-memory/{start.name}", f"{INBOX}.{_PRINCIPAL}"
    async with await Connection.open(start.address, name, inbox=inbox) as connection:
        log = await once_made(lambda: JetStreamLog.over(connection), patience_of(start))
        # Imported here: numpy takes a moment to load, and reads the number of threads set above.
        from clawactors.memory.models.parts import parts_of
        from clawactors.memory.process import MemoryActor, plan_of, switch_often
        from clawactors.projections.engine.damage import distrust

        switch_often()
        whole = archived_log(log, archive_of(Path(start.data)), goes_on=True)
        context = ActorContext(whole, SystemClock(), f"{_PRINCIPAL}/{start.name}")
        leases, requests = JetStreamLeases(connection, makes=False), JetStreamRequests(connection)
        live = LiveSettings(log, start.given, "memory")
        await live.open()
        live.watch(log_as_set)
        parts = parts_of(read_config(Path(start.data), start.config))
        if start.died_of:
            distrust(Path(start.data) / FOLDER, start.died_of)
        build = partial(build_in_process, connection.address, start.data, "memory")
        folder = Path(start.data) / FOLDER
        plan = plan_of(live.current)
        actor = MemoryActor(context, KINDS, leases, requests, folder, plan, parts, log.sealer, build)
        live.watch(lambda settings: actor.replan(plan_of(settings)))
        await actor.listen()
        await ReportEndpoint(live, _PRINCIPAL).open(requests)
        ready()
        async with asyncio.TaskGroup() as group:
            group.create_task(actor.serve())
            group.create_task(live.serve())


if __name__ == "__main__":
    main(MemoryStart, serve)
