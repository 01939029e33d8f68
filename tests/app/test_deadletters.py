"""`Client.dead_letters`: what came to nothing is listed, shown, tried again and dropped; over the cluster of tests."""

import asyncio

import pytest

from clawactors import InvalidQuery, NotFound, Task, skill
from clawactors.eventlog import Record
from clawactors.runtime.client.deadletterrows import DeadLetterRow
from clawactors.testing import Cluster

BROKEN = {"now": True}


@skill("break")
async def breaks(task: Task) -> str:
    if BROKEN["now"]:
        raise LookupError("nothing there")
    return "whole"


def ids(rows: object) -> list[str]:
    return [row.id for row in rows]  # type: ignore[attr-defined]


async def with_letters(cluster: Cluster, dead: int = 3) -> None:
    BROKEN["now"] = True
    for number in range(dead):
        await cluster.client.submit("break", id=f"t-{number}", max_retries=0)
    await cluster.settle()
    [control] = cluster._host.controls.values()
    for seq, subject, reason in ((5, "claw.task.t-9.log", "not JSON"), (6, "claw.cmd.task.t-0", "the task is dead")):
        await control.dead.store.copy(Record(seq, seq, subject, b'{"type":"task.retry"}'), reason)


async def until_delivered(cluster: Cluster, failed: int) -> None:
    async with asyncio.timeout(10):
        while (await cluster.client.triggers.get("hook")).failed < failed:
            await cluster.sleep(1)


async def test_they_are_listed_by_kind_in_pages_and_shown() -> None:
    async with Cluster(skills=[breaks]) as cluster:
        await with_letters(cluster)
        letters = cluster.client.dead_letters
        everything = ["task:t-2", "task:t-1", "task:t-0", "letter:6", "letter:5"]
        assert ids(await letters.list(limit=None)) == everything
        found: list[str] = []
        cursor = ""
        while True:
            page = await letters.list(limit=2, cursor=cursor)
            found += ids(page)
            if page.cursor is None:
                break
            cursor = page.cursor
        assert found == everything
        assert ids(await letters.list(kind="record")) == ["letter:5"]
        assert ids(await letters.list(kind=["command", "task"], limit=4)) == [*everything[:3], "letter:6"]
        assert ids(await letters.list(error="unknown")) == everything[:3]
        assert ids(await letters.list(skill="other")) == []
        assert ids(await letters.list(since="2100-01-01T00:00:00Z")) == []
        first: DeadLetterRow = (await letters.list())[0]
        assert (first.kind, first.of, first.skill, first.tries) == ("task", "t-2", "break", 1)
        assert "nothing there" in first.reason
        shown = await letters.get("letter:5")
        assert (shown.kind, shown.of, shown.reason, shown.body) == (
            *("record", "claw.task.t-9.log", "not JSON"),
            '{"type":"task.retry"}',
        )
        task = (await letters.get("t-1")).task
        assert task is not None
        assert task.status == "dead"
        for missing in ("t-9", "letter:99", "delivery:x-1-0"):
            with pytest.raises(NotFound):
                await letters.get(missing)
        for wrong in ("letter:x", "what:1", "letter:"):
            with pytest.raises(InvalidQuery, match="is no dead letter"):
                await letters.get(wrong)
        with pytest.raises(InvalidQuery, match="no kind 'mail'"):
            await letters.list(kind="mail")
        with pytest.raises(InvalidQuery, match="another question"):
            await letters.list(kind="record", cursor="task t-1")


async def test_they_are_tried_again_or_dropped_and_the_rest_is_left_with_the_reason() -> None:
    async with Cluster(skills=[breaks]) as cluster:
        await with_letters(cluster)
        letters, told = cluster.client.dead_letters, []
        BROKEN["now"] = False
        reports = await letters.redrive(
            ["t-1", "task:t-9", "letter:5", "letter:6"], progress=lambda done, of: told.append((done, of))
        )
        assert [report.done for report in reports] == [True, False, False, True]
        assert "no task 't-9'" in reports[1].left
        assert "nothing can be tried again" in reports[2].left
        assert told == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
        assert await cluster.client.ref("t-1").result() == "whole"
        assert await cluster.client.ref("t-0").result() == "whole", "the command was sent again"
        dropped = await letters.drop(["t-2", "t-1", "letter:5", "letter:6"])
        assert [report.done for report in dropped] == [True, False, True, False]
        assert "is completed, not dead" in dropped[1].left
        assert ids(await letters.list()) == []


async def test_a_page_goes_on_behind_what_is_gone_meanwhile() -> None:
    async with Cluster(skills=[breaks]) as cluster:
        await with_letters(cluster)
        letters, found = cluster.client.dead_letters, list[str]()
        cursor: str | None = ""
        while cursor is not None:
            page = await letters.list(limit=1, cursor=cursor)
            found += ids(page)
            assert all(report.done for report in await letters.drop(ids(page)))
            cursor = page.cursor
        assert found == ["task:t-2", "task:t-1", "task:t-0", "letter:6", "letter:5"]


async def test_failed_deliveries_are_among_them() -> None:
    async with Cluster(skills=[breaks]) as cluster:
        claw = cluster.client
        await claw.triggers.add("hook", "task.dead", where="task.params.text == 'x'", submit="break")
        await with_letters(cluster, dead=2)
        await until_delivered(cluster, 2)
        found = await claw.dead_letters.list(kind="delivery", skill="break")
        assert [(row.of, row.kind) for row in found] == [("hook", "delivery")] * 2
        shown = await claw.dead_letters.get(found[0].id)
        assert (shown.event, shown.about in ("t-0", "t-1")) == ("task.dead", True)
        [dropped, again] = found
        first = await claw.dead_letters.list(kind="delivery", limit=1)
        assert ids(first) == [dropped.id]
        [report] = await claw.dead_letters.drop([dropped.id])
        assert report.done
        await cluster.settle()
        assert ids(await claw.dead_letters.list(kind="delivery")) == [again.id]
        assert ids(await claw.dead_letters.list(kind="delivery", cursor=first.cursor or "")) == [again.id]
        [report] = await claw.dead_letters.redrive([again.id])
        assert report.done
        await until_delivered(cluster, 3)
        assert ids(await claw.dead_letters.list(kind="delivery")) == [again.id], "it has failed again"
