"""`queue()`: who is next, why, and what holds each back, from the cluster that tests hold."""

import pytest

from clawactors.kernel.errors import InvalidQuery
from clawactors.testing import Cluster


async def test_it_tells_who_is_next_why_and_what_holds_each_back() -> None:
    async with Cluster(skills=[], nodes=0) as cluster:
        claw = cluster.client
        for id, priority, user in [("a1", "low", "ada"), ("a2", "urgent", "ada"), ("b1", "normal", "ben")]:
            await claw.submit("notes", id=id, priority=priority, user=user)
        await claw.submit("other", id="other")
        reply = await claw.queue("notes", limit=2)
        assert (reply.order, reply.pending) == ("priority", 3)
        assert [(each.id, each.place, each.user) for each in reply.tasks] == [("a2", 1, "ada"), ("b1", 2, "ben")]
        assert reply.tasks[0].because.startswith("turn of user ada: priority 4, pending since 20")
        assert reply.tasks[0].held_back == ("no node is online; start one with `claw up` or `claw join`",)
        assert len((await claw.queue()).tasks) == 4
        assert (await claw.queue("none")).tasks == ()
        with pytest.raises(InvalidQuery, match="1 to 1000"):
            await claw.queue(limit=0)
