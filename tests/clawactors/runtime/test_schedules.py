"""Schedules through a whole cluster in one loop: a task for each time, once, whoever fires."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from clawactors.eventlog import Draft, Unavailable
from clawactors.kernel.errors import NotFound, Refused
from clawactors.kernel.time import time_ns
from clawactors.systems.schedules import events as e
from clawactors.systems.skills import skill
from tests.clawactors.runtime.cluster import Cluster, WallClock

START = time_ns("2026-01-01T08:59:00Z")
MINUTE_S = 60.0


@skill("echo")
async def echo(task: Any, text: str = "") -> str:
    return text


@pytest.fixture
def clock() -> WallClock:
    return WallClock(START / 1e9)


def tasks(cluster: Cluster) -> list[str]:
    return sorted({commit.id for commit in cluster.commits() if commit.id.startswith("nightly-")})


def fired(cluster: Cluster) -> Iterator[e.ScheduleFired]:
    return (event for event in cluster.events("nightly", "schedule") if isinstance(event, e.ScheduleFired))


async def test_each_time_makes_its_task(clock: WallClock) -> None:
    async with Cluster(clock) as cluster:
        await cluster.control()
        await cluster.node("n1", [echo])
        added = await cluster.client().schedules.add("nightly", "* * * * *", "echo", {"text": "hi"})
        assert added.state.next_ns == START + 60 * 10**9
        for number in range(3):
            clock.move(MINUTE_S)
            await cluster.until(lambda number=number: len(list(fired(cluster))) == number + 1)  # type: ignore[misc]
        await cluster.until_status("nightly-20260101T090200Z", "completed")
        assert tasks(cluster) == [f"nightly-20260101T090{n}00Z" for n in range(3)]
        task = cluster.task("nightly-20260101T090000Z")
        assert task.spec is not None
        assert (task.spec.type, task.spec.params) == ("scheduled", {"text": "hi"})


@pytest.mark.parametrize(("catch_up", "made"), [("fire", 11), ("coalesce", 1), ("skip", 2)])
async def test_times_that_nobody_could_fire_are_caught_up_with_by_policy(
    clock: WallClock, catch_up: str, made: int
) -> None:
    async with Cluster(clock) as cluster:
        await cluster.client().schedules.add("nightly", "* * * * *", "echo", catch_up=catch_up)
        clock.move(11 * MINUTE_S)
        await cluster.control()
        await cluster.until(lambda: list(fired(cluster)))
        assert len(tasks(cluster)) == made
        assert next(fired(cluster)).next_ns == START + 12 * 60 * 10**9


async def test_two_controls_and_a_crash_between_task_and_record_make_one_task(clock: WallClock) -> None:
    async with Cluster(clock) as cluster:
        await cluster.control("one")
        await cluster.client().schedules.add("nightly", "* * * * *", "echo")
        hit = asyncio.Event()

        def fault(point: str, draft: Draft) -> None:
            if draft.kind == "schedule" and point == "before":
                hit.set()
                raise Unavailable("the cable is cut")

        cluster.links["one"].fault = fault
        clock.move(MINUTE_S)
        async with asyncio.timeout(10):
            await hit.wait()  # the task is made, its record is not
        await cluster.kill("one")
        cluster.leases = type(cluster.leases)(cluster.clock.monotonic_s)  # its lease is over
        await cluster.control("two")
        await cluster.until(lambda: list(fired(cluster)))
        assert tasks(cluster) == ["nightly-20260101T090000Z"]
        assert cluster.named("nightly-20260101T090000Z") == ["task.submitted"]


async def test_a_paused_schedule_makes_nothing_and_resumes_with_its_next_time(clock: WallClock) -> None:
    async with Cluster(clock) as cluster:
        schedules = cluster.client().schedules
        await cluster.control()
        await schedules.add("nightly", "* * * * *", "echo", catch_up="fire")
        await schedules.pause("nightly")
        clock.move(5 * MINUTE_S + 1)
        await schedules.add("other", "* * * * *", "echo")
        clock.move(MINUTE_S)
        await cluster.until_event("other", "schedule.fired", "schedule")
        assert tasks(cluster) == []
        resumed = await schedules.resume("nightly")
        assert resumed.state.next_ns == START + 7 * 60 * 10**9
        clock.move(MINUTE_S)
        await cluster.until(lambda: list(fired(cluster)))
        assert tasks(cluster) == ["nightly-20260101T090600Z"]


async def test_a_removed_schedule_makes_nothing_more_and_its_name_is_free(clock: WallClock) -> None:
    async with Cluster(clock) as cluster:
        schedules = cluster.client().schedules
        await cluster.control()
        await schedules.add("nightly", "* * * * *", "echo")
        await schedules.remove("nightly")
        with pytest.raises(NotFound):
            await schedules.pause("nightly")
        await schedules.add("nightly", "*/5 * * * *", "echo")
        clock.move(2 * MINUTE_S)
        await cluster.until(lambda: list(fired(cluster)))
        assert [event.due_ns for event in fired(cluster)] == [START + 60 * 10**9]


async def test_what_makes_no_sense_is_refused_and_writes_nothing(clock: WallClock) -> None:
    async with Cluster(clock) as cluster:
        schedules = cluster.client().schedules
        for name, cron, options in (
            ("nightly", "61 * * * *", {}),
            ("nightly", "* * * * *", {"zone": "Mars/Olympus"}),
            ("nightly", "* * * * *", {"catch_up": "maybe"}),
            ("night ly", "* * * * *", {}),
        ):
            with pytest.raises(Refused):
                await schedules.add(name, cron, "echo", **options)
        with pytest.raises(NotFound):
            await schedules.remove("nightly")
        assert not list(cluster.commits(kind="schedule"))
