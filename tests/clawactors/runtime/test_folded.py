"""States that a control process has folded: fresh also where the end of the log is not its own."""

import asyncio

from clawactors.eventlog import Draft, Follower
from clawactors.eventlog.inprocess import InProcessLog
from clawactors.kinds import KINDS
from clawactors.runtime.control.folded import FoldedSnapshots
from clawactors.runtime.control.inprocess import InProcessViews


async def test_it_is_fresh_when_the_log_ends_with_records_of_other_kinds() -> None:
    log = InProcessLog()
    snapshots = FoldedSnapshots(lambda: InProcessViews(KINDS))
    follower = await log.follow(["claw.task.>"], after=0)
    snapshots.begin(follower, 0)

    async def fold(follower: Follower) -> None:
        async for batch in follower:
            snapshots.taken = batch[-1].seq
            snapshots.folded(follower.position)

    folding = asyncio.ensure_future(fold(follower))
    await log.append(Draft("task", "a", b"{}", "1"), 0)
    await snapshots.fresh()
    assert snapshots.position == 1
    await log.append(Draft("memory", "m", b"{}", "2"), 0)
    async with asyncio.timeout(1):
        await snapshots.fresh()
    folding.cancel()
