"""A cluster is asked as it was, by a position, a time or a time ago; and what changed in a task between two moments."""

import pytest

from clawactors import InvalidQuery, NotFound, Task, skill
from clawactors.kernel.time import time_ns
from clawactors.testing import Cluster

START = "2026-05-01T09:00:00Z"


@skill("echo")
async def echo(task: Task, text: str) -> str:
    await task.step("once", str.upper, text)
    return text


@pytest.fixture
async def cluster() -> object:
    async with Cluster([echo], start=START) as cluster:
        await cluster.client.run("echo", {"text": "a"}, id="a")
        await cluster.sleep("1h")
        await cluster.client.run("echo", {"text": "b"}, id="b")
        yield cluster


async def test_the_same_reads_as_of_a_position_a_time_and_a_time_ago(cluster: Cluster) -> None:
    claw = cluster.client
    seq = (await claw.task("a")).version
    for place in (seq, "2026-05-01T09:30:00Z", "2026-05-01T11:30[Europe/Berlin]", "-30m"):
        then = claw.at(place)
        assert [row.id for row in await then.tasks()] == ["a"]
        assert [row.status for row in await then.nodes()] == ["online"]
        status = await then.status()
        assert (status.tasks["completed"], status.log.last_seq >= seq) == (1, True)
        assert (await then.task("a")).result == "a"
        assert sum((await then.statistics()).tasks.values()) == 1
        with pytest.raises(NotFound):
            await then.task("b")
    assert [row.id for row in await claw.at((await claw.task("b")).version).tasks()] == ["b", "a"]


async def test_the_time_that_a_row_shows_includes_what_it_shows(cluster: Cluster) -> None:
    row = await cluster.client.task("a")
    assert row.completed_at is not None
    assert (await cluster.client.at(row.completed_at).task("a")).status == "completed"


async def test_a_running_task_is_running_then(cluster: Cluster) -> None:
    claw = cluster.client
    first = (await claw.history("a"))[0].seq
    then = claw.at(first)
    assert [row.status for row in await then.tasks()] == ["scheduled"]
    assert [row.id for row in await then.pending()] == []
    assert {entry.type for entry in await then.history("a")} == {"task.submitted", "task.scheduled"}


@pytest.mark.parametrize(
    ("place", "why"),
    [
        (0, "begin at 1"),
        (-5, "begin at 1"),
        (True, "not a valid time"),
        ("yesterday", "not a valid time"),
        ("2026-05-01T09:30:00", "has no zone"),
        ("2026-05-01T09:30[Europe/Nowhere]", "names no time zone"),
        (None, "not a valid time"),
    ],
)
async def test_what_is_no_moment_is_refused_at_once(cluster: Cluster, place: object, why: str) -> None:
    with pytest.raises(InvalidQuery, match=why):
        cluster.client.at(place)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("place", "why"), [(10**9, "the log ends at"), ("2020-01-01T00:00:00Z", "before the log begins"), ("-2d", "before")]
)
async def test_a_moment_that_the_log_does_not_have_is_refused(cluster: Cluster, place: int | str, why: str) -> None:
    with pytest.raises(InvalidQuery, match=why):
        await cluster.client.at(place).tasks()


async def test_who_was_silent_then_is_not_known(cluster: Cluster) -> None:
    with pytest.raises(InvalidQuery, match="heartbeats are not on record"):
        await cluster.client.at(1).nodes(silent_s=5)


async def test_a_difference_names_the_fields_and_the_events_between(cluster: Cluster) -> None:
    claw = cluster.client
    entries = await claw.history("a")
    found = await claw.difference("a", from_seq=entries[0].seq)
    assert (found.begin.version, found.end.version) == (entries[0].seq, entries[-1].seq)
    assert (found.changed["status"].before, found.changed["status"].after) == ("scheduled", "completed")
    assert (found.changed["result"].before, found.changed["result"].after) == (None, "a")
    assert "skill" not in found.changed
    assert [entry.type for entry in found.events] == [entry.type for entry in entries if entry.seq > entries[0].seq]
    whole = await claw.difference("a", end=time_ns("2026-05-01T09:30:00Z"))
    assert (whole.begin.version, whole.changed["skill"].before, len(whole.events)) == (0, None, len(entries))
    nothing = await claw.difference("a", from_seq=entries[-1].seq, to_seq=entries[-1].seq + 1)
    assert (nothing.changed, nothing.events) == ({}, ())
    with pytest.raises(InvalidQuery, match="the end comes before the beginning"):
        await claw.difference("a", from_seq=9, to_seq=8)
    with pytest.raises(NotFound):
        await claw.difference("b", to_seq=entries[-1].seq)
