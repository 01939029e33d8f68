"""A process that opens damaged views, reads all of them and says what came of it. Damage may end it by a signal."""

import asyncio
import sys
from pathlib import Path

from clawactors.eventlog import InProcessLog
from clawactors.projections.engine.damage import distrust
from clawactors.projections.engine.digest import store_digest
from clawactors.projections.live import LiveViews
from clawactors.projections.starting import starting_point
from tests.projections.cluster import CLUSTER
from tests.projections.histories import History, random_history, run

TASKS = 150


def log_of_tasks() -> InProcessLog:
    """The same log in every process."""
    history: History = random_history(5, 100)
    for n in range(TASKS):
        run(history, f"t{n}", result="x" * (n + 250))
    log = InProcessLog()
    log._identity = "damaged"
    for record in history.records:
        log.clock = lambda at_ns=record.at_ns: at_ns  # type: ignore[misc]
        log.publish(record.subject, record.body, record.headers)
    return log


async def opened(log: InProcessLog, folder: Path) -> LiveViews:
    """The live views below the folder."""
    return await LiveViews.open(log, folder, CLUSTER, heartbeat=lambda _: None, now_ns=lambda: 1, probe=starting_point)


async def read(log: InProcessLog, folder: Path) -> str:
    """The digest of the rows once they are sound."""
    views = await opened(log, folder)
    serving = asyncio.create_task(views.serve())
    report = await views.health.report(check=True)
    while report.damage or report.checking:
        await asyncio.sleep(0.005)
        report = await views.health.report()
    found = store_digest(views.store, CLUSTER).digest
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    await views.aclose()
    return found


async def read_all(died_of: str, folders: list[str]) -> None:
    """Prints the folder and the digest of each; `died_of` is what ended the process that read the first one before."""
    async with log_of_tasks() as log:
        if died_of:
            distrust(Path(folders[0]), died_of)
        for folder in folders:
            print(folder, await read(log, Path(folder)), flush=True)


if __name__ == "__main__":
    asyncio.run(read_all(sys.argv[1], sys.argv[2:]))
