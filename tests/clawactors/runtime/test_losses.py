"""A log that somebody else has purged: what is gone is refused and told, the rest goes on."""

import asyncio
from typing import Any

import pytest

from clawactors import skill
from clawactors.eventlog.gaps import Gap, Gaps
from clawactors.kernel.errors import Refused
from clawactors.runtime.control.losses import LossWatch
from clawactors.testing import Cluster


@skill("echo")
async def echo(_task: Any, text: str) -> str:
    return text


async def test_an_id_whose_history_is_gone_is_never_given_again() -> None:
    async with Cluster([echo]) as cluster:
        claw = cluster.client
        await claw.run("echo", {"text": "mine"}, id="gone")
        await claw.run("echo", {"text": "mine"}, id="there")
        log = cluster._host.log
        (control,) = cluster._host.controls.values()
        watch = LossWatch(log, control.losses)
        await watch.refresh()
        assert control.losses.gaps == Gaps()
        gone = [record.seq for record in log._aggregates["task/gone"]]
        for seq in gone:  # by somebody with the rights to do so
            log._records[seq - 1] = None
        log._aggregates["task/gone"].clear()
        log._purged += len(gone)
        await watch.refresh(at_once=True)
        assert control.losses.gaps == Gaps(len(gone), (Gap(gone[0], gone[-1]),))
        assert control.losses.told()["records"] == len(gone)
        for text in ("mine", "another"):
            with pytest.raises(Refused, match="history is gone from the log: somebody purged it"):
                await claw.submit("echo", {"text": text}, id="gone")
        with pytest.raises(Refused, match="history is gone"):
            await asyncio.wait_for(claw.retry("gone"), 5)
        with pytest.raises(Refused, match="exists with"):
            await claw.submit("echo", {"text": "another"}, id="there")
        assert await claw.run("echo", {"text": "new"}, id="new") == "new"
